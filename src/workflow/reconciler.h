// A standing duty: woken by a timer or by a change under its prefixes, it takes no input, reads the
// world again, plans purely, then acts. Idempotent.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/time.h"

namespace howdah::workflow {

struct Reconciler {
  std::string name;
  std::vector<std::string> prefixes;  // store prefixes whose change wakes it
  Duration interval = 10s;            // and at least this often
  // One pass. Returns when it wants to be called again at the latest (capped by interval).
  std::function<Result<Duration>()> reconcile;
};

}  // namespace howdah::workflow
