// Creates one DB instance. Any step may run again after a crash or a retry, so each first asks what
// is already true; none repeats an effect. Undo leaves the record of the instance in status
// `failed`, as RDS does, and nothing else: no process, directory, address or interface.
#include "fleet/steps.h"
#include "fleet/workflows.h"

namespace howdah::fleet {

namespace {

Next Announce(const Context& context, StepContext& step, Versioned<Instance>& instance) {
  if (instance.value.created != WallTime{}) return Next::Done();
  instance.value.created = step.now;
  Save(step.transaction, instance);
  Tell(context, step.transaction, instance.value, "DB instance created", "creation");
  return Next::Done();
}

Next LeaveFailed(const Context& context, StepContext& step, Versioned<Instance>& instance) {
  instance.value.failure = step.failure.empty() ? "the creation failed" : step.failure;
  Save(step.transaction, instance);
  Tell(context, step.transaction, instance.value,
       "DB instance could not be created: " + instance.value.failure, "failure");
  return Next::Done();
}

}  // namespace

workflow::Workflow CreateInstanceWorkflow(const Context& context) {
  const auto run = [&context](InstanceStep body) { return OnInstance(context, std::move(body)); };
  const auto undo = [&context](InstanceStep body) {
    return UndoOnInstance(context, std::move(body));
  };
  return {.name = std::string(kCreateInstance),
          .steps = {{"reserve-interfaces", run(ReserveInterfaces), undo(ReleaseInterfaces)},
                    {"start-primary", run(StartNodes), undo(RemoveNodes)},
                    {"protect", run(Protect), nullptr},
                    {"open-endpoint", run(OpenEndpoint), undo(CloseEndpoint)},
                    {"announce", run(Announce), nullptr}},
          .on_failed = undo(LeaveFailed)};
}

}  // namespace howdah::fleet
