// The preloaded libraries as files below Howdah's home.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "system/disk.h"

namespace howdah::postgres {

// The first eight bytes of a SHA-256, in hex: a name for contents.
std::string ShortDigest(std::string_view bytes);

// Writes the library to HOME/lib, under a name that holds its digest, unless it is there: a server
// that runs keeps the one that it has mapped. Returns its path.
Result<std::string> InstallLibrary(system::Disk& disk, const std::string& home,
                                   std::string_view stem, std::string_view library);

}  // namespace howdah::postgres
