// ModifyDBInstance: what should be different, checked and handed to the fleet as a whole.
#include <fmt/format.h>

#include "fleet/commands.h"
#include "postgres/scram.h"
#include "services/rds/instances.h"
#include "services/rds/not_served.h"
#include "services/rds/validate.h"

namespace howdah::services::rds {

namespace {

Outcome<fleet::Change> ChangeOf(const fleet::Context& context,
                                const api::ModifyDBInstanceMessage& in,
                                const fleet::Instance& instance) {
  fleet::Change change{.settings = instance.settings};
  fleet::Settings& wanted = change.settings;
  if (in.db_instance_class && *in.db_instance_class != wanted.instance_class) {
    OUTCOME_TRY(ValidClass(*in.db_instance_class, instance.version));
    wanted.instance_class = *in.db_instance_class;
    change.announcements.push_back("Finished applying modification to DB instance class");
  }
  if (in.allocated_storage && *in.allocated_storage != wanted.storage_gib) {
    OUTCOME_TRY(ValidStorage(wanted.storage_type, *in.allocated_storage));
    if (*in.allocated_storage * 10 < wanted.storage_gib * 11) {
      return Refuse(aws::InvalidParameterCombination(fmt::format(
          "Invalid storage size: {} GiB. Storage can only grow, by at least 10 % (from {} GiB).",
          *in.allocated_storage, wanted.storage_gib)));
    }
    wanted.storage_gib = *in.allocated_storage;
    change.announcements.push_back("Finished applying modification to allocated storage");
  }
  if (in.storage_type) wanted.storage_type = *in.storage_type;
  if (in.multi_az && *in.multi_az != wanted.multi_az) {
    if (*in.multi_az && instance.secondary_zone.empty()) {
      return Refuse(api::fault::DBSubnetGroupDoesNotCoverEnoughAZs(
          "The DB subnet group covers one availability zone only; Multi-AZ needs two."));
    }
    wanted.multi_az = *in.multi_az;
    change.announcements.push_back(wanted.multi_az
                                       ? "Finished applying modification to convert to a Multi-AZ "
                                         "DB instance"
                                       : "Finished applying modification to convert to a standard "
                                         "(Single-AZ) DB instance");
  }
  if (in.db_port_number) {
    OUTCOME_TRY(ValidPort(*in.db_port_number));
    wanted.port = *in.db_port_number;
  }
  if (in.vpc_security_group_ids.present() && !in.vpc_security_group_ids.empty()) {
    OUTCOME_ASSIGN(wanted.security_groups,
                   FindSecurityGroups(context, instance.vpc, in.vpc_security_group_ids));
  }
  if (in.master_user_password) {
    OUTCOME_TRY(ValidPassword(*in.master_user_password));
    auto verifier = postgres::MakeScramVerifier(*in.master_user_password, context.entropy);
    if (!verifier) return Refuse(aws::FaultOf(verifier.error()));
    wanted.master_verifier = *std::move(verifier);
    ++wanted.password_stamp;
    change.status = "resetting-master-credentials";
  }
  wanted.deletion_protection = in.deletion_protection.value_or(wanted.deletion_protection);
  wanted.auto_minor_version_upgrade =
      in.auto_minor_version_upgrade.value_or(wanted.auto_minor_version_upgrade);
  wanted.copy_tags_to_snapshot = in.copy_tags_to_snapshot.value_or(wanted.copy_tags_to_snapshot);
  wanted.backup_window = in.preferred_backup_window.value_or(wanted.backup_window);
  OUTCOME_TRY(ValidBackupWindow(wanted.backup_window));
  OUTCOME_ASSIGN(
      wanted.maintenance_window,
      ValidMaintenanceWindow(in.preferred_maintenance_window.value_or(wanted.maintenance_window)));
  OUTCOME_TRY(ValidWindows(wanted.backup_window, wanted.maintenance_window));
  if (in.new_db_instance_identifier) {
    OUTCOME_ASSIGN(change.new_identifier,
                   ValidIdentifier("NewDBInstanceIdentifier", *in.new_db_instance_identifier));
    if (change.new_identifier == instance.identifier) change.new_identifier.clear();
    if (!change.new_identifier.empty()) change.status = "renaming";
  }
  return change;
}

// What RDS would defer to the maintenance window. The window's queue comes later: until then such a
// change must say that it is to be applied at once.
bool IsDeferrable(const fleet::Settings& now, const fleet::Change& change) {
  const fleet::Settings& wanted = change.settings;
  return now.instance_class != wanted.instance_class || now.storage_gib != wanted.storage_gib ||
         now.storage_type != wanted.storage_type || now.multi_az != wanted.multi_az ||
         !change.new_identifier.empty();
}

}  // namespace

Outcome<api::ModifyDBInstanceResult> Modify(const fleet::Context& context,
                                            const api::ModifyDBInstanceMessage& in) {
  OUTCOME_ASSIGN(const auto found, Find(context, in.db_instance_identifier.value_or("")));
  const auto version = postgres::EngineVersion::Parse(found.value.version);
  if (!version) return Refuse(aws::FaultOf(version.error()));
  OUTCOME_TRY(RefuseNotServed(in, found.value, version->major));
  OUTCOME_ASSIGN(const fleet::Change change, ChangeOf(context, in, found.value));
  if (IsDeferrable(found.value.settings, change) && !in.apply_immediately.value_or(false)) {
    return Refuse(aws::InvalidParameterCombination(
        "This change would wait for the maintenance window, which Howdah does not serve yet. Give "
        "ApplyImmediately=true to apply it now."));
  }
  const bool nothing = fleet::ToJson(change.settings) == fleet::ToJson(found.value.settings) &&
                       change.new_identifier.empty();
  if (nothing) {
    OUTCOME_ASSIGN(api::DBInstance shape, ToShape(context, found.value));
    return api::ModifyDBInstanceResult{.db_instance = std::move(shape)};
  }
  OUTCOME_ASSIGN(api::DBInstance shape, Answer(context, found.value.identifier,
                                               fleet::ModifyInstance(context, found, change)));
  return api::ModifyDBInstanceResult{.db_instance = std::move(shape)};
}

}  // namespace howdah::services::rds
