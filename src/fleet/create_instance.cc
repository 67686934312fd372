// Creates one DB instance. Any step may run again after a crash or a retry, so each first asks what
// is already true; none repeats an effect. Undo leaves the record of the instance in status
// `failed`, as RDS does, and nothing else: no process, directory, address or interface. A restore
// is a creation too, whose first node does not begin with an empty database.
#include "fleet/backup_steps.h"
#include "fleet/steps.h"
#include "fleet/workflows.h"

namespace howdah::fleet {

namespace {

// The backup that the data were to come from is needed no longer.
Next ReleaseAll(const Context& context, StepContext& step, Versioned<Instance>& instance) {
  const Instance& it = instance.value;
  TRY(ReleaseBackup(step.store, step.transaction, it.restore.backup, RestoreUser(it.id)));
  return ReleaseInterfaces(context, step, instance);
}

Next Announce(const Context& context, StepContext& step, Versioned<Instance>& instance) {
  Instance& it = instance.value;
  if (it.created != WallTime{}) return Next::Done();
  TRY(ReleaseBackup(step.store, step.transaction, it.restore.backup, RestoreUser(it.id)));
  it.created = step.now;
  const bool restored = !it.restore.source.empty();
  it.restore = {};
  Save(step.transaction, instance);
  if (restored) {
    Tell(context, step.transaction, it, it.restored_from, "restoration");
  } else {
    Tell(context, step.transaction, it, "DB instance created", "creation");
  }
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
          .steps = {{"reserve-interfaces", run(ReserveInterfaces), undo(ReleaseAll)},
                    {"start-primary", run(StartNodes), undo(RemoveNodes)},
                    {"protect", run(Protect), nullptr},
                    {"open-endpoint", run(OpenEndpoint), undo(CloseEndpoint)},
                    {"announce", run(Announce), nullptr},
                    {"begin-first-snapshot", run(BeginFirstSnapshot), nullptr},
                    {"take-first-snapshot", run(TakeFirstSnapshot), undo(DropSnapshot)}},
          .on_failed = undo(LeaveFailed)};
}

}  // namespace howdah::fleet
