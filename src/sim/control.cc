#include "sim/control.h"

#include "fleet/keys.h"
#include "fleet/records.h"
#include "vpc/region.h"

namespace howdah::sim {

namespace {

constexpr int kMostSteps = 200;

bool IsObserved(const std::string& key) {
  return key.starts_with(nodes::kNodesPrefix) && key.ends_with("/observed");
}

bool IsDesired(const std::string& key) {
  return key.starts_with(nodes::kNodesPrefix) && key.ends_with("/desired");
}

std::string NodeIn(const std::string& key) {
  const std::string rest = key.substr(nodes::kNodesPrefix.size());
  return rest.substr(0, rest.find('/'));
}

}  // namespace

Control::Control(const ControlNeeds& needs)
    : needs_(needs), entropy_(needs.random.Next()), face_(needs.store), faulty_(face_, plan_) {
  face_.on_commit = [this](store::Transaction& transaction) { return Meddle(transaction); };
  if (needs.mutant != Mutant::kNone) {
    face_.on_read = [this](const std::string& key, std::string value) {
      return Lie(key, std::move(value));
    };
  }
  Start();
}

void Control::Start() {
  context_ = std::make_unique<fleet::Context>(
      fleet::Context{.store = faulty_,
                     .clock = needs_.clock,
                     .entropy = entropy_,
                     .vpc = {faulty_, entropy_, region_, driver_},
                     .account = "000000000000",
                     .region = "us-west-2",
                     .seal = [](std::string_view plain, std::string_view) -> Result<std::string> {
                       return "sealed:" + std::string(plain);
                     },
                     .engines = [] { return Result<std::vector<postgres::Engine>>(); },
                     .can_listen = [](network::Ipv4, std::int64_t) { return true; },
                     .log = needs_.log});
  engine_ = std::make_unique<workflow::Engine>(workflow::Engine::Options{.workers = 1}, faulty_,
                                               needs_.clock, needs_.log);
  fleet::RegisterAll(*engine_, *context_);
}

void Control::Kill() {
  plan_.Disarm();
  engine_.reset();
  context_.reset();
}

void Control::Pass() {
  if (!engine_) return;
  try {
    for (int i = 0; i < kMostSteps && engine_->StepOnce(); ++i) {
    }
  } catch (const store::SimulatedCrash&) {
    Kill();
  }
}

void Control::HurryLate() {
  for (auto& [time, transaction] : late_) time = needs_.clock.Monotonic();
}

void Control::CarryOutLate() {
  std::vector<store::Transaction> due;
  std::erase_if(late_, [&](const auto& late) {
    if (late.first > needs_.clock.Monotonic()) return false;
    due.push_back(late.second);
    return true;
  });
  for (const store::Transaction& transaction : due) {
    // Whoever wrote it was told of an error already.
    [[maybe_unused]] const auto committed = needs_.store.Commit(transaction);
  }
}

void Control::ArmCrash(std::int64_t within) {
  const auto call =
      1 + static_cast<std::int64_t>(needs_.random.Below(static_cast<std::uint64_t>(within)));
  plan_.ArmCrash(call, needs_.random.Chance(0.5) ? store::FaultPlan::When::kBefore
                                                 : store::FaultPlan::When::kAfter);
}

void Control::ArmFailure(std::int64_t within, Code code) {
  const auto call =
      1 + static_cast<std::int64_t>(needs_.random.Below(static_cast<std::uint64_t>(within)));
  plan_.Arm(
      call,
      needs_.random.Chance(0.5) ? store::FaultPlan::When::kBefore : store::FaultPlan::When::kAfter,
      [code]() -> std::optional<Error> { return Error(code, "the store failed"); });
}

bool Control::IsChangingRoles() {
  const Result<store::Listing> stored = needs_.store.List(fleet::kHaPrefix);
  return stored && !stored->documents.empty() &&
         ha::IsChangingRoles(*ha::ParseRecord(stored->documents.front().value));
}

// The mutants that make the control plane blind.
std::string Control::Lie(const std::string& key, std::string value) {
  const Mutant mutant = needs_.mutant;
  if (key.starts_with(nodes::kRoutesObservedPrefix) && mutant == Mutant::kIgnoresTheGateway) {
    nodes::RouteObserved seen = *nodes::ParseRouteObserved(value);
    seen.epoch = 1000;
    return nodes::Format(seen);
  }
  if (const auto meddled = meddled_.find(key);
      meddled != meddled_.end() && meddled->second.second == value)
    return meddled->second.first;
  if (!IsObserved(key)) return value;
  const NodeId node(NodeIn(key));
  const Result<store::Document> stored = needs_.store.Get(nodes::DesiredKey(node));
  if (!stored) return value;
  const nodes::Desired want = *nodes::ParseDesired(stored->value);
  nodes::Observed seen = *nodes::ParseObserved(value);
  switch (mutant) {
    case Mutant::kProvesWithoutProbe:
      seen.proven_token = seen.effective_token;
      break;
    case Mutant::kPromotesBeforeFence:
      if (want.role != nodes::Role::kFenced) return value;
      seen.state = nodes::State::kFenced;
      seen.epoch = want.epoch;
      break;
    case Mutant::kPromotesBeforeRecruit:
      if (want.role != nodes::Role::kRecruit) return value;
      seen.recruited = true;
      seen.epoch = want.epoch;
      break;
    case Mutant::kIgnoresTheEndOfWal:
      seen.shutdown_lsn = 0;
      break;
    case Mutant::kStopsTheStandbyFirst:
      if (want.power != nodes::Power::kStopped || want.role != nodes::Role::kPrimary) return value;
      if (IsChangingRoles()) return value;
      seen.state = nodes::State::kStopped;
      break;
    case Mutant::kBelievesInTheStream:
      if (!want.waits_for.empty()) seen.streaming_token = want.waits_for;
      break;
    default:
      return value;
  }
  return nodes::Format(seen);
}

void Control::MeddleWithRecord(std::string& text) {
  ha::Record next = *ha::ParseRecord(text);
  const Result<store::Listing> stored = needs_.store.List(fleet::kHaPrefix);
  if (!stored || stored->documents.empty()) return;
  const ha::Record before = *ha::ParseRecord(stored->documents.front().value);
  const auto exchange = [&](ha::Phase phase) {
    next = before;
    next.phase = phase;
    next.epoch = before.epoch + 1;
    std::swap(next.primary, next.standby);
    next.token = "hd_" + std::to_string(next.epoch) + "_x" + std::to_string(before.seq);
    next.armed = next.protected_ = false;
    next.seq = before.seq + 1;
  };
  switch (needs_.mutant) {
    case Mutant::kDegradeKeepsProtected:
      if (next.phase == ha::Phase::kDegraded) next.protected_ = before.protected_;
      break;
    case Mutant::kTokenReused:
      if (before.phase == ha::Phase::kDegraded && next.phase == ha::Phase::kCatchup)
        next.token = before.token;
      break;
    case Mutant::kTokenKeptInFailover:
      if (next.epoch != before.epoch) next.token = before.token;
      break;
    case Mutant::kEpochNotRaised:
      next.epoch = before.epoch;
      break;
    case Mutant::kFailsOverWhileDegraded:
      // In the place of degrading: it is taken for a failover.
      if (before.phase == ha::Phase::kProtected && next.phase == ha::Phase::kDegraded) break;
      if (before.phase == ha::Phase::kDegraded && next.phase == ha::Phase::kCatchup)
        exchange(ha::Phase::kFailover);
      break;
    case Mutant::kForgetsFailovers:
      next.failovers.clear();
      break;
    case Mutant::kTurnsBackAfterPromotion:
      if (before.phase == ha::Phase::kPromoting && next.phase == ha::Phase::kRejoin)
        exchange(ha::Phase::kDegraded);
      break;
    default:
      return;
  }
  text = ha::FormatRecord(next);
}

void Control::MeddleWithDesired(const std::string& key, std::string& text) {
  nodes::Desired want = *nodes::ParseDesired(text);
  switch (needs_.mutant) {
    case Mutant::kLetsGoFirst: {
      const auto seen = needs_.store.Get(nodes::ObservedKey(NodeId(NodeIn(key))));
      if (want.waits_for.empty() || !seen) return;
      if (!nodes::ParseObserved(seen->value)->streaming_token.empty()) return;
      want.waits_for.clear();
      break;
    }
    case Mutant::kFencesNobody:
      if (want.role == nodes::Role::kFenced) want.role = nodes::Role::kStandby;
      break;
    case Mutant::kRevivesTheFormerPrimary:
      if (want.role != nodes::Role::kFenced) return;
      want.role = nodes::Role::kPrimary;
      ++want.revive;
      break;
    default:
      return;
  }
  text = nodes::Format(want);
}

std::optional<Error> Control::Meddle(store::Transaction& transaction) {
  if (lost_compares > 0 && !transaction.compares.empty() && needs_.random.Chance(lost_compares))
    return Error(Code::kConflict, "somebody else was first");
  for (store::Put& put : transaction.puts) {
    if (needs_.mutant == Mutant::kNone) break;
    if (put.key.starts_with(fleet::kHaPrefix)) MeddleWithRecord(put.value);
    if (!IsDesired(put.key)) continue;
    const std::string wanted = put.value;
    MeddleWithDesired(put.key, put.value);
    meddled_[put.key] = {wanted, put.value};
  }
  if (needs_.mutant == Mutant::kTellsNobody) {
    std::erase_if(transaction.puts, [](const store::Put& put) {
      return put.key.starts_with(fleet::kEventsPrefix) &&
             put.value.find("failover completed") != std::string::npos;
    });
  }
  if (late_commits > 0 && needs_.random.Chance(late_commits)) {
    late_.emplace_back(needs_.clock.Monotonic() + needs_.random.Between(5ms, 3s), transaction);
    return Error(Code::kUnavailable, "nobody knows what became of it");
  }
  return std::nullopt;
}

}  // namespace howdah::sim
