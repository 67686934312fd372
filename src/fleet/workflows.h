// The names of the fleet's workflows, and their making. Each is told as a story in its own file.
#pragma once

#include <string_view>

#include "fleet/context.h"
#include "workflow/engine.h"

namespace howdah::fleet {

inline constexpr std::string_view kCreateInstance = "create-instance";
inline constexpr std::string_view kDeleteInstance = "delete-instance";
inline constexpr std::string_view kModifyInstance = "modify-instance";
inline constexpr std::string_view kRebootInstance = "reboot-instance";
inline constexpr std::string_view kFailoverInstance = "failover-instance";
inline constexpr std::string_view kStopInstance = "stop-instance";
inline constexpr std::string_view kStartInstance = "start-instance";
inline constexpr std::string_view kCreateSnapshot = "create-snapshot";

// The context outlives the workflows.
workflow::Workflow CreateInstanceWorkflow(const Context& context);
workflow::Workflow DeleteInstanceWorkflow(const Context& context);
workflow::Workflow ModifyInstanceWorkflow(const Context& context);
workflow::Workflow RebootInstanceWorkflow(const Context& context);
workflow::Workflow FailoverInstanceWorkflow(const Context& context);
workflow::Workflow StopInstanceWorkflow(const Context& context);
workflow::Workflow StartInstanceWorkflow(const Context& context);
workflow::Workflow CreateSnapshotWorkflow(const Context& context);

// The standing duties of the fleet.
workflow::Reconciler HaReconciler(const Context& context);           // ha_reconciler.cc
workflow::Reconciler RouteReconciler(const Context& context);        // route_reconciler.cc
workflow::Reconciler EventReconciler(const Context& context);        // prunes old events
workflow::Reconciler MaintenanceReconciler(const Context& context);  // maintenance.cc
workflow::Reconciler ArchiveReconciler(const Context& context);      // archive_health.cc
workflow::Reconciler BackupReconciler(const Context& context);       // backup_reconciler.cc
workflow::Reconciler ProofReconciler(const Context& context);        // proof_reconciler.cc
workflow::Reconciler ShelfReconciler(const Context& context);        // shelf_reconciler.cc

void RegisterAll(workflow::Engine& engine, const Context& context);

}  // namespace howdah::fleet
