// What goes wrong in a simulated world, carried out.
#include <fmt/format.h>

#include "sim/world_inside.h"

namespace howdah::sim {

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

// With everything that belongs to it, or its postmaster alone.
void World::EndServer(const NodeId& node) {
  if (node.empty() || postgres_.machines[node].proc == Proc::kNone) return;
  Trace(fmt::format("fault: the server of {} ends", node.str()));
  if (random_.Chance(0.3)) {
    postgres_.EndPostmaster(node);
    const std::int64_t which = postgres_.machines[node].incarnation;
    Later(50ms, 3s, [this, node, which] {
      Machine& machine = postgres_.machines[node];
      if (machine.incarnation == which) machine.orphans = false;
    });
  } else {
    postgres_.End(node);
  }
  for (auto& [id, agent] : agents_) agent.Wake(Now() + random_.Between(0ms, 30ms));
}

void World::Freeze(const NodeId& node, bool Machine::* how) {
  Machine& machine = postgres_.machines[node];
  if (machine.proc == Proc::kNone) return;
  Trace(fmt::format("fault: {} of {} freezes", how == &Machine::deaf ? "the postmaster" : "all",
                    node.str()));
  machine.*how = true;
  Later(50ms, 9s, [this, node, how, which = machine.incarnation] {
    Machine& thawed = postgres_.machines[node];
    if (thawed.incarnation != which || !(thawed.*how)) return;
    Trace(node.str() + " thaws");
    thawed.*how = false;
  });
}

void World::Strike(Fault fault) {
  const ha::Record& record = judge_.record();
  const std::optional<NodeId> some = SomeNode();
  if (!some) return;
  switch (fault) {
    case Fault::kKillPrimary:
      return EndServer(record.primary);
    case Fault::kKillStandby:
      return EndServer(record.standby);
    case Fault::kFreeze:
      return Freeze(*some, &Machine::frozen);
    case Fault::kFreezePostmaster:
      return Freeze(*some, &Machine::deaf);
    case Fault::kPartition:
      Trace("fault: the nodes are cut off");
      postgres_.partitioned = true;
      Later(50ms, 6s, [this] { postgres_.partitioned = false; });
      return;
    case Fault::kOldDocument:
      for (auto& [id, agent] : agents_) {
        if (id == *some && old_mail_.contains(id)) agent.GiveOldDocument(old_mail_[id], Now());
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
      if (random_.Chance(0.5)) EndServer(*some);
      Later(200ms, 6s, [this, node = *some, what] { postgres_.machines[node].*what = false; });
      return;
    }
    case Fault::kCancel:
      for (const auto& [node, machine] : postgres_.machines) {
        if (machine.waiters.empty() || machine.waiters.front().client < 0) continue;
        const int client = machine.waiters.front().client;
        random_.Chance(0.5) ? postgres_.Cancel(node, client) : postgres_.Terminate(node, client);
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

}  // namespace howdah::sim
