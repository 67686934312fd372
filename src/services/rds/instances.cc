// DB instances: describe, delete, reboot, start, stop. Create and modify have files of their own.
#include "services/rds/instances.h"

#include <fmt/format.h>

#include "fleet/commands.h"
#include "services/rds/filters.h"
#include "services/rds/snapshots.h"
#include "services/rds/validate.h"

namespace howdah::services::rds {

namespace {

using Names = std::vector<fleet::InstanceName>;

bool Matches(const fleet::Instance& instance, std::string_view filter, const std::string& value) {
  if (filter == "db-instance-id") return IdentifierIn(value) == instance.identifier;
  if (filter == "dbi-resource-id") return value == instance.id.str();
  return filter == "engine" && value == kEngine;  // nothing is in a cluster or a domain
}

bool MatchesAll(const fleet::Instance& instance, const aws::List<api::Filter>& filters) {
  return std::ranges::all_of(filters, [&](const api::Filter& filter) {
    return std::ranges::any_of(filter.values, [&](const std::string& value) {
      return Matches(instance, *filter.name, value);
    });
  });
}

// A filter of names or of ids says whom to look at; else all are looked at, by name, until the page
// is full. Sorted by name.
Outcome<Names> Candidates(const fleet::Context& context, const aws::List<api::Filter>& filters) {
  Names names;
  const auto by = std::ranges::find_if(filters, [](const api::Filter& filter) {
    return filter.name == "dbi-resource-id" || filter.name == "db-instance-id";
  });
  if (by == filters.end()) {
    auto all = fleet::ListInstanceNames(context.store);
    if (!all) return Refuse(aws::FaultOf(all.error()));
    return *std::move(all);
  }
  for (const std::string& value : by->values) {
    const auto found = by->name == "dbi-resource-id"
                           ? fleet::LoadInstance(context.store, InstanceId(value))
                           : fleet::FindInstance(context.store, IdentifierIn(value));
    if (!found && found.error().code() == Code::kNotFound) continue;
    if (!found) return Refuse(aws::FaultOf(found.error()));
    names.push_back({.identifier = found->value.identifier, .id = found->value.id});
  }
  std::ranges::sort(names, {}, &fleet::InstanceName::identifier);
  const auto [first, last] = std::ranges::unique(names, {}, &fleet::InstanceName::identifier);
  names.erase(first, last);
  return names;
}

// Reads what the page needs, and one more to know whether more follow.
Outcome<api::DBInstanceMessage> DescribeMany(const fleet::Context& context,
                                             const api::DescribeDBInstancesMessage& in) {
  OUTCOME_ASSIGN(const std::size_t size, PageSize(in.max_records));
  OUTCOME_ASSIGN(const std::optional<std::string> after, KeyOf(in.marker));
  OUTCOME_ASSIGN(const Names names, Candidates(context, in.filters));
  api::DBInstanceMessage out;
  out.db_instances.MarkPresent();
  SubnetGroupShapes groups;
  for (const auto& [name, id] : names) {
    if (after && name <= *after) continue;
    const auto instance = fleet::LoadInstance(context.store, id);
    if (!instance && instance.error().code() == Code::kNotFound) continue;  // deleted meanwhile
    if (!instance) return Refuse(aws::FaultOf(instance.error()));
    const bool is_its_name = instance->value.identifier == name;  // not one that it will have
    if (!is_its_name || !MatchesAll(instance->value, in.filters)) continue;
    if (out.db_instances.size() == size) {
      out.marker = MarkerAfter(*out.db_instances.back().db_instance_identifier);
      return out;
    }
    OUTCOME_ASSIGN(api::DBInstance shape, ToShape(context, instance->value, groups));
    out.db_instances.push_back(std::move(shape));
  }
  return out;
}

Outcome<api::DBInstanceMessage> Describe(const fleet::Context& context,
                                         const api::DescribeDBInstancesMessage& in) {
  OUTCOME_TRY(ValidFilters(
      in.filters, {"db-instance-id", "dbi-resource-id", "engine", "db-cluster-id", "domain"}));
  if (!in.db_instance_identifier) return DescribeMany(context, in);
  OUTCOME_TRY(PageSize(in.max_records));
  OUTCOME_TRY(KeyOf(in.marker));
  OUTCOME_ASSIGN(const auto found, Find(context, *in.db_instance_identifier));
  api::DBInstanceMessage out;
  out.db_instances.MarkPresent();
  if (!MatchesAll(found.value, in.filters)) return out;
  OUTCOME_ASSIGN(api::DBInstance shape, ToShape(context, found.value));
  out.db_instances.push_back(std::move(shape));
  return out;
}

// The snapshot that a deletion would leave is wanted, or expressly not.
Outcome<void> ValidFinalSnapshot(const api::DeleteDBInstanceMessage& in) {
  const bool skip = in.skip_final_snapshot.value_or(false);
  if (!skip && !in.final_db_snapshot_identifier) {
    return Refuse(aws::InvalidParameterCombination(
        "FinalDBSnapshotIdentifier is required unless SkipFinalSnapshot is specified."));
  }
  if (skip && in.final_db_snapshot_identifier) {
    return Refuse(aws::InvalidParameterCombination(
        "FinalDBSnapshotIdentifier can not be specified when SkipFinalSnapshot is true."));
  }
  return {};
}

Outcome<api::DeleteDBInstanceResult> Delete(const fleet::Context& context,
                                            const api::DeleteDBInstanceMessage& in) {
  OUTCOME_ASSIGN(const auto found, Find(context, in.db_instance_identifier.value_or("")));
  const std::string& identifier = found.value.identifier;
  if (found.value.settings.deletion_protection) {
    return Refuse(aws::InvalidParameterCombination(
        "Cannot delete protected DB Instance, please disable deletion protection and try again."));
  }
  OUTCOME_TRY(ValidFinalSnapshot(in));
  fleet::Deletion how{.keeps_backups = !in.delete_automated_backups.value_or(true)};
  if (in.final_db_snapshot_identifier) {
    OUTCOME_TRY(HasRepository(context, "FinalDBSnapshotIdentifier"));
    OUTCOME_ASSIGN(how.final_snapshot, ValidSnapshotIdentifier("FinalDBSnapshotIdentifier",
                                                               *in.final_db_snapshot_identifier));
  }
  // A failed creation is tolerated: its record is all that is left.
  const Result<fleet::Instance> done = fleet::DeleteInstance(context, identifier, how);
  OUTCOME_TRY(SnapshotTaken(context, done, how.final_snapshot));
  OUTCOME_ASSIGN(api::DBInstance shape, Answer(context, identifier, done));
  return api::DeleteDBInstanceResult{.db_instance = std::move(shape)};
}

Outcome<api::RebootDBInstanceResult> Reboot(const fleet::Context& context,
                                            const api::RebootDBInstanceMessage& in) {
  OUTCOME_ASSIGN(const auto found, Find(context, in.db_instance_identifier.value_or("")));
  const std::string& identifier = found.value.identifier;
  const bool failover = in.force_failover.value_or(false);
  if (failover && !found.value.settings.multi_az) {
    return Refuse(aws::InvalidParameterCombination(
        "Cannot request a forced failover on a Single-AZ DB instance."));
  }
  const Result<fleet::Instance> done = failover ? fleet::FailoverInstance(context, identifier)
                                                : fleet::RebootInstance(context, identifier);
  if (!done && done.error().code() == Code::kUnavailable) {
    return Refuse(api::fault::InvalidDBInstanceStateFault(
        fmt::format("Instance {} cannot fail over: {}.", identifier, done.error().what())));
  }
  OUTCOME_ASSIGN(api::DBInstance shape, Answer(context, identifier, done));
  return api::RebootDBInstanceResult{.db_instance = std::move(shape)};
}

Outcome<api::StopDBInstanceResult> Stop(const fleet::Context& context,
                                        const api::StopDBInstanceMessage& in) {
  OUTCOME_ASSIGN(const auto found, Find(context, in.db_instance_identifier.value_or("")));
  const std::string& identifier = found.value.identifier;
  std::string snapshot;
  if (in.db_snapshot_identifier) {
    OUTCOME_TRY(HasRepository(context, "DBSnapshotIdentifier"));
    OUTCOME_ASSIGN(snapshot,
                   ValidSnapshotIdentifier("DBSnapshotIdentifier", *in.db_snapshot_identifier));
  }
  const Result<fleet::Instance> done = fleet::StopInstance(context, identifier, snapshot);
  OUTCOME_TRY(SnapshotTaken(context, done, snapshot));
  OUTCOME_ASSIGN(api::DBInstance shape, Answer(context, identifier, done));
  return api::StopDBInstanceResult{.db_instance = std::move(shape)};
}

Outcome<api::StartDBInstanceResult> Start(const fleet::Context& context,
                                          const api::StartDBInstanceMessage& in) {
  OUTCOME_ASSIGN(const auto found, Find(context, in.db_instance_identifier.value_or("")));
  const std::string& identifier = found.value.identifier;
  OUTCOME_ASSIGN(api::DBInstance shape,
                 Answer(context, identifier, fleet::StartInstance(context, identifier), "stopped"));
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
