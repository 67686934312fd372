// The control plane's side of the small world: the real decision on what was reported, the record
// by compare-and-swap, and the documents that follow from it.
#include <fmt/format.h>

#include "ha/model_world.h"

namespace howdah::ha::model {

namespace {

constexpr MonotonicTime kNow{Duration(1000s)};

NodeId NameOf(int node) {
  return NodeId(node == 0 ? "a" : "b");
}

std::string ToText(Token token) {
  return token == 0 ? "" : fmt::format("hd_{}_{}", token / 8, token % 8);
}

// "hd_<epoch>_<count>", each one digit.
Token FromText(const std::string& text) {
  return text.empty() ? 0 : static_cast<Token>((text[3] - '0') * 8 + (text[5] - '0'));
}

NodeSight SightOf(const Observed& seen, bool budgets_are_over) {
  NodeSight sight{.epoch = seen.epoch,
                  .seeded = seen.seeded != 0,
                  .up = seen.state == State::kUp,
                  .in_recovery = seen.in_recovery != 0,
                  .down = seen.state == State::kDown,
                  .failed = seen.state == State::kFailed,
                  .stopped = seen.state == State::kStopped,
                  .fenced = seen.state == State::kFenced,
                  .recruited = seen.recruited != 0,
                  .received_lsn = seen.received,
                  .shutdown_lsn = seen.shutdown_lsn,
                  .revive = seen.revive,
                  .checkpoint = seen.checkpoint,
                  .effective_token = ToText(seen.effective),
                  .streaming_token = ToText(seen.streaming),
                  .proven_token = ToText(seen.proven),
                  .unresponsive_since = std::nullopt,
                  .starting_since = std::nullopt,
                  .evidence = ""};
  const MonotonicTime since = budgets_are_over ? kNow - 900s : kNow;
  if (seen.unresponsive != 0) sight.unresponsive_since = since;
  if (seen.state == State::kStarting) sight.starting_since = since;
  return sight;
}

void Mutate(const Rules& rules, const World& world, const Core& before, Core& after) {
  switch (rules.mutant) {
    case Mutant::kDegradeKeepsProtected:
      if (after.phase == Phase::kDegraded && before.protected_ != 0) after.protected_ = 1;
      break;
    case Mutant::kTokenReused:
      if (after.phase == Phase::kCatchup && after.epoch == before.epoch) after.token = before.token;
      break;
    case Mutant::kEpochNotRaised:
      if (after.epoch > before.epoch) after.epoch = before.epoch;
      break;
    case Mutant::kPromotesBeforeFence:
      if (after.phase == Phase::kFailover && world.observed[after.primary].recruited != 0)
        after.phase = Phase::kPromoting;
      break;
    case Mutant::kPromotesBeforeRecruit:
      if (after.phase == Phase::kFailover && before.phase == Phase::kFailover &&
          world.observed[1 - after.primary].state == State::kFenced)
        after.phase = Phase::kPromoting;
      break;
    case Mutant::kFailsOverWhileDegraded:
      if (before.phase == Phase::kDegraded && after == before &&
          world.observed[before.primary].state == State::kDown) {
        after.phase = Phase::kFailover;
        after.primary = 1 - before.primary;
        after.epoch = before.epoch + 1;
        after.token = after.epoch * 8;
        after.cause = Cause::kPrimaryDown;
      }
      break;
    case Mutant::kIgnoresTheEndOfWal:
      if (after.phase == Phase::kFailover) after.shutdown_lsn = 0;
      break;
    case Mutant::kForgetsFailovers:
      after.failovers = 0;
      break;
    default:
      break;
  }
}

bool Commit(World& world, const Core& next) {
  if (next == world.record) return false;
  if (next.cause == Cause::kDataLossAccepted && world.record.epoch != next.epoch)
    world.lost_accepted = 1;
  const bool unasked = next.cause == Cause::kPrimaryDown || next.cause == Cause::kPrimaryFailed ||
                       next.cause == Cause::kPrimaryUnresponsive;
  if (world.record.epoch != next.epoch && unasked) ++world.unasked;
  world.record = next;
  if (world.left.late > 0 || world.late_has != 0) ++world.versions;
  return true;
}

Core Decided(const Rules& rules, const World& world, bool budgets_are_over) {
  Sight sight = SightOf(world, budgets_are_over);
  if (rules.mutant == Mutant::kProvesWithoutProbe)
    sight.primary.proven_token = sight.primary.effective_token;
  if (rules.mutant == Mutant::kBelievesInTheStream) sight.silent_since.reset();
  const Decision decision = Step(rules.policy, ToRecord(world.record), sight);
  Core next = FromRecord(decision.record);
  Mutate(rules, world, world.record, next);
  return next;
}

void EmitLate(const Rules& rules, const World& world, const Emit& emit) {
  if (world.late_has == 0 && world.left.late > 0) {
    for (const bool over : {false, true}) {
      World next = world;
      next.late = Decided(rules, world, over);
      if (next.late == world.record || next.late.epoch > world.left.epochs) continue;
      next.late_has = 1;
      next.late_version = next.versions;
      --next.left.late;
      emit(over ? "late: looks, budgets are over" : "late: looks", next.record.primary, next);
    }
  }
  if (world.late_has == 0) return;
  World next = world;
  next.late_has = 0;
  const bool same = world.late_version == world.versions;
  next.late_version = 0;
  if (same || rules.mutant == Mutant::kCompareIgnored) Commit(next, world.late);
  next.late = Core{};
  emit(same ? "late: commits" : "late: loses the compare", next.record.primary, next);
}

void EmitRequests(const World& world, const Emit& emit) {
  const Record record = ToRecord(world.record);
  const auto request = [&](const char* event, Byte Budget::* kind, const Result<Record>& wanted) {
    if (!wanted || world.left.*kind == 0 || world.left.faults == 0) return;
    if (wanted->epoch > world.left.epochs) return;
    World next = world;
    --(next.left.*kind);
    --next.left.faults;
    Commit(next, FromRecord(*wanted));
    emit(event, next.record.primary, next);
  };
  request("switchover", &Budget::switchover, Switchover(record));
  request("accept data loss", &Budget::accept, AcceptDataLoss(record, "0"));
}

}  // namespace

Record ToRecord(const Core& core) {
  Record record;
  record.phase = core.phase;
  record.epoch = core.epoch;
  record.primary = NameOf(core.primary);
  record.standby = NameOf(1 - core.primary);
  record.token = ToText(core.token);
  record.armed = core.armed != 0;
  record.protected_ = core.protected_ != 0;
  record.cause = core.cause;
  record.revive = core.revive;
  record.checkpoint = core.checkpoint;
  record.shutdown_lsn = core.shutdown_lsn;
  record.failovers.assign(core.failovers, kNow);
  return record;
}

Core FromRecord(const Record& record) {
  return {.phase = record.phase,
          .cause = record.cause,
          .epoch = static_cast<Byte>(record.epoch),
          .primary = static_cast<Byte>(record.primary == NameOf(0) ? 0 : 1),
          .token = FromText(record.token),
          .armed = record.armed,
          .protected_ = record.protected_,
          .revive = static_cast<Byte>(record.revive),
          .checkpoint = static_cast<Byte>(record.checkpoint),
          .shutdown_lsn = static_cast<Byte>(record.shutdown_lsn),
          .failovers = static_cast<Byte>(record.failovers.size()),
          .unused = {}};
}

Sight SightOf(const World& world, bool budgets_are_over) {
  const Observed& primary = world.observed[world.record.primary];
  Sight sight;
  sight.now = kNow;
  sight.primary = SightOf(primary, budgets_are_over);
  sight.standby = SightOf(world.observed[1 - world.record.primary], false);
  const bool serves = primary.state == State::kUp && primary.in_recovery == 0;
  if (serves && primary.streaming != world.record.token)
    sight.silent_since = budgets_are_over ? kNow - 900s : kNow;
  if (world.gateway_reported != 0) sight.route_epoch = world.gateway_reported;
  sight.fresh_nonce = fmt::format("{}", world.record.token % 8 + 1);
  return sight;
}

bool DecideAndCommit(const Rules& rules, World& world, bool budgets_are_over) {
  return Commit(world, Decided(rules, world, budgets_are_over));
}

// As fleet's plan of nodes. The store refuses a document made from a record that has changed.
bool WritePlan(const Rules& rules, World& world, int node) {
  const Core& core = world.record;
  const Wanted wanted = WantedOf(ToRecord(core));
  const bool is_primary = core.primary == node;
  Desired next{.epoch = core.epoch,
               .role = Role::kPrimary,
               .stop = 0,
               .token = core.token,
               .waits_for = 0,
               .revive = 0,
               .checkpoint = 0};
  if (is_primary) {
    if (wanted.primary == Task::kRecruit) next.role = Role::kRecruit;
    next.stop = wanted.primary == Task::kStop;
    next.waits_for = FromText(wanted.primary_waits_for);
    next.revive = core.revive;
    next.checkpoint = core.checkpoint;
  } else {
    next.role = wanted.standby == Task::kFence ? Role::kFenced : Role::kStandby;
  }
  const Observed& primary = world.observed[core.primary];
  if (rules.mutant == Mutant::kWaitsForNobodyFirst && is_primary && primary.streaming != core.token)
    next.waits_for = 0;
  if (next == world.desired[node]) return false;
  world.desired[node] = next;
  return true;
}

bool WriteRoute(World& world) {
  const Core& core = world.record;
  if (world.route_epoch == core.epoch && world.route_primary == core.primary) return false;
  world.route_epoch = core.epoch;
  world.route_primary = core.primary;
  return true;
}

// The gateway takes no older epoch, and one epoch has one primary.
bool TakeRoute(World& world) {
  if (world.gateway_alive == 0 || world.route_epoch <= world.gateway_epoch) return false;
  world.gateway_epoch = world.route_epoch;
  world.gateway_primary = world.route_primary;
  return true;
}

bool ReportRoute(World& world) {
  const Byte now = world.gateway_alive != 0 ? world.gateway_epoch : Byte{0};
  if (world.gateway_reported == now) return false;
  world.gateway_reported = now;
  return true;
}

void EmitControl(const Rules& rules, const World& world, const Emit& emit) {
  World next = world;
  if (DecideAndCommit(rules, next, false) && next.record.epoch <= world.left.epochs)
    emit("control: decides", next.record.primary, next);
  World patient = world;
  if (DecideAndCommit(rules, patient, true) && !(patient.record == next.record) &&
      patient.record.epoch <= world.left.epochs)
    emit("control: decides, budgets are over", patient.record.primary, patient);
  for (int node = 0; node < kNodes; ++node) {
    next = world;
    if (WritePlan(rules, next, node)) emit("control: writes what should be of", node, next);
  }
  next = world;
  if (WriteRoute(next)) emit("control: writes the route to", next.route_primary, next);
  next = world;
  if (TakeRoute(next)) emit("gateway: takes the route to", next.gateway_primary, next);
  next = world;
  if (ReportRoute(next)) emit("gateway: is reported", next.gateway_primary, next);
  EmitLate(rules, world, emit);
  EmitRequests(world, emit);
}

}  // namespace howdah::ha::model
