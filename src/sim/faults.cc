#include "sim/faults.h"

#include <fmt/format.h>

namespace howdah::sim {

const char* FaultName(Fault fault) {
  static constexpr const char* kNames[] = {
      "kill primary",   "kill standby", "freeze",       "freeze postmaster", "partition",
      "kill agents",    "slow agent",   "kill control", "fail store",        "kill gateway",
      "slow gateway",   "old table",    "old document", "full disk",         "broken",
      "cancel",         "failover",     "reboot",       "toggle Multi-AZ",   "stop instance",
      "start instance", "accept loss"};
  static_assert(std::size(kNames) == static_cast<std::size_t>(Fault::kCount));
  return kNames[static_cast<std::size_t>(fault)];
}

namespace {

// How many worlds know that kind.
double ShareOf(Fault fault) {
  switch (fault) {
    case Fault::kStopInstance:
    case Fault::kToggleMultiAz:
      return 0.15;
    case Fault::kAcceptLoss:
      return 0.05;
    case Fault::kFullDisk:
    case Fault::kBroken:
      return 0.25;
    case Fault::kKillPrimary:
      return 0.7;
    default:
      return 0.45;
  }
}

}  // namespace

FaultPlan::FaultPlan(Random& random, MonotonicTime now) : random_(random) {
  for (int i = 0; i < static_cast<int>(Fault::kCount); ++i) {
    const auto fault = static_cast<Fault>(i);
    // Who can be stopped can be started.
    const bool follows = fault == Fault::kStartInstance && !kinds_.empty() &&
                         kinds_.back().fault == Fault::kStopInstance;
    if (fault == Fault::kStartInstance ? !follows : !random.Chance(ShareOf(fault))) continue;
    const Duration mean = random.Between(500ms, 8s);
    kinds_.push_back({fault, mean, now + random.Between(0ms, 2 * mean)});
  }
}

std::vector<Fault> FaultPlan::Due(MonotonicTime now) {
  std::vector<Fault> due;
  for (Kind& kind : kinds_) {
    if (now < kind.next) continue;
    due.push_back(kind.fault);
    kind.next = now + random_.Between(1ms, 2 * kind.mean);
  }
  return due;
}

std::string FaultPlan::Describe() const {
  std::string text;
  for (const Kind& kind : kinds_) {
    text += fmt::format("{}{} about every {} ms", text.empty() ? "" : ", ", FaultName(kind.fault),
                        std::chrono::duration_cast<std::chrono::milliseconds>(kind.mean).count());
  }
  return text;
}

}  // namespace howdah::sim
