// Passing an open descriptor to another process over a Unix socket; see unix(7), SCM_RIGHTS.
#pragma once

#include "base/result.h"

namespace howdah::system {

// The byte with which a descriptor travels: it needs at least one.
inline constexpr char kPassedByte = 'H';

// On a connected Unix stream socket; does not wait. The receiver gets a descriptor of its own for
// the same open file; ours stays ours. kUnavailable and the like: as sendmsg() says.
Result<> PassDescriptor(int connection, int descriptor);

}  // namespace howdah::system
