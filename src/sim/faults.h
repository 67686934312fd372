// What goes wrong in a simulated world. Each seed switches a random part of the kinds on, each at a
// rate of its own: a history full of everything hides what only a few together bring about.
#pragma once

#include <string>
#include <vector>

#include "base/time.h"
#include "sim/random.h"

namespace howdah::sim {

enum class Fault {
  kKillPrimary,
  kKillStandby,
  kFreeze,
  kFreezePostmaster,
  kPartition,
  kKillAgents,
  kSlowAgent,
  kKillControl,
  kFailStore,
  kKillGateway,
  kSlowGateway,
  kOldTable,
  kOldDocument,
  kFullDisk,
  kBroken,
  kCancel,
  kFailover,
  kReboot,
  kToggleMultiAz,
  kStopInstance,
  kStartInstance,
  kAcceptLoss,
  kCount,
};
const char* FaultName(Fault fault);

// When the next of each kind comes.
class FaultPlan {
 public:
  FaultPlan(Random& random, MonotonicTime now);

  // Those whose time has come; each is given its next.
  std::vector<Fault> Due(MonotonicTime now);
  std::string Describe() const;

 private:
  struct Kind {
    Fault fault;
    Duration mean;
    MonotonicTime next;
  };
  Random& random_;
  std::vector<Kind> kinds_;
};

}  // namespace howdah::sim
