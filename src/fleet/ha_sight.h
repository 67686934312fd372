// What the agents and the gateway report of one instance, gathered into what ha::Step looks at.
// Keeps the times since when something has been so: in memory, so that after a restart of the
// control plane every budget begins anew, which only delays a decision.
#pragma once

#include <map>
#include <optional>

#include "fleet/context.h"
#include "ha/step.h"
#include "nodes/node.h"
#include "nodes/route.h"

namespace howdah::fleet {

// The reports of one look.
struct Reports {
  nodes::Observed primary;
  nodes::Observed standby;
  std::optional<nodes::RouteObserved> route;  // unset: nobody listens for it
};

class Sights {
 public:
  ha::Sight Look(const Context& context, const InstanceId& id, const ha::Record& record,
                 const Reports& reports);
  void Forget(const InstanceId& id) { since_.erase(id); }
  // Whether time itself is news for this instance, and for which ones.
  std::vector<InstanceId> Waiting() const;

 private:
  struct Since {
    ha::Epoch epoch = 0;  // a change of roles begins every count anew
    std::optional<MonotonicTime> failing_over;
    std::optional<MonotonicTime> silent;
    std::optional<MonotonicTime> unresponsive;
    std::optional<MonotonicTime> starting;
  };
  std::map<InstanceId, Since> since_;
};

}  // namespace howdah::fleet
