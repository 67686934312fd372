// Reboot, stop and start of an instance.
#include "fleet/steps.h"
#include "fleet/workflows.h"

namespace howdah::fleet {

namespace {

// The request for the restart was committed together with this run.
Next AnnounceRestart(const Context& context, StepContext& step, Versioned<Instance>& instance) {
  Tell(context, step.transaction, instance.value, "DB instance restarted", "availability");
  return Next::Done();
}

Next StopNodes(const Context&, StepContext& step, Versioned<Instance>& instance) {
  if (instance.value.power != nodes::Power::kStopped) {
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
                    {"announce", run(AnnounceRestart), nullptr}}};
}

workflow::Workflow StopInstanceWorkflow(const Context& context) {
  const auto run = [&context](InstanceStep body) { return OnInstance(context, std::move(body)); };
  return {.name = std::string(kStopInstance),
          .steps = {{"close-endpoint", run(CloseEndpoint), nullptr},
                    {"stop-nodes", run(StopNodes), nullptr},
                    {"announce", run(AnnounceStopped), nullptr}}};
}

workflow::Workflow StartInstanceWorkflow(const Context& context) {
  const auto run = [&context](InstanceStep body) { return OnInstance(context, std::move(body)); };
  return {.name = std::string(kStartInstance),
          .steps = {{"start-nodes", run(StartNodes), nullptr},
                    {"open-endpoint", run(OpenEndpoint), nullptr},
                    {"announce", run(AnnounceStarted), nullptr}}};
}

}  // namespace howdah::fleet
