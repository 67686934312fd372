#include "ha/step.h"

#include <fmt/format.h>

#include <algorithm>

namespace howdah::ha {

namespace {

std::string Token(Epoch epoch, const std::string& nonce) {
  return fmt::format("hd_{}_{}", epoch, nonce);
}

Decision Stay(const Record& record) {
  return {record, ""};
}

bool IsUpAsPrimary(const Sight& sight) {
  return sight.primary.up && !sight.primary.in_recovery;
}

bool IsUpAsStandby(const Sight& sight) {
  return sight.standby.up && sight.standby.in_recovery;
}

bool Streaming(const Record& record, const Sight& sight) {
  return IsUpAsStandby(sight) && !record.token.empty() &&
         sight.primary.streaming_token == record.token;
}

bool SilentTooLong(const Policy& policy, const Sight& sight) {
  return sight.silent_since && sight.now - *sight.silent_since >= policy.degrade_budget;
}

// H5: the permission goes first. `primary_waits_for` follows from the phase, so the primary is told
// to stop waiting only by the record that already forbids promotion.
Decision Degrade(Record record, std::string reason) {
  record.phase = Phase::kDegraded;
  record.armed = false;
  record.protected_ = false;
  return {std::move(record), std::move(reason)};
}

// A standby that comes back gets a new identity: what streamed under the old one can never again
// count as a confirmation (H8).
Decision Reattach(Record record, const Sight& sight) {
  record.phase = Phase::kCatchup;
  record.armed = false;
  record.token = Token(record.epoch, sight.fresh_nonce);
  record.protected_ = false;
  return {std::move(record), "the standby streams again"};
}

// A new epoch with the roles exchanged. The identity of the old epoch is dead with it: the former
// primary waits for a name that nobody has, so it can acknowledge nothing more (L9, I9).
Record Exchange(Record record, const std::string& nonce) {
  ++record.epoch;
  std::swap(record.primary, record.standby);
  record.token = Token(record.epoch, nonce);
  record.armed = false;
  record.protected_ = false;
  return record;
}

Decision Failover(const Record& record, const Sight& sight, Cause cause, std::string reason) {
  Record next = Exchange(record, sight.fresh_nonce);
  next.phase = Phase::kFailover;
  next.cause = cause;
  next.shutdown_lsn = sight.primary.stopped ? sight.primary.shutdown_lsn : 0;
  if (cause != Cause::kSwitchover) next.failovers.push_back(sight.now);
  return {std::move(next), std::move(reason)};
}

std::size_t FailoversWithin(const Record& record, MonotonicTime now, Duration window) {
  return static_cast<std::size_t>(std::ranges::count_if(
      record.failovers,
      [&](const MonotonicTime& time) { return time <= now && now - time < window; }));
}

bool HasFailedOverOften(const Policy& policy, const Record& record, const Sight& sight) {
  return FailoversWithin(record, sight.now, policy.window) >= policy.failovers_in_window;
}

bool IsHeldDown(const Policy& policy, const Record& record, const Sight& sight) {
  return HasFailedOverOften(policy, record, sight) ||
         FailoversWithin(record, sight.now, policy.hold_down) > 0;
}

bool LastedFor(const std::optional<MonotonicTime>& since, MonotonicTime now, Duration limit) {
  return since && now - *since >= limit;
}

// The primary's server has ended. The standby takes over, if there is one that answers; else the
// primary starts again where it is: it has everything, and nobody else may be promoted before this
// record says so.
Decision OnPrimaryDown(const Policy& policy, const Record& record, const Sight& sight) {
  const bool often = HasFailedOverOften(policy, record, sight);
  if (IsUpAsStandby(sight) && !often) {
    return Failover(record, sight, Cause::kPrimaryDown, sight.primary.evidence);
  }
  if (record.revive > sight.primary.revive) return Stay(record);  // asked for already
  Record next = record;
  ++next.revive;
  return {std::move(next), often
                               ? "too many failovers within a short time: the primary starts again"
                               : "the standby does not answer: the primary starts again"};
}

// What ends the primary's time in any phase in which its standby may be promoted.
std::optional<Decision> IfPrimaryIsLost(const Policy& policy, const Record& record,
                                        const Sight& sight) {
  const NodeSight& primary = sight.primary;
  if (primary.down) return OnPrimaryDown(policy, record, sight);
  if (!IsUpAsStandby(sight)) return std::nullopt;
  if (primary.failed) {
    return Failover(record, sight, Cause::kPrimaryFailed, primary.evidence);
  }
  if (IsHeldDown(policy, record, sight)) return std::nullopt;
  if (LastedFor(primary.unresponsive_since, sight.now, policy.detect)) {
    return Failover(record, sight, Cause::kPrimaryUnresponsive, primary.evidence);
  }
  if (LastedFor(primary.starting_since, sight.now, policy.start_limit)) {
    return Failover(record, sight, Cause::kPrimaryUnresponsive, "its server does not come up");
  }
  return std::nullopt;
}

// The standby is lost, and the primary is there to go on alone. A primary that is not there is no
// reason to degrade: the standby may be the only whole copy (I5, I20).
bool IsStandbyLost(const Policy& policy, const Sight& sight) {
  return IsUpAsPrimary(sight) && !sight.primary.unresponsive_since && SilentTooLong(policy, sight);
}

constexpr std::string_view kStandbyLost = "the standby has been silent for too long";

Decision WhileSeeding(const Record& record, const Sight& sight) {
  if (!sight.standby.seeded || !sight.standby.up) return Stay(record);
  Record next = record;
  next.phase = Phase::kCatchup;
  return {std::move(next), "the standby has its copy"};
}

// The primary is told to wait only for a standby that streams already under its new name.
Decision Arm(const Record& record, const Sight& sight) {
  if (!IsUpAsPrimary(sight) || !Streaming(record, sight)) return Stay(record);
  Record next = record;
  next.armed = true;
  return {std::move(next), "the standby streams"};
}

Decision Prove(const Policy& policy, const Record& record, const Sight& sight) {
  // The primary waits already: if the standby goes silent now, commits must not wait for ever; and
  // a primary that ended meanwhile must be free to start alone.
  if (sight.primary.down || sight.primary.failed) return Degrade(record, sight.primary.evidence);
  if (IsStandbyLost(policy, sight)) return Degrade(record, std::string(kStandbyLost));
  const bool proved = IsUpAsPrimary(sight) && Streaming(record, sight) &&
                      sight.primary.effective_token == record.token &&
                      sight.primary.proven_token == record.token;
  if (!proved) return Stay(record);
  Record next = record;
  next.phase = Phase::kProtected;
  next.protected_ = true;
  return {std::move(next), "a commit was confirmed by the standby"};
}

Decision WhileProtected(const Policy& policy, const Record& record, const Sight& sight) {
  if (std::optional<Decision> lost = IfPrimaryIsLost(policy, record, sight)) return *lost;
  if (IsStandbyLost(policy, sight)) return Degrade(record, std::string(kStandbyLost));
  return Stay(record);
}

Decision Halt(Record record, const Sight& sight) {
  record.phase = Phase::kHalted;
  record.armed = false;
  return {std::move(record), sight.primary.evidence};
}

Decision WhileDegraded(const Record& record, const Sight& sight) {
  if (sight.primary.failed && sight.standby.seeded) return Halt(record, sight);
  // The primary must have let go before the standby is taken back, so that the two meet under the
  // new identity only.
  const bool meets = IsUpAsPrimary(sight) && IsUpAsStandby(sight) &&
                     sight.primary.effective_token.empty() &&
                     sight.primary.streaming_token == record.token;
  return meets ? Reattach(record, sight) : Stay(record);
}

Decision WhilePreparing(const Policy& policy, const Record& record, const Sight& sight) {
  if (std::optional<Decision> lost = IfPrimaryIsLost(policy, record, sight)) return *lost;
  if (IsStandbyLost(policy, sight)) {
    return Degrade(record, fmt::format("{}; the switchover is given up", kStandbyLost));
  }
  if (sight.primary.checkpoint < record.checkpoint || !Streaming(record, sight)) {
    return Stay(record);
  }
  Record next = record;
  next.phase = Phase::kSwitch;
  return {std::move(next), "the primary has made its checkpoint"};
}

Decision WhileSwitching(const Policy& policy, const Record& record, const Sight& sight) {
  if (std::optional<Decision> lost = IfPrimaryIsLost(policy, record, sight)) return *lost;
  if (!sight.primary.stopped) return Stay(record);
  if (IsUpAsStandby(sight)) {
    return Failover(record, sight, Cause::kSwitchover, "the primary has stopped");
  }
  Record next = record;
  next.phase = Phase::kProtected;
  return {std::move(next), "the standby does not answer; the switchover is given up"};
}

bool IsFenced(const Record& record, const NodeSight& node) {
  return node.fenced && node.epoch >= record.epoch;
}

bool IsRecruited(const Record& record, const NodeSight& node) {
  return node.recruited && node.epoch >= record.epoch;
}

// The recruit cannot take over, and nothing was promoted: the former primary has everything that
// was ever acknowledged, and goes on under one epoch more.
Decision TurnBack(const Record& record, const Sight& sight, std::string reason) {
  Record next = Exchange(record, sight.fresh_nonce);
  next.phase = Phase::kDegraded;
  next.cause = Cause::kTurnedBack;
  return {std::move(next), std::move(reason)};
}

Decision WhileFailingOver(const Policy& policy, const Record& record, const Sight& sight) {
  const NodeSight& recruit = sight.primary;
  const NodeSight& former = sight.standby;
  if (!IsFenced(record, former)) return Stay(record);
  if (recruit.failed) return TurnBack(record, sight, recruit.evidence);
  if (!IsRecruited(record, recruit)) {
    // It may be frozen, and have been so before anybody noticed.
    if (!LastedFor(sight.phase_since, sight.now, policy.recruit_limit)) return Stay(record);
    return TurnBack(record, sight, "the standby does not let itself be recruited");
  }
  if (recruit.received_lsn < record.shutdown_lsn) {
    return TurnBack(record, sight, "the standby lacks the end of the primary's WAL");
  }
  // The gateway leads nobody to the former primary any more, whatever runs there later (I12).
  if (sight.route_epoch && *sight.route_epoch < record.epoch) return Stay(record);
  Record next = record;
  next.phase = Phase::kPromoting;
  return {std::move(next), "the former primary is fenced, the standby is recruited"};
}

Decision WhilePromoting(const Record& record, const Sight& sight) {
  if (!IsUpAsPrimary(sight) || sight.primary.epoch < record.epoch) return Stay(record);
  Record next = record;
  next.phase = Phase::kRejoin;
  return {std::move(next), "the new primary serves"};
}

Decision WhileRejoining(const Record& record, const Sight& sight) {
  if (sight.primary.failed && sight.standby.seeded) return Halt(record, sight);
  if (!IsUpAsPrimary(sight) || !Streaming(record, sight)) return Stay(record);
  Record next = record;
  next.phase = Phase::kCatchup;
  return {std::move(next), "the former primary streams as standby"};
}

Decision WhileHalted(const Record& record, const Sight& sight) {
  if (!IsUpAsPrimary(sight)) return Stay(record);
  return Degrade(record, "the primary answers again");
}

Decision Decide(const Policy& policy, const Record& record, const Sight& sight) {
  switch (record.phase) {
    case Phase::kSingle:
      return Stay(record);
    case Phase::kSeeding:
      return WhileSeeding(record, sight);
    case Phase::kCatchup:
      return record.armed ? Prove(policy, record, sight) : Arm(record, sight);
    case Phase::kProtected:
      return WhileProtected(policy, record, sight);
    case Phase::kDegraded:
      return WhileDegraded(record, sight);
    case Phase::kPrepare:
      return WhilePreparing(policy, record, sight);
    case Phase::kSwitch:
      return WhileSwitching(policy, record, sight);
    case Phase::kFailover:
      return WhileFailingOver(policy, record, sight);
    case Phase::kPromoting:
      return WhilePromoting(record, sight);
    case Phase::kRejoin:
      return WhileRejoining(record, sight);
    case Phase::kHalted:
      return WhileHalted(record, sight);
  }
  return Stay(record);
}

// What no rule asks about any more.
void ForgetOldFailovers(const Policy& policy, Record& record, MonotonicTime now) {
  std::erase_if(record.failovers, [&](const MonotonicTime& time) {
    return time > now || now - time >= std::max(policy.window, policy.hold_down);
  });
}

}  // namespace

Wanted WantedOf(const Record& record) {
  Wanted wanted;
  wanted.standby_exists = !record.standby.empty();
  wanted.standby_token = record.token;
  const bool waits = record.protected_ || (record.phase == Phase::kCatchup && record.armed);
  wanted.primary_waits_for = waits ? record.token : "";
  if (record.phase == Phase::kSwitch) wanted.primary = Task::kStop;
  if (record.phase == Phase::kFailover) wanted.primary = Task::kRecruit;
  if (record.phase == Phase::kFailover || record.phase == Phase::kPromoting) {
    wanted.standby = Task::kFence;
  }
  return wanted;
}

Decision Step(const Policy& policy, const Record& record, const Sight& sight) {
  Decision decision = Decide(policy, record, sight);
  if (decision.record == record) return decision;
  ForgetOldFailovers(policy, decision.record, sight.now);
  ++decision.record.seq;
  return decision;
}

Record AddStandby(const Record& record, const NodeId& standby, const std::string& nonce) {
  Record next = record;
  next.phase = Phase::kSeeding;
  next.standby = standby;
  next.token = Token(record.epoch, nonce);
  next.armed = false;
  next.protected_ = false;
  ++next.seq;
  return next;
}

Result<Record> RemoveStandby(const Record& record) {
  if (IsChangingRoles(record)) {
    return Fail(Code::kFailedState, "a failover is under way");
  }
  Record next = record;
  next.phase = Phase::kSingle;
  next.standby = NodeId();
  next.token.clear();
  next.armed = false;
  next.protected_ = false;
  ++next.seq;
  return next;
}

Result<Record> Switchover(const Record& record) {
  if (record.phase != Phase::kProtected) {
    return Fail(Code::kFailedState,
                fmt::format("the standby cannot be promoted now: the phase is {}, not {}",
                            PhaseName(record.phase), PhaseName(Phase::kProtected)));
  }
  Record next = record;
  next.phase = Phase::kPrepare;
  next.cause = Cause::kSwitchover;
  ++next.checkpoint;
  ++next.seq;
  return next;
}

Result<Record> AcceptDataLoss(const Record& record, const std::string& nonce) {
  const bool alone = record.phase == Phase::kDegraded || record.phase == Phase::kHalted ||
                     record.phase == Phase::kRejoin || record.phase == Phase::kCatchup;
  if (!alone) {
    return Fail(Code::kFailedState, fmt::format("there is nothing to accept: the phase is {}",
                                                PhaseName(record.phase)));
  }
  Record next = Exchange(record, nonce);
  next.phase = Phase::kFailover;
  next.cause = Cause::kDataLossAccepted;
  next.shutdown_lsn = 0;
  ++next.seq;
  return next;
}

}  // namespace howdah::ha
