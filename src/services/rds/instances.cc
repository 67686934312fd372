// DB instances: describe, delete, reboot, start, stop. Create and modify have files of their own.
#include "services/rds/instances.h"

#include <fmt/format.h>

#include "fleet/commands.h"

namespace howdah::services::rds {

namespace {

bool Matches(const fleet::Instance& instance, const fleet::Context& context,
             const api::Filter& filter) {
  const std::string name = filter.name.value_or("");
  return std::ranges::any_of(filter.values, [&](const std::string& value) {
    if (name == "dbi-resource-id") return value == instance.id.str();
    if (name == "engine") return value == kEngine;
    return IdentifierIn(value) == instance.identifier ||
           value == context.InstanceArn(instance.identifier);
  });
}

Outcome<void> ValidFilters(const aws::List<api::Filter>& filters) {
  static constexpr std::array<std::string_view, 5> kKnown = {"db-instance-id", "dbi-resource-id",
                                                             "engine", "db-cluster-id", "domain"};
  for (const api::Filter& filter : filters) {
    const std::string name = filter.name.value_or("");
    if (std::ranges::find(kKnown, name) == kKnown.end()) {
      return Refuse(aws::InvalidParameterValue("Unrecognized filter name: " + name));
    }
  }
  return {};
}

Outcome<api::DBInstanceMessage> Describe(const fleet::Context& context,
                                         const api::DescribeDBInstancesMessage& in) {
  OUTCOME_TRY(ValidFilters(in.filters));
  std::vector<fleet::Instance> instances;
  if (in.db_instance_identifier) {
    OUTCOME_ASSIGN(auto found, Find(context, *in.db_instance_identifier));
    instances.push_back(std::move(found.value));
  } else {
    auto all = fleet::ListInstances(context.store);
    if (!all) return Refuse(aws::FaultOf(all.error()));
    instances = *std::move(all);
  }
  for (const api::Filter& filter : in.filters) {
    const std::string name = filter.name.value_or("");
    const bool none = name == "db-cluster-id" || name == "domain";
    std::erase_if(instances, [&](const fleet::Instance& instance) {
      return none || !Matches(instance, context, filter);
    });
  }
  std::ranges::sort(instances, {}, &fleet::Instance::identifier);
  api::DBInstanceMessage out;
  OUTCOME_ASSIGN(const aws::List<fleet::Instance> page,
                 Page(std::move(instances), in.max_records, in.marker, out.marker));
  for (const fleet::Instance& instance : page) {
    OUTCOME_ASSIGN(api::DBInstance shape, ToShape(context, instance));
    out.db_instances.push_back(std::move(shape));
  }
  return out;
}

Outcome<api::DeleteDBInstanceResult> Delete(const fleet::Context& context,
                                            const api::DeleteDBInstanceMessage& in) {
  OUTCOME_ASSIGN(const auto found, Find(context, in.db_instance_identifier.value_or("")));
  const std::string& identifier = found.value.identifier;
  if (found.value.settings.deletion_protection) {
    return Refuse(aws::InvalidParameterCombination(
        "Cannot delete protected DB Instance, please disable deletion protection and try again."));
  }
  const bool skip = in.skip_final_snapshot.value_or(false);
  if (!skip && !in.final_db_snapshot_identifier) {
    return Refuse(aws::InvalidParameterCombination(
        "FinalDBSnapshotIdentifier is required unless SkipFinalSnapshot is specified."));
  }
  if (skip && in.final_db_snapshot_identifier) {
    return Refuse(aws::InvalidParameterCombination(
        "FinalDBSnapshotIdentifier can not be specified when SkipFinalSnapshot is true."));
  }
  if (!skip) {
    return Refuse(aws::InvalidParameterCombination(
        "FinalDBSnapshotIdentifier is not served by Howdah yet: there are no snapshots. Give "
        "SkipFinalSnapshot=true if the data may go."));
  }
  // A failed creation is tolerated: its record is all that is left.
  OUTCOME_ASSIGN(api::DBInstance shape,
                 Answer(context, identifier, fleet::DeleteInstance(context, identifier)));
  return api::DeleteDBInstanceResult{.db_instance = std::move(shape)};
}

Outcome<api::RebootDBInstanceResult> Reboot(const fleet::Context& context,
                                            const api::RebootDBInstanceMessage& in) {
  OUTCOME_ASSIGN(const auto found, Find(context, in.db_instance_identifier.value_or("")));
  if (in.force_failover.value_or(false)) {
    const char* why = found.value.settings.multi_az
                          ? "ForceFailover is not served by Howdah yet."
                          : "Cannot request a forced failover on a Single-AZ DB instance.";
    return Refuse(aws::InvalidParameterCombination(why));
  }
  const std::string& identifier = found.value.identifier;
  OUTCOME_ASSIGN(api::DBInstance shape,
                 Answer(context, identifier, fleet::RebootInstance(context, identifier)));
  return api::RebootDBInstanceResult{.db_instance = std::move(shape)};
}

Outcome<api::StopDBInstanceResult> Stop(const fleet::Context& context,
                                        const api::StopDBInstanceMessage& in) {
  if (in.db_snapshot_identifier) {
    return Refuse(aws::InvalidParameterCombination(
        "DBSnapshotIdentifier is not served by Howdah yet: there are no snapshots."));
  }
  OUTCOME_ASSIGN(const auto found, Find(context, in.db_instance_identifier.value_or("")));
  const std::string& identifier = found.value.identifier;
  OUTCOME_ASSIGN(api::DBInstance shape,
                 Answer(context, identifier, fleet::StopInstance(context, identifier)));
  return api::StopDBInstanceResult{.db_instance = std::move(shape)};
}

Outcome<api::StartDBInstanceResult> Start(const fleet::Context& context,
                                          const api::StartDBInstanceMessage& in) {
  OUTCOME_ASSIGN(const auto found, Find(context, in.db_instance_identifier.value_or("")));
  const std::string& identifier = found.value.identifier;
  OUTCOME_ASSIGN(api::DBInstance shape,
                 Answer(context, identifier, fleet::StartInstance(context, identifier)));
  return api::StartDBInstanceResult{.db_instance = std::move(shape)};
}

}  // namespace

void RegisterInstances(aws::Service& service, const fleet::Context& context) {
  const auto with = [&context](auto handler) {
    return
        [&context, handler](const RequestContext&, const auto& in) { return handler(context, in); };
  };
  service.Register<api::CreateDBInstance>(with(Create));
  service.Register<api::DescribeDBInstances>(with(Describe));
  service.Register<api::ModifyDBInstance>(with(Modify));
  service.Register<api::DeleteDBInstance>(with(Delete));
  service.Register<api::RebootDBInstance>(with(Reboot));
  service.Register<api::StopDBInstance>(with(Stop));
  service.Register<api::StartDBInstance>(with(Start));
}

}  // namespace howdah::services::rds
