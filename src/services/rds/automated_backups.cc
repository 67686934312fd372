// Automated backups: of instances that are there, and retained ones of deleted instances.
#include "services/rds/automated_backups.h"

#include <fmt/format.h>

#include "fleet/backup_commands.h"
#include "services/rds/filters.h"
#include "services/rds/instances.h"

namespace howdah::services::rds {

namespace {

using fleet::AutomatedBackup;

std::unexpected<aws::Fault> NotFound() {
  return Refuse(api::fault::DBInstanceAutomatedBackupNotFoundFault(
      "No automated backup for this DB instance was found."));
}

Outcome<std::vector<AutomatedBackup>> All(const fleet::Context& context) {
  const auto all = fleet::ListAutomatedBackups(context.store);
  if (!all) return Refuse(aws::FaultOf(all.error()));
  std::vector<AutomatedBackup> backups;
  for (const auto& [backup, revision] : *all) {
    if (!backup.doomed) backups.push_back(backup);
  }
  return backups;
}

struct Facts {
  fleet::InstanceFacts facts;
  std::optional<fleet::RestoreWindow> window;
};

// What it is of now, or was of.
Result<Facts> FactsOf(const fleet::Context& context, const AutomatedBackup& backup) {
  if (backup.retained) {
    TRY_ASSIGN(const auto window, fleet::RestoreWindowOf(context, backup));
    return Facts{.facts = backup.facts, .window = window};
  }
  TRY_ASSIGN(const auto instance, fleet::LoadInstance(context.store, backup.instance));
  TRY_ASSIGN(const auto window, fleet::RestoreWindowOf(context, instance.value));
  return Facts{.facts = fleet::FactsOf(instance.value), .window = window};
}

api::DBInstanceAutomatedBackup Shape(const fleet::Context& context, const AutomatedBackup& backup,
                                     const Facts& is) {
  const fleet::InstanceFacts& facts = is.facts;
  api::DBInstanceAutomatedBackup shape;
  shape.db_instance_identifier = facts.identifier;
  shape.db_instance_arn = context.InstanceArn(facts.identifier);
  shape.dbi_resource_id = backup.instance.str();
  shape.db_instance_automated_backups_arn = AutomatedBackupArn(context, backup);
  shape.region = context.region;
  shape.status = backup.retained ? "retained" : is.window ? "active" : "creating";
  if (is.window) {
    shape.restore_window =
        api::RestoreWindow{.earliest_time = is.window->earliest, .latest_time = is.window->latest};
  }
  shape.allocated_storage = facts.storage_gib;
  shape.storage_type = facts.storage_type;
  shape.port = facts.port;
  shape.availability_zone = facts.zone;
  shape.vpc_id = facts.vpc;
  if (facts.created != WallTime{}) shape.instance_create_time = facts.created;
  shape.master_username = facts.master_user;
  shape.engine = std::string(kEngine);
  shape.engine_version = facts.version;
  shape.license_model = std::string(kLicense);
  shape.option_group_name = fmt::format("default:postgres-{}", MajorOf(facts.version));
  shape.encrypted = false;
  shape.iam_database_authentication_enabled = false;
  shape.multi_tenant = false;
  shape.dedicated_log_volume = false;
  shape.backup_target = "region";
  shape.backup_retention_period = facts.retention_days;
  shape.preferred_backup_window = facts.backup_window;
  shape.tag_list = ToShape(facts.tags);
  return shape;
}

bool Matches(const api::DBInstanceAutomatedBackup& backup, std::string_view filter,
             const std::string& value) {
  if (filter == "status") return value == backup.status;
  if (filter == "db-instance-id") return IdentifierIn(value) == backup.db_instance_identifier;
  return filter == "dbi-resource-id" && value == backup.dbi_resource_id;
}

Outcome<api::DBInstanceAutomatedBackupMessage> Describe(
    const fleet::Context& context, const api::DescribeDBInstanceAutomatedBackupsMessage& in) {
  OUTCOME_TRY(ValidFilters(in.filters, {"status", "db-instance-id", "dbi-resource-id"}));
  OUTCOME_ASSIGN(const std::vector<AutomatedBackup> all, All(context));
  std::vector<api::DBInstanceAutomatedBackup> shapes;
  for (const AutomatedBackup& backup : all) {
    const auto facts = FactsOf(context, backup);
    if (!facts && facts.error().code() == Code::kNotFound) continue;  // going
    if (!facts) return Refuse(aws::FaultOf(facts.error()));
    shapes.push_back(Shape(context, backup, *facts));
  }
  std::erase_if(shapes, [&](const api::DBInstanceAutomatedBackup& it) {
    const auto& name = in.db_instance_identifier;
    const auto& arn = in.db_instance_automated_backups_arn;
    return (in.dbi_resource_id && in.dbi_resource_id != it.dbi_resource_id) ||
           (name && IdentifierIn(*name) != it.db_instance_identifier) ||
           (arn && arn != it.db_instance_automated_backups_arn);
  });
  const bool named =
      in.dbi_resource_id || in.db_instance_identifier || in.db_instance_automated_backups_arn;
  if (named && shapes.empty()) return NotFound();
  KeepMatching(shapes, in.filters, Matches);
  api::DBInstanceAutomatedBackupMessage out;
  OUTCOME_ASSIGN(
      out.db_instance_automated_backups,
      Page(std::move(shapes), in, out.marker, [](const auto& it) { return *it.dbi_resource_id; }));
  return out;
}

Outcome<api::DeleteDBInstanceAutomatedBackupResult> Delete(
    const fleet::Context& context, const api::DeleteDBInstanceAutomatedBackupMessage& in) {
  if (in.dbi_resource_id.has_value() == in.db_instance_automated_backups_arn.has_value()) {
    return Refuse(aws::InvalidParameterCombination(
        "Give either DbiResourceId or DBInstanceAutomatedBackupsArn."));
  }
  OUTCOME_ASSIGN(
      const AutomatedBackup backup,
      FindAutomatedBackup(context, in.dbi_resource_id, in.db_instance_automated_backups_arn));
  const auto facts = FactsOf(context, backup);
  const auto gone = fleet::DeleteAutomatedBackup(context, backup.instance);
  if (!gone && gone.error().code() == Code::kFailedState) {
    return Refuse(api::fault::InvalidDBInstanceAutomatedBackupStateFault(
        "The automated backup is in an invalid state: it is associated with an active DB instance. "
        "A BackupRetentionPeriod of 0 deletes it."));
  }
  if (!gone && gone.error().code() == Code::kNotFound) return NotFound();
  if (!gone) return Refuse(aws::FaultOf(gone.error()));
  if (!facts) return Refuse(aws::FaultOf(facts.error()));
  api::DBInstanceAutomatedBackup shape = Shape(context, backup, *facts);
  shape.status = "deleting";
  return api::DeleteDBInstanceAutomatedBackupResult{.db_instance_automated_backup =
                                                        std::move(shape)};
}

}  // namespace

std::string AutomatedBackupArn(const fleet::Context& context, const AutomatedBackup& backup) {
  return "arn:aws:rds:" + context.region + ":" + context.account + ":auto-backup:" + backup.arn_id;
}

Outcome<AutomatedBackup> FindAutomatedBackup(const fleet::Context& context,
                                             const std::optional<std::string>& resource_id,
                                             const std::optional<std::string>& arn) {
  OUTCOME_ASSIGN(const std::vector<AutomatedBackup> all, All(context));
  for (const AutomatedBackup& backup : all) {
    const bool by_id = !resource_id || *resource_id == backup.instance.str();
    const bool by_arn = !arn || *arn == AutomatedBackupArn(context, backup);
    if (by_id && by_arn) return backup;
  }
  return NotFound();
}

void RegisterAutomatedBackups(aws::Service& service, const fleet::Context& context) {
  const auto with = [&context](auto handler) {
    return
        [&context, handler](const RequestContext&, const auto& in) { return handler(context, in); };
  };
  service.Register<api::DescribeDBInstanceAutomatedBackups>(with(Describe));
  service.Register<api::DeleteDBInstanceAutomatedBackup>(with(Delete));
}

}  // namespace howdah::services::rds
