// Carries out what waits, when the maintenance window of an instance is open and nothing else works
// on it. What waits leaves the queue as its run begins, so a change that cannot be carried out is
// tried once, and its event says why.
#include "fleet/maintenance.h"

#include <fmt/format.h>

#include "fleet/commands.h"
#include "fleet/keys.h"
#include "fleet/window.h"
#include "fleet/workflows.h"

namespace howdah::fleet {

namespace {

constexpr Duration kLook = 20s;  // much shorter than the shortest window

// The name was not reserved while it waited: somebody else may have it by now.
Result<> GiveUpName(const Context& context, Versioned<Instance> instance) {
  const std::string name = instance.value.deferred.identifier.value_or("");
  instance.value.deferred.identifier.reset();
  store::Transaction transaction;
  Save(transaction, instance);
  Tell(context, transaction, instance.value,
       fmt::format("DB instance could not be renamed to {}: the name is taken", name), "failure");
  TRY(context.store.Commit(transaction));
  return {};
}

}  // namespace

Result<> ApplyDeferred(const Context& context, const Versioned<Instance>& instance) {
  const Deferred& deferred = instance.value.deferred;
  const Change change{.settings = Apply(deferred, instance.value.settings),
                      .new_identifier = deferred.identifier.value_or("")};
  const Result<Instance> begun = ModifyInstance(context, instance, change);
  if (begun) return {};
  if (begun.error().code() == Code::kAlreadyExists) return GiveUpName(context, instance);
  return Fail(begun.error());
}

workflow::Reconciler MaintenanceReconciler(const Context& context) {
  return {.name = "maintenance",
          .prefixes = {},
          .interval = kLook,
          .reconcile = [&context]() -> Result<Duration> {
            TRY_ASSIGN(const std::vector<Versioned<Instance>> instances,
                       ListVersionedInstances(context.store));
            const WallTime now = context.clock.Now();
            for (const Versioned<Instance>& instance : instances) {
              const Instance& it = instance.value;
              if (it.deferred.empty()) continue;
              if (!IsInWeeklyWindow(it.settings.maintenance_window, now)) continue;
              // What is stopped or being changed is looked at again.
              const Result<> done = ApplyDeferred(context, instance);
              const bool later = !done && (done.error().code() == Code::kFailedState ||
                                           done.error().code() == Code::kConflict);
              if (!done && !later) {
                context.log.Warning("maintenance of {}: {}", it.identifier, done.error().what());
              }
            }
            return kLook;
          }};
}

}  // namespace howdah::fleet
