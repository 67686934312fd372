// What a restore would do, without doing it: for `howdah restore --dry-run`.
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
  const auto plan = context.shelf->Plan(wish);
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

}  // namespace

void RegisterRestore(aws::Service& service, const fleet::Context& context) {
  service.Register<api::PlanRestore>([&](const RequestContext&, const api::PlanRestoreRequest& in) {
    return PlanRestore(context, in);
  });
}

}  // namespace howdah::services
