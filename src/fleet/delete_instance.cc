// Deletes one DB instance: the endpoint first, so that nobody talks to a server that is about to
// go, then the nodes with their data, then the addresses, then the record. A final snapshot is
// taken when the endpoint is closed and before anything else goes: if it cannot be taken, nothing
// goes. From there on there is no way back: a step that cannot go on is tried again until it can.
// Should the run fail all the same, the instance is in status `failed` and can be deleted again.
#include "fleet/backup_steps.h"
#include "fleet/keys.h"
#include "fleet/steps.h"
#include "fleet/workflows.h"

namespace howdah::fleet {

namespace {

// A creation or change that was under way is being undone or ends by itself; two runs never work on
// one instance.
Next AwaitEarlierRun(const Context&, StepContext& step, Versioned<Instance>&) {
  const RunId earlier(JsonString(step.frame, "earlier_run"));
  if (earlier.empty()) return Next::Done();
  const Result<store::Document> document = step.store.Get(workflow::RunKey(earlier));
  if (!document && document.error().code() == Code::kNotFound) return Next::Done();
  if (!document) return Next(document.error());
  TRY_ASSIGN(const workflow::Run run, workflow::ParseRun(document->value));
  const bool finished =
      run.state == workflow::RunState::kDone || run.state == workflow::RunState::kFailed;
  return finished ? Next::Done() : Next::Wait(500ms);
}

constexpr Duration kLookAgain = 500ms;

// A stopped instance is started for its final snapshot, without an endpoint.
Next StartForSnapshot(const Context&, StepContext& step, Versioned<Instance>& instance) {
  const bool wanted = !JsonString(step.frame, "snapshot").empty();
  if (!wanted || instance.value.power == nodes::Power::kRunning) return Next::Done();
  instance.value.power = nodes::Power::kRunning;
  step.frame["was_stopped"] = true;
  Save(step.transaction, instance);
  return Next::Done();
}

// Undo of all that comes before the first thing goes: without its final snapshot the instance stays
// as it was.
Next StayAsItWas(const Context& context, StepContext& step, Versioned<Instance>& instance) {
  Next dropped = DropSnapshot(context, step, instance);
  const bool is_without = !JsonString(step.frame, "snapshot_failed").empty();
  if (dropped.kind() != Next::Kind::kDone || !is_without) return dropped;
  Instance& it = instance.value;
  const bool was_stopped =
      JsonBool(step.frame, "was_stopped") || it.power == nodes::Power::kStopped;
  it.power = was_stopped ? nodes::Power::kStopped : it.power;
  it.endpoint_open = !was_stopped && !it.host_address.empty();
  Save(step.transaction, instance);
  return dropped;
}

// Up to when the deleted instance can be restored. What was committed before the endpoint closed
// should be in the archive; one that does not get on is not waited for.
Next KeepBackups(StepContext& step, const Instance& instance, Versioned<AutomatedBackup>& backup,
                 const RestoreWindow& window) {
  constexpr Duration kPatience = 30s;
  if (!step.frame.contains("closed_at")) {
    step.frame["closed_at"] = ToMicros(step.now);
    return Next::Wait(kLookAgain);
  }
  const WallTime closed_at = FromMicros(JsonInt(step.frame, "closed_at"));
  const bool runs = instance.power == nodes::Power::kRunning;
  if (runs && window.latest < closed_at && step.now < closed_at + kPatience) {
    return Next::Wait(kLookAgain);
  }
  backup.value.retained = true;
  backup.value.facts = FactsOf(instance);
  backup.value.latest = window.latest;
  TRY_ASSIGN(const nodes::Restore archived, WithArchived(step.store, {.source = instance.id}));
  backup.value.archived_lsn = archived.archived_lsn;
  Save(step.transaction, backup);
  return Next::Done();
}

Next SettleBackups(const Context& context, StepContext& step, Versioned<Instance>& instance) {
  const InstanceId& id = instance.value.id;
  Result<Versioned<AutomatedBackup>> backup = LoadAutomatedBackup(step.store, id);
  if (!backup && backup.error().code() == Code::kNotFound) return Next::Done();
  if (!backup) return Next(backup.error());
  if (backup->value.retained || backup->value.doomed) return Next::Done();
  TRY_ASSIGN(const std::optional<RestoreWindow> window, RestoreWindowOf(context, instance.value));
  if (window && JsonBool(step.frame, "keeps_backups")) {
    return KeepBackups(step, instance.value, *backup, *window);
  }
  TRY(DoomAutomatedBackup(step.store, step.transaction, *backup));
  return Next::Done();
}

Next LeaveFailed(const Context& context, StepContext& step, Versioned<Instance>& instance) {
  if (!JsonString(step.frame, "snapshot_failed").empty()) return Next::Done();  // and told
  instance.value.failure = "the deletion failed: " + step.failure;
  Save(step.transaction, instance);
  Tell(context, step.transaction, instance.value,
       "DB instance could not be deleted: " + step.failure, "failure");
  return Next::Done();
}

// What fails is waited for, with the reason visible in the run.
StepFunction Persistently(StepFunction function) {
  return [function = std::move(function)](StepContext& step) {
    Next next = function(step);
    if (next.kind() != Next::Kind::kFail) return next;
    return Next(Error(Code::kUnavailable, next.why()));
  };
}

Next Forget(const Context& context, StepContext& step, Versioned<Instance>& instance) {
  store::Transaction& transaction = step.transaction;
  transaction.compares.push_back({InstanceKey(instance.value.id), instance.revision});
  transaction.deletes.push_back(InstanceKey(instance.value.id));
  transaction.deletes.push_back(InstanceNameKey(instance.value.identifier));
  TRY(ReleaseBackup(step.store, transaction, instance.value.restore.backup,
                    RestoreUser(instance.value.id)));
  Tell(context, transaction, instance.value, "DB instance deleted", "deletion");
  return Next::Done();
}

}  // namespace

workflow::Workflow DeleteInstanceWorkflow(const Context& context) {
  // Each step tolerates that the record is gone already: then all is done.
  const auto run = [&context](InstanceStep body) {
    return Persistently(UndoOnInstance(context, std::move(body)));
  };
  const StepFunction take = OnInstance(context, TakeSnapshot);
  const auto undo = [&context](InstanceStep body) {
    return UndoOnInstance(context, std::move(body));
  };
  return {.name = std::string(kDeleteInstance),
          .steps = {{"await-earlier-run", run(AwaitEarlierRun), undo(StayAsItWas)},
                    {"close-endpoint", run(CloseEndpoint), nullptr},
                    {"start-for-snapshot", run(StartForSnapshot), nullptr},
                    {"final-snapshot", take, nullptr},
                    {"settle-backups", run(SettleBackups), nullptr},
                    {"remove-nodes", run(RemoveNodes), nullptr},
                    {"release-interfaces", run(ReleaseInterfaces), nullptr},
                    {"forget", run(Forget), nullptr}},
          .on_failed = UndoOnInstance(context, LeaveFailed)};
}

}  // namespace howdah::fleet
