#include "sim/world.h"

#include <fmt/format.h>

#include <stdexcept>

#include "fleet/keys.h"
#include "sim/agent.h"
#include "sim/client.h"
#include "sim/control.h"
#include "sim/faults.h"

namespace howdah::sim {

namespace {

constexpr Duration kTick = 5ms;
constexpr Duration kHealWithin = 60s;
constexpr Duration kGoesOnWithin = 8s;
constexpr int kClients = 3;

template <typename T>
T Must(Result<T> result) {
  if (!result) throw std::runtime_error("simulation: " + result.error().what());
  return *std::move(result);
}

InstanceId OnlyInstance(const fleet::Snapshot& from) {
  for (const store::Put& put : from.documents) {
    if (put.key.starts_with(fleet::kInstancesPrefix))
      return InstanceId(put.key.substr(fleet::kInstancesPrefix.size()));
  }
  throw std::runtime_error("simulation: the snapshot holds no instance");
}

class World {
 public:
  World(const fleet::Snapshot& from, const Options& options)
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
            .before_rewind = [this](const NodeId& node,
                                    const NodeId& primary) { judge_.BeforeRewind(node, primary); }},
        client_needs_{
            .postgres = postgres_, .gateway = gateway_, .judge = judge_, .random = random_} {
    clock_.Advance(from.age);
    Wire();
    Must(store_.Commit({.compares = {}, .puts = from.documents, .deletes = {}}));
    MakeMachines();
    for (int i = 0; i < kClients; ++i) clients_.emplace_back(i, client_needs_);
    Log log;
    if (options.trace) {
      log =
          Log([this](LogLevel, std::string_view line) { Trace("control: " + std::string(line)); });
    }
    control_.emplace(ControlNeeds{
        .store = store_, .clock = clock_, .random = random_, .mutant = options.mutant, .log = log});
    store_.ignores_compare = [this](const std::string& key) {
      return options_.mutant == Mutant::kCompareIgnored && key.starts_with(fleet::kHaPrefix);
    };
    postgres_.guard = options.mutant != Mutant::kNoCommitGuard;
  }

  Outcome Run();

 private:
  MonotonicTime Now() const { return clock_.Monotonic(); }
  void Trace(const std::string& what) {
    if (!options_.trace) return;
    const Duration at = Now() - MonotonicTime(Duration(1'000'000'000));
    trace_.push_back(fmt::format("[{:9.3f}] {}", static_cast<double>(at.count()) / 1e6, what));
  }
  void Wire();
  void WirePostgres();
  void OnChange(const store::Change& change, const std::string& before);
  void MakeMachines();
  void DrawPace();
  void Tick();
  void RunAgents();
  void RunControl();
  void Strike(Fault fault);
  void StrikeProcesses(Fault fault);
  void StrikeByRequest(Fault fault);
  void Later(Duration low, Duration high, std::function<void()> what) {
    later_.emplace_back(Now() + random_.Between(low, high), std::move(what));
  }
  void Heal();
  Duration AwaitWell();
  void LoseTheStandby();
  bool IsWell();
  void AskForWhatIsMissing();
  std::optional<NodeId> SomeNode();
  std::string Describe();

  const Options options_;
  Random random_;
  system::FakeClock clock_;
  MemoryStore store_;
  Postgres postgres_;
  const InstanceId instance_;
  Gateway gateway_;
  Judge judge_;
  AgentNeeds agent_needs_;
  ClientNeeds client_needs_;
  std::optional<Control> control_;
  std::map<NodeId, Agent> agents_;
  bool agents_alive_ = true;
  std::vector<Client> clients_;
  std::vector<std::pair<MonotonicTime, std::function<void()>>> later_;
  MonotonicTime control_next_{};
  MonotonicTime list_agents_{};
  std::vector<std::string> trace_;
  bool healing_ = false;
  bool accepts_loss_ = false;
};

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
  postgres_.on_primary_starts = [this](const NodeId& node) { judge_.OnPrimaryStarts(node); };
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
  }
  if (change.key != fleet::HaKey(instance_)) return;
  if (!change.value) return judge_.OnRecordGone();
  const ha::Record was = before.empty() ? ha::Record() : Must(ha::ParseRecord(before));
  const ha::Record is = Must(ha::ParseRecord(*change.value));
  Trace(fmt::format("record: {} -> {}, epoch {}, primary {}, token {}, protected {}",
                    PhaseName(was.phase), PhaseName(is.phase), is.epoch, is.primary.str(), is.token,
                    is.protected_));
  judge_.OnRecord(was, is);
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
  if (random_.Chance(0.5)) pace.replay_lag = 1ms;
  if (random_.Chance(0.3)) store_.watch_delay = random_.Between(1ms, 400ms);
  if (random_.Chance(0.3)) control_->lost_compares = 0.1;
  if (random_.Chance(0.3)) control_->late_commits = 0.03;
  accepts_loss_ = random_.Chance(0.05);
}

void World::RunAgents() {
  if (!agents_alive_) return;
  if (Now() >= list_agents_) {
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

std::optional<NodeId> World::SomeNode() {
  std::vector<NodeId> nodes;
  for (const auto& [node, machine] : postgres_.machines) {
    if (machine.initialized) nodes.push_back(node);
  }
  if (nodes.empty()) return std::nullopt;
  return nodes[random_.Below(nodes.size())];
}

void World::StrikeProcesses(Fault fault) {
  switch (fault) {
    case Fault::kKillAgents:
      agents_alive_ = false;
      agents_.clear();
      gateway_.ForgetKeeper();
      Later(5ms, 1500ms, [this] {
        agents_alive_ = true;
        list_agents_ = MonotonicTime{};
      });
      break;
    case Fault::kKillControl:
      if (random_.Chance(0.7)) {
        control_->ArmCrash(40);
        break;
      }
      control_->Kill();
      Later(5ms, 2s, [this] {
        if (!control_->alive()) control_->Start();
      });
      break;
    case Fault::kFailStore:
      control_->ArmFailure(40, random_.Chance(0.5) ? Code::kConflict : Code::kUnavailable);
      break;
    case Fault::kKillGateway:
      gateway_.Kill(Now() + random_.Between(50ms, 1s));
      break;
    case Fault::kSlowGateway:
      gateway_.set_lateness(random_.Between(50ms, 3s));
      Later(100ms, 4s, [this] { gateway_.set_lateness(Duration(0)); });
      break;
    case Fault::kOldTable:
      gateway_.GiveOldTable();
      break;
    default:
      break;
  }
}

void World::StrikeByRequest(Fault fault) {
  if (!control_->alive()) return;
  control_->Disarm();
  const fleet::Context& context = control_->context();
  Result<fleet::Instance> answer = Fail(Code::kInvalid, "");
  const std::string_view name = fleet::kTestName;
  switch (fault) {
    case Fault::kFailover:
      answer = fleet::FailoverInstance(context, name);
      break;
    case Fault::kReboot:
      answer = fleet::RebootInstance(context, name);
      break;
    case Fault::kStopInstance:
      answer = fleet::StopInstance(context, name);
      break;
    case Fault::kStartInstance:
      answer = fleet::StartInstance(context, name);
      break;
    case Fault::kAcceptLoss:
      if (accepts_loss_) answer = fleet::FailoverAcceptingDataLoss(context, name);
      break;
    case Fault::kToggleMultiAz: {
      const auto instance = fleet::FindInstance(store_, name);
      if (!instance) break;
      fleet::Settings settings = instance->value.settings;
      settings.multi_az = !settings.multi_az;
      answer = fleet::ModifyInstance(context, *instance, {.settings = settings});
      break;
    }
    default:
      break;
  }
  Trace(fmt::format("request: {}: {}", FaultName(fault),
                    answer ? "accepted" : answer.error().what()));
}

void World::Strike(Fault fault) {
  const ha::Record& record = judge_.record();
  const std::optional<NodeId> some = SomeNode();
  if (!some) return;
  const auto end = [&](const NodeId& node) {
    Trace(fmt::format("fault: the server of {} ends", node.str()));
    if (!node.empty() && postgres_.machines[node].proc != Proc::kNone) postgres_.End(node);
    for (auto& [id, agent] : agents_) agent.Wake(Now() + random_.Between(0ms, 30ms));
  };
  switch (fault) {
    case Fault::kKillPrimary:
      return end(record.primary);
    case Fault::kKillStandby:
      if (!record.standby.empty()) end(record.standby);
      return;
    case Fault::kFreeze: {
      Trace(fmt::format("fault: {} freezes", some->str()));
      if (postgres_.machines[*some].proc == Proc::kNone) return;
      postgres_.Freeze(*some);
      const std::int64_t which = postgres_.machines[*some].incarnation;
      Later(50ms, 9s, [this, node = *some, which] {
        Machine& machine = postgres_.machines[node];
        if (machine.incarnation == which && machine.frozen) Trace(node.str() + " thaws");
        if (machine.incarnation == which) machine.frozen = false;
      });
      return;
    }
    case Fault::kPartition:
      Trace("fault: the nodes are cut off");
      postgres_.partitioned = true;
      Later(50ms, 6s, [this] { postgres_.partitioned = false; });
      return;
    case Fault::kOldDocument:
      for (auto& [id, agent] : agents_) {
        if (id == *some) agent.GiveOldDocument(Now());
      }
      return;
    case Fault::kSlowAgent:
      for (auto& [id, agent] : agents_) {
        if (id == *some) agent.Sleep(Now() + random_.Between(50ms, 4s));
      }
      return;
    case Fault::kFullDisk:
    case Fault::kBroken: {
      bool Machine::* what = fault == Fault::kFullDisk ? &Machine::disk_full : &Machine::broken;
      Trace(fmt::format("fault: {} of {}", FaultName(fault), some->str()));
      postgres_.machines[*some].*what = true;
      if (random_.Chance(0.5)) end(*some);
      Later(200ms, 6s, [this, node = *some, what] { postgres_.machines[node].*what = false; });
      return;
    }
    case Fault::kCancel:
      for (const auto& [node, machine] : postgres_.machines) {
        if (machine.waiters.empty() || machine.waiters.front().client < 0) continue;
        postgres_.Cancel(node, machine.waiters.front().client);
        return;
      }
      return;
    case Fault::kFailover:
    case Fault::kReboot:
    case Fault::kStopInstance:
    case Fault::kStartInstance:
    case Fault::kAcceptLoss:
    case Fault::kToggleMultiAz:
      return StrikeByRequest(fault);
    default:
      Trace(fmt::format("fault: {}", FaultName(fault)));
      return StrikeProcesses(fault);
  }
}

void World::Heal() {
  Trace("all faults end");
  healing_ = true;
  for (auto& [time, what] : later_) time = Now();
  for (auto& [node, machine] : postgres_.machines) {
    machine.frozen = machine.disk_full = machine.broken = false;
  }
  postgres_.partitioned = false;
  postgres_.pace = Pace{};
  store_.watch_delay = Duration(0);
  gateway_.set_lateness(Duration(0));
  control_->lost_compares = control_->late_commits = 0;
  control_->Disarm();
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
  return gateway_.Leads() == record.primary;
}

std::string World::Describe() {
  const ha::Record& record = judge_.record();
  std::string text = fmt::format("phase {} epoch {} primary {}", PhaseName(record.phase),
                                 record.epoch, record.primary.str());
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
    const bool well = IsWell() || (well_since && judge_.record().phase == ha::Phase::kProtected);
    if (!well) well_since.reset();
    if (well && !well_since) well_since = Now();
  }
  return Now() - healed;
}

// I14: with nothing else wrong, commits wait for a lost standby no longer than the budget, and what
// it takes to notice.
void World::LoseTheStandby() {
  if (!judge_.violation().empty()) return;
  const NodeId standby = judge_.record().standby;
  Trace(fmt::format("{} is lost for good", standby.str()));
  postgres_.machines[standby].broken = true;
  postgres_.End(standby);
  const std::size_t before = judge_.acknowledged();
  const MonotonicTime end = Now() + kGoesOnWithin;
  while (Now() < end && judge_.violation().empty()) Tick();
  if (judge_.acknowledged() < before + 3)
    judge_.Violated("I14", "commits wait for a standby that is lost: " + Describe());
  postgres_.machines[standby].broken = false;
  AwaitWell();
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
  if (random_.Chance(0.3)) LoseTheStandby();
  if (judge_.violation().empty()) judge_.OnEnd();
  outcome.violation = judge_.violation();
  outcome.acknowledged = judge_.acknowledged();
  outcome.reads = judge_.reads();
  outcome.epochs = judge_.record().epoch - 1;
  if (!outcome.violation.empty()) Trace("violated " + outcome.violation);
  outcome.trace = std::move(trace_);
  return outcome;
}

}  // namespace

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
