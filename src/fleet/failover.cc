// The run behind a failover that somebody asked for. The roles are changed by the nodes' reconciler
// and its record, which the command committed together with this run; the run only waits until it
// is over and says how it ended.
#include <fmt/format.h>

#include "fleet/steps.h"
#include "fleet/workflows.h"
#include "ha/step.h"

namespace howdah::fleet {

namespace {

constexpr Duration kLookAgain = 50ms;

Next AwaitRoles(const Context&, StepContext& step, Versioned<Instance>& instance) {
  TRY_ASSIGN(const Versioned<ha::Record> record, LoadRecord(step.store, instance.value.id));
  if (ha::IsChangingRoles(record.value)) return Next::Wait(kLookAgain);
  const ha::Epoch asked_in = JsonInt(step.frame, "epoch");
  const bool given_up =
      record.value.epoch == asked_in || record.value.cause == ha::Cause::kTurnedBack;
  if (!given_up) return Next::Done();
  return Next::Fail(fmt::format("the standby could not take over; the phase is {}",
                                ha::PhaseName(record.value.phase)));
}

Next Announce(const Context& context, StepContext& step, Versioned<Instance>& instance) {
  Tell(context, step.transaction, instance.value, "DB instance restarted", "availability");
  return Next::Done();
}

Next TellFailure(const Context& context, StepContext& step, Versioned<Instance>& instance) {
  Tell(context, step.transaction, instance.value,
       "DB instance could not be failed over: " + step.failure, "failover");
  return Next::Done();
}

}  // namespace

workflow::Workflow FailoverInstanceWorkflow(const Context& context) {
  return {.name = std::string(kFailoverInstance),
          .steps = {{"await-roles", OnInstance(context, AwaitRoles), nullptr},
                    {"await-endpoint", OnInstance(context, OpenEndpoint), nullptr},
                    {"announce", OnInstance(context, Announce), nullptr}},
          .on_failed = UndoOnInstance(context, TellFailure)};
}

}  // namespace howdah::fleet
