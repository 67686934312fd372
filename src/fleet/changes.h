// What has changed since the last look, for a reconciler that must not read everything each time:
// with a thousand instances a full look at every heartbeat is what makes a control plane slow. The
// rule that keeps it right: where the history cannot tell, the answer is "everything".
#pragma once

#include <memory>
#include <set>
#include <string>

#include "base/result.h"
#include "base/time.h"
#include "store/store.h"
#include "system/clock.h"

namespace howdah::fleet {

struct News {
  bool everything = false;
  std::set<std::string> keys;  // of all documents; the caller knows which are its own
};

// On one thread at a time. In memory only: a new process looks at everything first.
class Changes {
 public:
  // At least every `full_look` everything is looked at, whatever changed.
  Changes(store::Store& store, const system::Clock& clock, Duration full_look)
      : store_(store), clock_(clock), full_look_(full_look) {}

  Result<News> Take();

 private:
  Result<News> StartOver();

  store::Store& store_;
  const system::Clock& clock_;
  const Duration full_look_;
  std::unique_ptr<store::Watch> watch_;
  MonotonicTime next_full_look_ = MonotonicTime::min();
};

}  // namespace howdah::fleet
