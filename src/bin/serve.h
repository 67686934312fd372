// Builds the control plane by hand, in order, runs it until it is told to stop, and takes it down
// in the reverse order. The list of members is the truth about what can touch what.
#pragma once

#include "base/log.h"
#include "cli/options.h"

namespace howdah::bin {

// The exit code of the process. On stdout, when it serves: one line 'howdah ready
// http://ADDR:PORT'.
int Serve(const cli::ServeOptions& options, const Log& log);

}  // namespace howdah::bin
