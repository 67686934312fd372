// Deletes one DB instance: the endpoint first, so that nobody talks to a server that is about to
// go, then the nodes with their data, then the addresses, then the record. There is no way back: a
// step that cannot go on is tried again until it can.
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
    return UndoOnInstance(context, std::move(body));
  };
  return {.name = std::string(kDeleteInstance),
          .steps = {{"await-earlier-run", run(AwaitEarlierRun), nullptr},
                    {"close-endpoint", run(CloseEndpoint), nullptr},
                    {"remove-nodes", run(RemoveNodes), nullptr},
                    {"release-interfaces", run(ReleaseInterfaces), nullptr},
                    {"forget", run(Forget), nullptr}}};
}

}  // namespace howdah::fleet
