#include "sim/world.h"

#include <fmt/format.h>

#include "fleet/keys.h"
#include "sim/world_inside.h"

namespace howdah::sim {

namespace {

constexpr Duration kTick = 5ms;
constexpr int kClients = 3;

InstanceId OnlyInstance(const fleet::Snapshot& from) {
  for (const store::Put& put : from.documents) {
    if (put.key.starts_with(fleet::kInstancesPrefix))
      return InstanceId(put.key.substr(fleet::kInstancesPrefix.size()));
  }
  throw std::runtime_error("simulation: the snapshot holds no instance");
}

}  // namespace

World::World(const fleet::Snapshot& from, const Options& options)
    : options_(options),
      random_(options.seed),
      store_(clock_),
      postgres_(random_),
      instance_(OnlyInstance(from)),
      gateway_(store_, instance_, options.mutant),
      judge_(postgres_, gateway_),
      agent_needs_{
          .postgres = postgres_,
          .store = store_,
          .random = random_,
          .mutant = options.mutant,
          .set_fit = [this](const NodeId& node,
                            bool fit) { return gateway_.SetFit(node, fit, Now()); },
          .violated = [this](const std::string& invariant,
                             const std::string& what) { judge_.Violated(invariant, what); },
          .trace = [this](const std::string& what) { Trace(what); },
          .before_overwriting =
              [this](const NodeId& node, const std::string& how) {
                judge_.BeforeOverwriting(node, how);
              }},
      client_needs_{
          .postgres = postgres_, .gateway = gateway_, .judge = judge_, .random = random_} {
  clock_.Advance(from.age);
  Wire();
  Must(store_.Commit({.compares = {}, .puts = from.documents, .deletes = {}}));
  MakeMachines();
  for (int i = 0; i < kClients; ++i) clients_.emplace_back(i, client_needs_);
  Log log;
  if (options.trace) {
    log = Log([this](LogLevel, std::string_view line) { Trace("control: " + std::string(line)); });
  }
  control_.emplace(ControlNeeds{
      .store = store_, .clock = clock_, .random = random_, .mutant = options.mutant, .log = log});
  store_.ignores_compare = [this](const std::string& key) {
    return options_.mutant == Mutant::kCompareIgnored && key.starts_with(fleet::kHaPrefix);
  };
  const bool none = options.mutant == Mutant::kNoCommitGuard;
  postgres_.guard = {.ends_the_session = !none,
                     .waits_on = !none && options.mutant != Mutant::kGuardShowsTheRow,
                     .raises = options.mutant != Mutant::kSessionsOptOut};
  events_before_ = Messages().size();
}

void World::Wire() {
  store_.on_change = [this](const store::Change& change, const std::string& before) {
    OnChange(change, before);
  };
  WirePostgres();
}

void World::WirePostgres() {
  postgres_.on_ack = [this](const NodeId& node, const Waiter& waiter, const NodeId& by) {
    judge_.OnAcknowledged(node, waiter, by);
    if (waiter.client >= 0)
      clients_[static_cast<std::size_t>(waiter.client)].OnAnswer(node, waiter, true);
  };
  postgres_.on_lost = [this](const NodeId& node, const Waiter& waiter) {
    if (waiter.client >= 0)
      clients_[static_cast<std::size_t>(waiter.client)].OnAnswer(node, waiter, false);
  };
  postgres_.on_promoted = [this](const NodeId& node) {
    Trace(fmt::format("{} is promoted", node.str()));
    judge_.OnPromotion(node);
  };
  postgres_.on_start = [this](const NodeId& node) { judge_.OnStart(node); };
  postgres_.on_let_go = [this](const NodeId& node) { judge_.OnLetGo(node); };
  postgres_.on_primary_up = [this](const NodeId& node) {
    Trace(fmt::format("{} serves as primary", node.str()));
  };
}

void World::OnChange(const store::Change& change, const std::string& before) {
  control_next_ = std::min(control_next_, Now() + random_.Between(0ms, 5ms));
  if (change.key.starts_with(nodes::kRoutesPrefix)) gateway_.Wake(Now());
  if (change.key.starts_with(nodes::kNodesPrefix) && change.key.ends_with("/desired")) {
    list_agents_ = MonotonicTime{};
    for (auto& [id, agent] : agents_) {
      if (change.key.find(id.str()) != std::string::npos) agent.Wake(Now());
    }
    KeepOldMail(change, before);
  }
  if (change.key != fleet::HaKey(instance_)) return;
  if (!change.value) return judge_.OnRecordGone();
  const ha::Record was = before.empty() ? ha::Record() : Must(ha::ParseRecord(before));
  const ha::Record is = Must(ha::ParseRecord(*change.value));
  Trace(fmt::format("record: {} -> {}, epoch {}, primary {}, token {}, protected {}",
                    PhaseName(was.phase), PhaseName(is.phase), is.epoch, is.primary.str(), is.token,
                    is.protected_));
  judge_.OnRecord(was, is, Now());
}

// The last document of an epoch that is over may be delivered late.
void World::KeepOldMail(const store::Change& change, const std::string& before) {
  if (before.empty() || !change.value) return;
  nodes::Desired was = Must(nodes::ParseDesired(before));
  if (was.epoch < Must(nodes::ParseDesired(*change.value)).epoch)
    old_mail_[was.id] = std::move(was);
}

void World::MakeMachines() {
  const ha::Record& record = judge_.record();
  for (const NodeId& node : {record.primary, record.standby}) {
    Machine& machine = postgres_.machines[node];
    const auto seen = Must(nodes::ParseObserved(Must(store_.Get(nodes::ObservedKey(node))).value));
    machine.initialized = true;
    machine.promised = machine.epoch_of_reign = record.epoch;
    machine.incarnation = seen.pid;
    const bool primary = node == record.primary;
    machine.proc = primary ? Proc::kReadWrite : Proc::kRecovery;
    machine.standby_signal = machine.was_in_recovery = !primary;
    if (primary) {
      machine.sync_name = machine.sync_in_force = record.token;
    } else {
      machine.has_source = true;
      machine.source = record.primary;
      machine.source_name = record.token;
    }
  }
}

// How quick everything is in this world.
void World::DrawPace() {
  Pace& pace = postgres_.pace;
  if (random_.Chance(0.3)) pace.promote_high = 5s;
  if (random_.Chance(0.3)) pace.start_high = 3s;
  if (random_.Chance(0.3)) pace.wal_high = 200ms;
  if (random_.Chance(0.3)) pace.reply_high = 500ms;
  pace.replays_late = random_.Chance(0.5);
  if (random_.Chance(0.3)) store_.watch_delay = random_.Between(1ms, 400ms);
  if (random_.Chance(0.3)) control_->lost_compares = 0.1;
  if (random_.Chance(0.3)) control_->late_commits = 0.03;
  accepts_loss_ = random_.Chance(0.05);
}

void World::RunAgents() {
  if (!agents_alive_) return;
  if (Now() >= list_agents_ && !store_.lost) {
    list_agents_ = Now() + 1s;
    for (const store::Document& document : Must(store_.List(nodes::kNodesPrefix)).documents) {
      if (!document.key.ends_with("/desired")) continue;
      std::string id = document.key.substr(nodes::kNodesPrefix.size());
      id.resize(id.find('/'));
      agents_.try_emplace(NodeId(id), NodeId(id), agent_needs_);
    }
  }
  for (auto& [id, agent] : agents_) {
    if (!random_.Chance(0.1)) agent.Pass(Now());
  }
  std::erase_if(agents_, [](const auto& agent) { return agent.second.finished(); });
}

void World::RunControl() {
  control_->CarryOutLate();
  if (Now() < control_next_) return;
  control_next_ = Now() + 100ms;
  const bool lived = control_->alive();
  control_->Pass();
  if (lived && !control_->alive()) {
    Trace("fault: the control plane is killed within a call of the store");
    Later(0ms, healing_ ? 10ms : 1500ms, [this] {
      if (!control_->alive()) control_->Start();
    });
  }
}

void World::Tick() {
  clock_.Advance(kTick);
  const MonotonicTime now = Now();
  std::vector<std::function<void()>> due;
  std::erase_if(later_, [&](auto& one) {
    if (one.first > now) return false;
    due.push_back(std::move(one.second));
    return true;
  });
  for (const auto& what : due) what();
  postgres_.Advance(now);
  RunControl();
  if (agents_alive_) gateway_.Pass(now);
  RunAgents();
  for (Client& client : clients_) client.Pass(now);
  judge_.OnMoment();
}

Outcome World::Run() {
  DrawPace();
  FaultPlan faults(random_, Now());
  Outcome outcome;
  outcome.plan = faults.Describe();
  Trace("plan: " + outcome.plan);
  const MonotonicTime heal_at = Now() + random_.Between(6s, 25s);
  while (Now() < heal_at && judge_.violation().empty()) {
    for (const Fault fault : faults.Due(Now())) Strike(fault);
    Tick();
  }
  Heal();
  outcome.healed_in = AwaitWell();
  TryOneThing();
  JudgeTheEnd();
  outcome.violation = judge_.violation();
  outcome.acknowledged = judge_.acknowledged();
  outcome.reads = judge_.reads();
  outcome.epochs = judge_.record().epoch - 1;
  if (!outcome.violation.empty()) Trace("violated " + outcome.violation);
  outcome.trace = std::move(trace_);
  return outcome;
}

fleet::Snapshot Beginning() {
  fleet::TestFleet fleet;
  Must(fleet::CreateInstance(*fleet.context, fleet.Wish(true)));
  if (!fleet.RunUntilIdle()) throw std::runtime_error("simulation: no beginning");
  fleet::Snapshot snapshot = fleet.Keep();
  std::erase_if(snapshot.documents,
                [](const store::Put& put) { return put.key.starts_with("/runs/"); });
  return snapshot;
}

Outcome Simulate(const fleet::Snapshot& from, const Options& options) {
  World world(from, options);
  return world.Run();
}

}  // namespace howdah::sim
