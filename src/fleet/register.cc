#include "fleet/records.h"
#include "fleet/storage.h"
#include "fleet/workflows.h"

namespace howdah::fleet {

workflow::Reconciler EventReconciler(const Context& context) {
  return {.name = "events",
          .prefixes = {},
          .interval = 1h,
          .reconcile = [&context]() -> Result<Duration> {
            TRY(PruneEvents(context.store, context.clock.Now()));
            return 1h;
          }};
}

void RegisterAll(workflow::Engine& engine, const Context& context) {
  engine.Register(CreateInstanceWorkflow(context));
  engine.Register(DeleteInstanceWorkflow(context));
  engine.Register(ModifyInstanceWorkflow(context));
  engine.Register(RebootInstanceWorkflow(context));
  engine.Register(FailoverInstanceWorkflow(context));
  engine.Register(StopInstanceWorkflow(context));
  engine.Register(StartInstanceWorkflow(context));
  engine.Register(CreateSnapshotWorkflow(context));
  engine.Register(HaReconciler(context));
  engine.Register(RouteReconciler(context));
  engine.Register(StorageReconciler(context));
  engine.Register(EventReconciler(context));
  engine.Register(MaintenanceReconciler(context));
  if (context.shelf == nullptr) return;
  engine.Register(ArchiveReconciler(context));
  engine.Register(BackupReconciler(context));
  engine.Register(ShelfReconciler(context));
  engine.Register(ProofReconciler(context));
}

}  // namespace howdah::fleet
