// What a restore would do, without doing it, for `howdah restore --dry-run`; and backups that this
// store knows nothing of, for `howdah backup import`.
#include "fleet/backup_records.h"
#include "fleet/import.h"
#include "fleet/proof.h"
#include "services/operator/operator.h"
#include "services/operator/status.h"

namespace howdah::services {

namespace api = aws::howdah_api;
using aws::Outcome;
using aws::Refuse;
using aws::RequestContext;

namespace {

Outcome<InstanceId> SourceOf(const fleet::Context& context, const api::PlanRestoreRequest& in) {
  if (in.dbi_resource_id) return InstanceId(*in.dbi_resource_id);
  if (!in.db_instance_identifier) {
    return Refuse("InvalidParameterException",
                  "DBInstanceIdentifier or DbiResourceId says what is to be restored.");
  }
  OUTCOME_ASSIGN(const fleet::Instance instance,
                 operators::FindByName(context, *in.db_instance_identifier));
  return instance.id;
}

Outcome<nodes::Restore> WishOf(const InstanceId& source, const api::PlanRestoreRequest& in) {
  const bool latest = in.use_latest_restorable_time.value_or(false);
  if (latest == in.restore_time.has_value()) {
    return Refuse("InvalidParameterException",
                  "RestoreTime or UseLatestRestorableTime says to when, one of them.");
  }
  if (latest) return nodes::Restore{.source = source, .target = nodes::Restore::Target::kLatest};
  return nodes::Restore{
      .source = source, .target = nodes::Restore::Target::kTime, .time = *in.restore_time};
}

Outcome<api::PlanRestoreResponse> PlanRestore(const fleet::Context& context,
                                              const api::PlanRestoreRequest& in) {
  if (context.shelf == nullptr) {
    return Refuse("InvalidStateException", "This daemon has no repository of backups.");
  }
  OUTCOME_ASSIGN(const InstanceId source, SourceOf(context, in));
  OUTCOME_ASSIGN(const nodes::Restore wish, WishOf(source, in));
  const auto archived = fleet::WithArchived(context.store, wish);
  if (!archived) return Refuse(aws::FaultOf(archived.error()));
  const auto plan = context.shelf->Plan(*archived);
  if (!plan && plan.error().code() == Code::kNotFound) {
    return Refuse("ResourceNotFoundException", plan.error().what() + ".", 404);
  }
  if (!plan && plan.error().code() == Code::kInvalid) {
    return Refuse("InvalidParameterException", plan.error().what() + ".");
  }
  if (!plan) return Refuse(aws::FaultOf(plan.error()));
  return api::PlanRestoreResponse{
      .dbi_resource_id = source.str(),
      .backup = plan->backup,
      .earliest_time = plan->earliest,
      .latest_time = plan->latest,
      .until = plan->until,
      .size = static_cast<std::int64_t>(plan->size_bytes),
      .wal_size = static_cast<std::int64_t>(plan->wal_bytes),
      .estimated_seconds = std::chrono::ceil<std::chrono::seconds>(plan->estimate).count()};
}

std::string StateOf(const fleet::ImportOutcome& outcome, bool dry_run) {
  if (outcome.known) return "known";
  if (!outcome.problem.empty()) return "unreadable";
  if (outcome.snapshots == 0) return "empty";
  return dry_run ? "found" : "imported";
}

api::ImportedInstance ShapeOf(const fleet::ImportOutcome& outcome, bool dry_run) {
  api::ImportedInstance shape{.dbi_resource_id = outcome.instance.str(),
                              .state = StateOf(outcome, dry_run),
                              .snapshot_count = static_cast<std::int64_t>(outcome.snapshots)};
  if (!outcome.facts.identifier.empty()) shape.db_instance_identifier = outcome.facts.identifier;
  if (outcome.window) {
    shape.earliest_time = outcome.window->earliest;
    shape.latest_time = outcome.window->latest;
  }
  if (!outcome.problem.empty()) shape.problems.push_back(outcome.problem);
  for (const std::string& one : outcome.unreadable) shape.problems.push_back(one);
  return shape;
}

Outcome<api::ImportBackupsResponse> ImportBackups(const fleet::Context& context,
                                                  const api::ImportBackupsRequest& in) {
  if (context.shelf == nullptr) {
    return Refuse("InvalidStateException", "This daemon has no repository of backups.");
  }
  const bool dry_run = in.dry_run.value_or(false);
  const auto outcomes = fleet::ImportBackups(context, dry_run);
  if (!outcomes) {
    return Refuse("InvalidStateException",
                  "The repository cannot be read: " + outcomes.error().what() + ".");
  }
  api::ImportBackupsResponse out;
  for (const auto& outcome : *outcomes) out.instances.push_back(ShapeOf(outcome, dry_run));
  return out;
}

Outcome<api::ProveBackupResponse> Prove(const fleet::Context& context,
                                        const api::ProveBackupRequest& in) {
  OUTCOME_ASSIGN(const fleet::Instance instance,
                 operators::FindByName(context, in.db_instance_identifier.value_or("")));
  const auto asked = fleet::AskForProof(context, instance.identifier);
  if (!asked && asked.error().code() == Code::kFailedState) {
    return Refuse("InvalidStateException", "The DB instance '" + instance.identifier +
                                               "' cannot be tested: " + asked.error().what() + ".");
  }
  if (!asked) return Refuse(aws::FaultOf(asked.error()));
  return api::ProveBackupResponse{.asked = *asked};
}

}  // namespace

void RegisterRestore(aws::Service& service, const fleet::Context& context) {
  service.Register<api::ProveBackup>(
      [&](const RequestContext&, const api::ProveBackupRequest& in) { return Prove(context, in); });
  service.Register<api::PlanRestore>([&](const RequestContext&, const api::PlanRestoreRequest& in) {
    return PlanRestore(context, in);
  });
  service.Register<api::ImportBackups>(
      [&](const RequestContext&, const api::ImportBackupsRequest& in) {
        return ImportBackups(context, in);
      });
}

}  // namespace howdah::services
