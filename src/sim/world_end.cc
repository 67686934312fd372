// How a simulated world is healed, what it must come to, and what is asked of it when it is well.
#include <fmt/format.h>

#include "fleet/event.h"
#include "fleet/journal.h"
#include "sim/world_inside.h"

namespace howdah::sim {

namespace {

constexpr Duration kHealWithin = 60s;
constexpr Duration kGoesOnWithin = 8s;

}  // namespace

void World::Heal() {
  Trace("all faults end");
  healing_ = true;
  for (auto& [time, what] : later_) time = Now();
  for (auto& [node, machine] : postgres_.machines) {
    machine.frozen = machine.deaf = machine.orphans = machine.disk_full = machine.broken = false;
  }
  postgres_.partitioned = false;
  postgres_.pace = Pace{};
  store_.watch_delay = Duration(0);
  gateway_.set_lateness(Duration(0));
  control_->lost_compares = control_->late_commits = 0;
  control_->Disarm();
  control_->HurryLate();
}

// An instance that was stopped or made single is asked to be what it was.
void World::AskForWhatIsMissing() {
  const auto instance = fleet::FindInstance(store_, fleet::kTestName);
  if (!instance || !control_->alive()) return;
  const auto active = fleet::ActiveRun(store_, instance->value);
  if (!active || *active) return;
  if (instance->value.power == nodes::Power::kStopped)
    StrikeByRequest(Fault::kStartInstance);
  else if (!instance->value.settings.multi_az)
    StrikeByRequest(Fault::kToggleMultiAz);
}

// Everything is as it should be, and every client gets on.
bool World::IsWell() {
  const ha::Record& record = judge_.record();
  if (record.phase != ha::Phase::kProtected) return false;
  for (const NodeId& node : {record.primary, record.standby}) {
    if (!postgres_.Answers(postgres_.machines[node])) return false;
  }
  if (postgres_.machines[record.primary].wal != postgres_.machines[record.standby].wal)
    return false;
  return gateway_.Leads() == record.primary && !HasRun();
}

bool World::HasRun() {
  const auto instance = fleet::FindInstance(store_, fleet::kTestName);
  const auto active = instance ? fleet::ActiveRun(store_, instance->value)
                               : Result<std::optional<workflow::Run>>(Fail(instance.error()));
  return !active || *active;
}

std::string World::Describe() {
  const ha::Record& record = judge_.record();
  std::string text = fmt::format("phase {} epoch {} primary {}", PhaseName(record.phase),
                                 record.epoch, record.primary.str());
  if (store_.lost) return text + "; the store is lost";
  for (const store::Document& document : Must(store_.List(nodes::kNodesPrefix)).documents) {
    if (document.key.ends_with("/observed")) {
      const nodes::Observed seen = Must(nodes::ParseObserved(document.value));
      text += fmt::format("; {}: {} ({})", document.key, StateName(seen.state), seen.detail);
    }
  }
  const auto instance = fleet::FindInstance(store_, fleet::kTestName);
  if (instance) {
    const auto active = fleet::ActiveRun(store_, instance->value);
    if (active && *active)
      text += fmt::format("; run {} at {}", (*active)->workflow, (*active)->step);
  }
  return text;
}

// Returns how long it took.
Duration World::AwaitWell() {
  const MonotonicTime healed = Now();
  MonotonicTime ask{};
  std::optional<MonotonicTime> well_since;
  // Well, and still well a moment later.
  while (judge_.violation().empty() && (!well_since || Now() - *well_since < 500ms)) {
    if (Now() - healed > kHealWithin) {
      judge_.Violated("I16", "not protected within a minute: " + Describe());
      break;
    }
    if (Now() >= ask) {
      AskForWhatIsMissing();
      ask = Now() + 500ms;
    }
    Tick();
    const bool well =
        IsWell() || (well_since && judge_.record().phase == ha::Phase::kProtected && !HasRun());
    if (!well) well_since.reset();
    if (well && !well_since) well_since = Now();
  }
  return Now() - healed;
}

// Nothing else is wrong: how commits go on in that time. `pause`: how long they may not.
void World::RequireCommits(const std::string& invariant, Duration time, Duration pause) {
  MonotonicTime last = Now();
  std::size_t before = judge_.acknowledged();
  const MonotonicTime end = Now() + time;
  while (Now() < end && judge_.violation().empty()) {
    Tick();
    if (judge_.acknowledged() > before) {
      before = judge_.acknowledged();
      last = Now();
    }
    if (Now() - last > pause)
      judge_.Violated(invariant, "nobody is answered for too long: " + Describe());
  }
}

// I14: commits wait for a lost standby no longer than the budget, and what it takes to notice.
void World::LoseTheStandby() {
  const NodeId standby = judge_.record().standby;
  Trace(fmt::format("{} is lost for good", standby.str()));
  postgres_.machines[standby].broken = true;
  postgres_.End(standby);
  RequireCommits("I14", kGoesOnWithin, kGoesOnWithin - 1s);
  postgres_.machines[standby].broken = false;
}

// I21: a server that meets the end of its disk panics; a standby's WAL receiver gives up.
void World::FillADisk(bool of_primary) {
  const NodeId node = of_primary ? judge_.record().primary : judge_.record().standby;
  if (of_primary && !judge_.MayFailOver(Now())) return;  // it would be waited for (I19)
  Trace(fmt::format("the disk of {} is full", node.str()));
  postgres_.machines[node].disk_full = true;
  if (of_primary) postgres_.End(node);
  RequireCommits("I21", kGoesOnWithin, kGoesOnWithin - 1s);
  postgres_.machines[node].disk_full = false;
}

// I13: a healthy pair knows nothing of it.
void World::LoseTheStore() {
  Trace("the store is lost");
  const ha::Record record = judge_.record();
  const auto servers = [&] {
    return std::pair(postgres_.machines[record.primary].incarnation,
                     postgres_.machines[record.standby].incarnation);
  };
  const auto before = servers();
  store_.lost = true;
  if (random_.Chance(0.5)) control_->Kill();
  RequireCommits("I13", random_.Between(1s, 8s), 1s);
  if (judge_.record() != record || servers() != before)
    judge_.Violated("I13", "something changed while the store was lost");
  store_.lost = false;
  if (!control_->alive()) control_->Start();
}

// One thing more goes wrong, when all is well again.
void World::TryOneThing() {
  if (!judge_.violation().empty()) return;
  const std::uint64_t which = random_.Below(10);
  if (which == 0) LoseTheStandby();
  if (which == 1) FillADisk(false);
  if (which == 2) FillADisk(true);
  if (which == 3) LoseTheStore();
  if (which <= 3) AwaitWell();
}

std::vector<std::string> World::Messages() {
  std::vector<std::string> messages;
  for (const fleet::Event& event : Must(fleet::ListEvents(store_)))
    messages.push_back(event.message);
  return messages;
}

void World::JudgeTheEnd() {
  if (!judge_.violation().empty()) return;
  judge_.OnEnd();
  std::vector<std::string> events = Messages();
  events.erase(events.begin(), events.begin() + static_cast<std::ptrdiff_t>(events_before_));
  judge_.OnTold(events, Must(fleet::ListRoleChanges(store_, instance_)));
}

}  // namespace howdah::sim
