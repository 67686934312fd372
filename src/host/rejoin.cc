#include "host/rejoin.h"

namespace howdah::host {

RejoinPlan PlanRejoin(const RejoinFacts& facts) {
  if (facts.interrupted) return {.way = RejoinWay::kDeltaCopy};
  if (facts.system_identifier != facts.primary.system_identifier) {
    return {.way = RejoinWay::kRefuse};
  }
  // Two that were promoted out of each other's sight have counted to the same number.
  if (facts.timeline == facts.primary.timeline) {
    return {.way = facts.primary_serves ? RejoinWay::kDeltaCopy : RejoinWay::kWait};
  }
  const std::optional<postgres::Lsn> fork = facts.primary.ForkOf(facts.timeline);
  // A timeline that the primary was never on: nothing is known to be common.
  if (!fork) return {.way = RejoinWay::kDeltaCopy};
  RejoinPlan plan{.way = facts.has_rewind ? RejoinWay::kRewind : RejoinWay::kDeltaCopy,
                  .fork = *fork,
                  .beyond = postgres::BytesBetween(*fork, facts.wal_end)};
  if (!facts.wal_end.IsNone() && facts.wal_end <= *fork) plan.way = RejoinWay::kAsItWas;
  return plan;
}

std::string_view RejoinWayName(RejoinWay way) {
  switch (way) {
    case RejoinWay::kWait:
      return "waiting";
    case RejoinWay::kRefuse:
      return "refused";
    case RejoinWay::kAsItWas:
      return "as it was";
    case RejoinWay::kRewind:
      return "pg_rewind";
    case RejoinWay::kDeltaCopy:
      return "delta copy";
  }
  return "unknown";
}

}  // namespace howdah::host
