// Reboot, stop and start of an instance. A stop or start that cannot be carried out is taken back:
// the instance is then what it was, and says why.
#include "fleet/backup_steps.h"
#include "fleet/keys.h"
#include "fleet/steps.h"
#include "fleet/workflows.h"

namespace howdah::fleet {

namespace {

// The request for the restart was committed together with this run.
Next AnnounceRestart(const Context& context, StepContext& step, Versioned<Instance>& instance) {
  Tell(context, step.transaction, instance.value, "DB instance restarted", "availability");
  return Next::Done();
}

// Roles settle before their nodes stop. Whoever begins to change them compares the instance, and we
// compare the record: only one of the two goes first.
Next StopNodes(const Context&, StepContext& step, Versioned<Instance>& instance) {
  if (instance.value.power != nodes::Power::kStopped) {
    TRY_ASSIGN(const Versioned<ha::Record> record, LoadRecord(step.store, instance.value.id));
    if (ha::IsChangingRoles(record.value)) return Next::Wait(500ms);
    step.transaction.compares.push_back({HaKey(instance.value.id), record.revision});
    instance.value.power = nodes::Power::kStopped;
    Save(step.transaction, instance);
    return Next::Wait(500ms);
  }
  for (const NodeId& node : {instance.value.first_node, instance.value.second_node}) {
    if (node.empty()) continue;
    TRY_ASSIGN(const nodes::Observed observed, LoadObserved(step.store, node));
    if (observed.state != nodes::State::kStopped) return Next::Wait(500ms);
  }
  return Next::Done();
}

// Undo of a stop. The nodes follow; nothing here waits for them.
Next PowerOn(const Context&, StepContext& step, Versioned<Instance>& instance) {
  if (instance.value.power == nodes::Power::kRunning) return Next::Done();
  instance.value.power = nodes::Power::kRunning;
  Save(step.transaction, instance);
  return Next::Done();
}

Next Reopen(const Context&, StepContext& step, Versioned<Instance>& instance) {
  if (instance.value.endpoint_open) return Next::Done();
  instance.value.endpoint_open = true;
  Save(step.transaction, instance);
  return Next::Done();
}

// on_failed: an event with the reason.
StepFunction TellFailure(const Context& context, std::string_view what) {
  return UndoOnInstance(
      context, [what](const Context& c, StepContext& step, Versioned<Instance>& instance) {
        Tell(c, step.transaction, instance.value,
             "DB instance could not be " + std::string(what) + ": " + step.failure, "failure");
        return Next::Done();
      });
}

Next AnnounceStopped(const Context& context, StepContext& step, Versioned<Instance>& instance) {
  Tell(context, step.transaction, instance.value, "DB instance stopped", "notification");
  return Next::Done();
}

Next AnnounceStarted(const Context& context, StepContext& step, Versioned<Instance>& instance) {
  Tell(context, step.transaction, instance.value, "DB instance started", "notification");
  return Next::Done();
}

// The endpoint must answer again: a server that restarts is held until it is fit (H4).
Next AwaitServing(const Context& context, StepContext& step, Versioned<Instance>& instance) {
  return OpenEndpoint(context, step, instance);
}

}  // namespace

workflow::Workflow RebootInstanceWorkflow(const Context& context) {
  const auto run = [&context](InstanceStep body) { return OnInstance(context, std::move(body)); };
  return {.name = std::string(kRebootInstance),
          .steps = {{"restart-nodes", run(AwaitNodesAsWanted), nullptr},
                    {"await-endpoint", run(AwaitServing), nullptr},
                    {"announce", run(AnnounceRestart), nullptr}},
          .on_failed = TellFailure(context, "rebooted")};
}

workflow::Workflow StopInstanceWorkflow(const Context& context) {
  const auto run = [&context](InstanceStep body) { return OnInstance(context, std::move(body)); };
  const auto undo = [&context](InstanceStep body) {
    return UndoOnInstance(context, std::move(body));
  };
  return {.name = std::string(kStopInstance),
          .steps = {{"take-snapshot", run(TakeSnapshot), undo(DropSnapshot)},
                    {"close-endpoint", run(CloseEndpoint), undo(Reopen)},
                    {"stop-nodes", run(StopNodes), undo(PowerOn)},
                    {"announce", run(AnnounceStopped), nullptr}},
          .on_failed = TellFailure(context, "stopped")};
}

workflow::Workflow StartInstanceWorkflow(const Context& context) {
  const auto run = [&context](InstanceStep body) { return OnInstance(context, std::move(body)); };
  const auto undo = [&context](InstanceStep body) {
    return UndoOnInstance(context, std::move(body));
  };
  return {.name = std::string(kStartInstance),
          .steps = {{"start-nodes", run(StartNodes), undo(StopNodes)},
                    {"open-endpoint", run(OpenEndpoint), undo(CloseEndpoint)},
                    {"announce", run(AnnounceStarted), nullptr}},
          .on_failed = TellFailure(context, "started")};
}

}  // namespace howdah::fleet
