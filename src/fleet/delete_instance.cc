// Deletes one DB instance: the endpoint first, so that nobody talks to a server that is about to
// go, then the nodes with their data, then the addresses, then the record. There is no way back: a
// step that cannot go on is tried again until it can. Should the run fail all the same, the
// instance is in status `failed` and can be deleted again.
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

Next LeaveFailed(const Context& context, StepContext& step, Versioned<Instance>& instance) {
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
  Tell(context, transaction, instance.value, "DB instance deleted", "deletion");
  return Next::Done();
}

}  // namespace

workflow::Workflow DeleteInstanceWorkflow(const Context& context) {
  // Each step tolerates that the record is gone already: then all is done.
  const auto run = [&context](InstanceStep body) {
    return Persistently(UndoOnInstance(context, std::move(body)));
  };
  return {.name = std::string(kDeleteInstance),
          .steps = {{"await-earlier-run", run(AwaitEarlierRun), nullptr},
                    {"close-endpoint", run(CloseEndpoint), nullptr},
                    {"remove-nodes", run(RemoveNodes), nullptr},
                    {"release-interfaces", run(ReleaseInterfaces), nullptr},
                    {"forget", run(Forget), nullptr}},
          .on_failed = UndoOnInstance(context, LeaveFailed)};
}

}  // namespace howdah::fleet
