// The two restores: from a DB snapshot, and to a point in time. Each is planned before anything is
// made, and then a creation like any other, whose first node begins with what was backed up.
#include <fmt/format.h>

#include "fleet/backup_commands.h"
#include "fleet/node_plan.h"
#include "services/rds/automated_backups.h"
#include "services/rds/new_instance.h"
#include "services/rds/not_served.h"
#include "services/rds/snapshots.h"
#include "services/rds/validate.h"

namespace howdah::services::rds {

namespace {

using FromSnapshot = api::RestoreDBInstanceFromDBSnapshotMessage;
using ToTime = api::RestoreDBInstanceToPointInTimeMessage;

// The group of that name; without one the default group, or, where there is no default VPC, the
// source's own.
std::string SubnetGroupFor(const fleet::Context& context, const std::optional<std::string>& wanted,
                           const fleet::InstanceFacts& source) {
  if (wanted) return *wanted;
  return fleet::LoadSubnetGroup(context, "default") ? "default" : source.subnet_group;
}

// What is restored, in the words of a creation: what is not asked for is as it was.
template <typename Message>
api::CreateDBInstanceMessage AsCreation(const fleet::Context& context, const Message& in,
                                        const fleet::InstanceFacts& source) {
  api::CreateDBInstanceMessage as;
  as.db_instance_class = in.db_instance_class.value_or(source.instance_class);
  as.allocated_storage = in.allocated_storage.value_or(source.storage_gib);
  as.storage_type = in.storage_type.value_or(source.storage_type);
  as.port = in.port.value_or(source.port);
  as.backup_retention_period = in.backup_retention_period.value_or(source.retention_days);
  as.preferred_backup_window = in.preferred_backup_window.value_or(source.backup_window);
  as.preferred_maintenance_window = source.maintenance_window;
  as.db_subnet_group_name = SubnetGroupFor(context, in.db_subnet_group_name, source);
  as.vpc_security_group_ids = in.vpc_security_group_ids;
  as.availability_zone = in.availability_zone;
  as.multi_az = in.multi_az;
  as.publicly_accessible = in.publicly_accessible;
  as.auto_minor_version_upgrade = in.auto_minor_version_upgrade;
  as.license_model = in.license_model;
  as.iops = in.iops;
  as.storage_throughput = in.storage_throughput;
  as.option_group_name = in.option_group_name;
  as.db_parameter_group_name = in.db_parameter_group_name;
  as.tags = in.tags;
  as.domain = in.domain;
  as.domain_dns_ips = in.domain_dns_ips;
  as.copy_tags_to_snapshot = in.copy_tags_to_snapshot;
  as.enable_iam_database_authentication = in.enable_iam_database_authentication;
  as.enable_cloudwatch_logs_exports = in.enable_cloudwatch_logs_exports;
  as.processor_features = in.processor_features;
  as.deletion_protection = in.deletion_protection;
  as.enable_customer_owned_ip = in.enable_customer_owned_ip;
  as.network_type = in.network_type;
  as.backup_target = in.backup_target;
  as.dedicated_log_volume = in.dedicated_log_volume;
  as.ca_certificate_identifier = in.ca_certificate_identifier;
  as.engine_lifecycle_support = in.engine_lifecycle_support;
  as.manage_master_user_password = in.manage_master_user_password;
  return as;
}

Outcome<void> ValidStorage(const api::CreateDBInstanceMessage& as,
                           const fleet::InstanceFacts& source) {
  if (*as.allocated_storage >= source.storage_gib) return {};
  return Refuse(aws::InvalidParameterValue(fmt::format(
      "Invalid storage size for engine name postgres and storage type {}: {}. AllocatedStorage "
      "cannot be less than the {} GiB of what is restored.",
      *as.storage_type, *as.allocated_storage, source.storage_gib)));
}

template <typename Message>
Outcome<fleet::NewInstance> WishFor(const fleet::Context& context, const Message& in,
                                    const api::CreateDBInstanceMessage& as,
                                    const fleet::InstanceFacts& source) {
  if (in.engine.value_or(std::string(kEngine)) != kEngine) {
    return Refuse(aws::InvalidParameterValue(
        fmt::format("Invalid DB engine: {}. Howdah runs postgres.", *in.engine)));
  }
  if (in.db_name) {
    return Refuse(aws::InvalidParameterValue(
        "DBName does not apply to the postgres engine: a restore has the databases that its source "
        "had."));
  }
  OUTCOME_TRY(RefuseNotServed(in));
  OUTCOME_TRY(RefuseNotServed(as, MajorOf(source.version)));
  OUTCOME_ASSIGN(const std::string version, ChooseVersion(context, source.version));
  OUTCOME_TRY(ValidStorage(as, source));
  OUTCOME_ASSIGN(fleet::NewInstance wish, NewInstanceFrom(context, as, version));
  wish.master_user = source.master_user;
  wish.database = source.database;
  wish.settings.password_stamp = 0;  // the password is the restored one
  return wish;
}

// Whether and how it can be done, before anything is.
Outcome<void> Plan(const fleet::Context& context, nodes::Restore& restore) {
  const auto plan = context.shelf->Plan(restore);
  if (!plan && (plan.error().code() == Code::kInvalid || plan.error().code() == Code::kNotFound)) {
    return Refuse(api::fault::InvalidRestoreFault("Cannot restore: " + plan.error().what() + "."));
  }
  if (!plan) return Refuse(aws::FaultOf(plan.error()));
  restore.backup = plan->backup;
  return {};
}

Outcome<api::DBInstance> Begin(const fleet::Context& context, const fleet::NewInstance& wish) {
  const Result<fleet::Instance> done = fleet::CreateInstance(context, wish);
  if (!done && done.error().code() == Code::kNotFound) {
    return Refuse(api::fault::InvalidRestoreFault(
        "Cannot restore: the backup was deleted at the same moment. Try again."));
  }
  return Answer(context, wish.identifier, done);
}

Outcome<api::RestoreDBInstanceFromDBSnapshotResult> RestoreFromSnapshot(
    const fleet::Context& context, const FromSnapshot& in) {
  OUTCOME_ASSIGN(const std::string identifier,
                 ValidIdentifier("DBInstanceIdentifier", in.db_instance_identifier.value_or("")));
  OUTCOME_ASSIGN(const std::string name,
                 Required(in.db_snapshot_identifier, "DBSnapshotIdentifier"));
  OUTCOME_ASSIGN(const auto found, FindSnapshot(context, name));
  const fleet::DbSnapshot& snapshot = found.value;
  OUTCOME_TRY(HasRepository(context, "DBSnapshotIdentifier"));
  if (!snapshot.IsAvailable()) {
    return Refuse(api::fault::InvalidDBSnapshotStateFault(
        fmt::format("Cannot restore from DB snapshot {}: it is in {} state.", snapshot.identifier,
                    fleet::StatusOf(snapshot))));
  }
  OUTCOME_ASSIGN(fleet::NewInstance wish,
                 WishFor(context, in, AsCreation(context, in, snapshot.facts), snapshot.facts));
  wish.identifier = identifier;
  wish.restore = {.source = snapshot.instance, .backup = snapshot.backup};
  OUTCOME_TRY(Plan(context, wish.restore));
  wish.restored_from = "Restored from snapshot " + snapshot.identifier;
  OUTCOME_ASSIGN(api::DBInstance shape, Begin(context, wish));
  return api::RestoreDBInstanceFromDBSnapshotResult{.db_instance = std::move(shape)};
}

// Whose backups, present or retained, and from when to when they reach.
struct Source {
  InstanceId instance;
  fleet::InstanceFacts facts;
  std::optional<fleet::RestoreWindow> window;
};

Outcome<Source> SourceInstance(const fleet::Context& context, const fleet::Instance& instance) {
  if (instance.settings.backup_retention_days == 0) {
    return Refuse(api::fault::PointInTimeRestoreNotEnabledFault(
        fmt::format("Point in time restore is not enabled for DB instance {}: its "
                    "BackupRetentionPeriod is 0.",
                    instance.identifier)));
  }
  const auto window = fleet::RestoreWindowOf(context, instance);
  if (!window) return Refuse(aws::FaultOf(window.error()));
  return Source{.instance = instance.id, .facts = fleet::FactsOf(instance), .window = *window};
}

Outcome<Source> FindSource(const fleet::Context& context, const ToTime& in) {
  const auto& arn = in.source_db_instance_automated_backups_arn;
  const int named = int{in.source_db_instance_identifier.has_value()} +
                    int{in.source_dbi_resource_id.has_value()} + int{arn.has_value()};
  if (named != 1) {
    return Refuse(aws::InvalidParameterCombination(
        "Give exactly one of SourceDBInstanceIdentifier, SourceDbiResourceId and "
        "SourceDBInstanceAutomatedBackupsArn."));
  }
  if (in.source_db_instance_identifier) {
    OUTCOME_ASSIGN(const auto found, Find(context, *in.source_db_instance_identifier));
    return SourceInstance(context, found.value);
  }
  if (in.source_dbi_resource_id) {
    const auto found = fleet::LoadInstance(context.store, InstanceId(*in.source_dbi_resource_id));
    if (found) return SourceInstance(context, found->value);
  }
  OUTCOME_ASSIGN(const fleet::AutomatedBackup backup,
                 FindAutomatedBackup(context, in.source_dbi_resource_id, arn));
  const auto instance = fleet::LoadInstance(context.store, backup.instance);
  if (instance) return SourceInstance(context, instance->value);
  const auto window = fleet::RestoreWindowOf(context, backup);
  if (!window) return Refuse(aws::FaultOf(window.error()));
  return Source{.instance = backup.instance, .facts = backup.facts, .window = *window};
}

// To the second: what RDS shows and takes has no more, so the last one belongs to it.
Outcome<nodes::Restore> TargetOf(const ToTime& in, const Source& source) {
  const bool latest = in.use_latest_restorable_time.value_or(false);
  if (latest == in.restore_time.has_value()) {
    return Refuse(aws::InvalidParameterCombination(
        latest ? "RestoreTime cannot be specified when UseLatestRestorableTime is true."
               : "Give either RestoreTime or UseLatestRestorableTime."));
  }
  if (!source.window) {
    return Refuse(api::fault::InvalidRestoreFault(
        fmt::format("Cannot restore {}: its first automated backup is not finished.",
                    source.facts.identifier)));
  }
  if (latest) return nodes::Restore{source.instance, "", nodes::Restore::Target::kLatest};
  const WallTime time = *in.restore_time;
  if (time < source.window->earliest || time > source.window->latest) {
    return Refuse(api::fault::InvalidRestoreFault(
        fmt::format("Cannot restore {} to {}: it can be restored to any time from {} to {}.",
                    source.facts.identifier, FormatIso8601(time),
                    FormatIso8601(source.window->earliest), FormatIso8601(source.window->latest))));
  }
  return nodes::Restore{source.instance, "", nodes::Restore::Target::kTime, time};
}

Outcome<api::RestoreDBInstanceToPointInTimeResult> RestoreToTime(const fleet::Context& context,
                                                                 const ToTime& in) {
  OUTCOME_ASSIGN(
      const std::string identifier,
      ValidIdentifier("TargetDBInstanceIdentifier", in.target_db_instance_identifier.value_or("")));
  OUTCOME_ASSIGN(const Source source, FindSource(context, in));
  OUTCOME_TRY(HasRepository(context, "RestoreTime"));
  OUTCOME_ASSIGN(nodes::Restore restore, TargetOf(in, source));
  api::CreateDBInstanceMessage as = AsCreation(context, in, source.facts);
  as.max_allocated_storage = in.max_allocated_storage;
  OUTCOME_ASSIGN(fleet::NewInstance wish, WishFor(context, in, as, source.facts));
  const auto archived = fleet::WithArchived(context.store, restore);
  if (!archived) return Refuse(aws::FaultOf(archived.error()));
  restore = *archived;
  OUTCOME_TRY(Plan(context, restore));
  wish.identifier = identifier;
  wish.restore = restore;
  wish.restored_from =
      fmt::format("Restored from DB instance {} to {}", source.facts.identifier, identifier);
  OUTCOME_ASSIGN(api::DBInstance shape, Begin(context, wish));
  return api::RestoreDBInstanceToPointInTimeResult{.db_instance = std::move(shape)};
}

}  // namespace

void RegisterRestores(aws::Service& service, const fleet::Context& context) {
  const auto with = [&context](auto handler) {
    return
        [&context, handler](const RequestContext&, const auto& in) { return handler(context, in); };
  };
  service.Register<api::RestoreDBInstanceFromDBSnapshot>(with(RestoreFromSnapshot));
  service.Register<api::RestoreDBInstanceToPointInTime>(with(RestoreToTime));
}

}  // namespace howdah::services::rds
