// Removes backups, and what nobody needs any more. The order makes it safe at every moment: a
// manifest first, then what only it named. Packs of a removed backup stay as long as another one
// refers to them.
#pragma once

#include <string>
#include <vector>

#include "backup/objects.h"
#include "base/ids.h"
#include "base/time.h"

namespace howdah::backup {

struct SweepRequest {
  InstanceId instance;
  std::vector<std::string> remove;  // backups; one that is gone already is no error
  // What an unfinished backup has left is kept for so long, because it may be going on.
  Duration safe_age = 48h;
};

struct SweepOutcome {
  std::uint64_t removed_objects = 0, removed_bytes = 0;
  std::string kept;  // why packs were left for the next time; empty: they were not
};

// May run at any time, but not twice at once for one instance.
Result<SweepOutcome> Sweep(const SweepRequest& request, const Needs& needs);

}  // namespace howdah::backup
