// ModifyDBInstance: what should be different, checked and handed to the fleet as a whole. Some
// changes are true at once, some are carried out at once whatever ApplyImmediately says, and some
// wait for the maintenance window unless it says true; then all that waits goes with them.
#include <fmt/format.h>

#include "fleet/commands.h"
#include "fleet/node_plan.h"
#include "postgres/scram.h"
#include "services/rds/instances.h"
#include "services/rds/not_served.h"
#include "services/rds/validate.h"

namespace howdah::services::rds {

namespace {

using Message = api::ModifyDBInstanceMessage;

// Whether anything was asked for beyond which instance and when.
bool AsksForSomething(const Message& in) {
  return std::ranges::any_of(api::ModifyDBInstance::Desc().input->members, [&](const auto& member) {
    const bool is_how = member.name == "DBInstanceIdentifier" ||
                        member.name == "ApplyImmediately" ||
                        member.name == "AllowMajorVersionUpgrade";
    return !is_how && aws::ValueOf(member, &in) != nullptr;
  });
}

Outcome<void> ValidGrowth(const fleet::Settings& now, std::int64_t wanted) {
  if (wanted == now.storage_gib) return {};
  OUTCOME_TRY(ValidStorage("AllocatedStorage", now.storage_type, wanted));
  if (wanted < now.storage_gib) {
    return Refuse(aws::InvalidParameterCombination(fmt::format(
        "Invalid storage size for AllocatedStorage: requested size ({} GiB) is smaller than the "
        "current size ({} GiB). Storage can't be reduced.",
        wanted, now.storage_gib)));
  }
  if (wanted * 10 >= now.storage_gib * 11) return {};
  return Refuse(aws::InvalidParameterCombination(fmt::format(
      "Invalid storage size for AllocatedStorage: {} GiB. It must be at least 10 % more "
      "than the current {} GiB.",
      wanted, now.storage_gib)));
}

Outcome<void> ValidMultiAz(const fleet::Instance& instance, bool wanted) {
  if (!wanted || !instance.secondary_zone.empty()) return {};
  return Refuse(api::fault::DBSubnetGroupDoesNotCoverEnoughAZs(
      "The DB subnet group covers one availability zone only; MultiAZ needs two."));
}

// A new name must be free, also when it is only to be taken in the window.
Outcome<std::string> NewName(const fleet::Context& context, const fleet::Instance& instance,
                             const std::string& wanted) {
  OUTCOME_ASSIGN(std::string name, ValidIdentifier("NewDBInstanceIdentifier", wanted));
  if (name != instance.identifier && fleet::FindInstance(context.store, name)) {
    return Refuse(api::fault::DBInstanceAlreadyExistsFault("DB instance already exists"));
  }
  return name;
}

// What is asked for again as it is waits no more.
template <typename T>
void Ask(std::optional<T>& waiting, const std::optional<T>& asked, const T& now) {
  if (asked) waiting = *asked == now ? std::nullopt : asked;
}

// The queue as it becomes with what is asked for and may wait.
Outcome<fleet::Deferred> Deferrable(const fleet::Context& context, const Message& in,
                                    const fleet::Instance& instance) {
  const fleet::Settings& now = instance.settings;
  fleet::Deferred queue = instance.deferred;
  if (in.db_instance_class) OUTCOME_TRY(ValidClass(*in.db_instance_class, instance.version));
  Ask(queue.instance_class, in.db_instance_class, now.instance_class);
  if (in.allocated_storage) OUTCOME_TRY(ValidGrowth(now, *in.allocated_storage));
  Ask(queue.storage_gib, in.allocated_storage, now.storage_gib);
  Ask(queue.storage_type, in.storage_type, now.storage_type);
  if (in.multi_az) OUTCOME_TRY(ValidMultiAz(instance, *in.multi_az));
  Ask(queue.multi_az, in.multi_az, now.multi_az);
  if (in.backup_retention_period) {
    OUTCOME_TRY(ValidRetention(context, *in.backup_retention_period));
    const bool switches = (*in.backup_retention_period == 0) != (now.backup_retention_days == 0);
    queue.backup_retention_days = switches ? in.backup_retention_period : std::nullopt;
  }
  if (in.new_db_instance_identifier) {
    OUTCOME_ASSIGN(const std::string name,
                   NewName(context, instance, *in.new_db_instance_identifier));
    Ask(queue.identifier, std::optional(name), instance.identifier);
  }
  return queue;
}

Outcome<void> NewPassword(const fleet::Context& context, const std::string& password,
                          fleet::Settings& wanted) {
  OUTCOME_TRY(ValidPassword(password));
  auto verifier = postgres::MakeScramVerifier(password, context.entropy);
  if (!verifier) return Refuse(aws::FaultOf(verifier.error()));
  wanted.master_verifier = *std::move(verifier);
  ++wanted.password_stamp;
  return {};
}

// What does not wait, whatever ApplyImmediately says.
Outcome<fleet::Settings> AtOnce(const fleet::Context& context, const Message& in,
                                const fleet::Instance& instance) {
  fleet::Settings wanted = instance.settings;
  if (in.db_port_number) {
    OUTCOME_TRY(ValidPort("DBPortNumber", *in.db_port_number));
    wanted.port = *in.db_port_number;
  }
  if (in.vpc_security_group_ids.present() && !in.vpc_security_group_ids.empty()) {
    OUTCOME_ASSIGN(wanted.security_groups,
                   FindSecurityGroups(context, instance.vpc, in.vpc_security_group_ids));
  }
  if (in.master_user_password) OUTCOME_TRY(NewPassword(context, *in.master_user_password, wanted));
  wanted.deletion_protection = in.deletion_protection.value_or(wanted.deletion_protection);
  wanted.auto_minor_version_upgrade =
      in.auto_minor_version_upgrade.value_or(wanted.auto_minor_version_upgrade);
  wanted.copy_tags_to_snapshot = in.copy_tags_to_snapshot.value_or(wanted.copy_tags_to_snapshot);
  // From some to none and back is switching, and may wait.
  if (in.backup_retention_period.value_or(0) > 0 && wanted.backup_retention_days > 0) {
    OUTCOME_TRY(ValidRetention(context, *in.backup_retention_period));
    wanted.backup_retention_days = *in.backup_retention_period;
  }
  wanted.backup_window = in.preferred_backup_window.value_or(wanted.backup_window);
  OUTCOME_TRY(ValidBackupWindow(wanted.backup_window));
  OUTCOME_ASSIGN(
      wanted.maintenance_window,
      ValidMaintenanceWindow(in.preferred_maintenance_window.value_or(wanted.maintenance_window)));
  OUTCOME_TRY(ValidWindows(wanted.backup_window, wanted.maintenance_window));
  return wanted;
}

Outcome<fleet::Change> ChangeOf(const fleet::Context& context, const Message& in,
                                const fleet::Instance& instance) {
  OUTCOME_ASSIGN(const fleet::Settings at_once, AtOnce(context, in, instance));
  OUTCOME_ASSIGN(const fleet::Deferred queue, Deferrable(context, in, instance));
  if (!in.apply_immediately.value_or(false)) {
    return fleet::Change{.settings = at_once, .deferred = queue};
  }
  return fleet::Change{.settings = fleet::Apply(queue, at_once),
                       .new_identifier = queue.identifier.value_or("")};
}

// Within a VPC RDS moves no instance, and to another one Howdah does not yet.
Outcome<void> RefuseMove(const fleet::Context& context, const Message& in,
                         const fleet::Instance& instance) {
  if (!in.db_subnet_group_name) return {};
  const std::string name = IdentifierIn(*in.db_subnet_group_name);
  const auto group = fleet::LoadSubnetGroup(context, name);
  if (!group) {
    return Refuse(api::fault::DBSubnetGroupNotFoundFault(
        fmt::format("DB subnet group '{}' does not exist.", name)));
  }
  if (name == instance.subnet_group) {
    return Refuse(api::fault::InvalidVPCNetworkStateFault(
        "The specified DB instance is already in the target DB subnet group."));
  }
  if (group->vpc == instance.vpc) {
    return Refuse(api::fault::InvalidVPCNetworkStateFault(fmt::format(
        "You cannot move DB instance {} to subnet group {}. The specified DB subnet group and DB "
        "instance are in the same VPC. Choose a DB subnet group in different VPC than the "
        "specified DB instance and try again.",
        instance.identifier, name)));
  }
  return Refuse(api::fault::InvalidVPCNetworkStateFault(
      fmt::format("You cannot move DB instance {} to subnet group {}: Howdah does not move an "
                  "instance to another VPC (DBSubnetGroupName).",
                  instance.identifier, name)));
}

}  // namespace

Outcome<api::ModifyDBInstanceResult> Modify(const fleet::Context& context, const Message& in) {
  OUTCOME_ASSIGN(const auto found, Find(context, in.db_instance_identifier.value_or("")));
  const fleet::Instance& instance = found.value;
  const bool flushes = in.apply_immediately.value_or(false) && !instance.deferred.empty();
  if (!AsksForSomething(in) && !flushes) {
    return Refuse(aws::InvalidParameterCombination("No modifications were requested"));
  }
  OUTCOME_TRY(RefuseNotServed(context, in, instance));
  OUTCOME_TRY(RefuseMove(context, in, instance));
  OUTCOME_ASSIGN(const fleet::Change change, ChangeOf(context, in, instance));
  const bool nothing = change.settings == instance.settings && change.new_identifier.empty() &&
                       change.deferred == instance.deferred;
  OUTCOME_ASSIGN(api::DBInstance shape,
                 nothing ? ToShape(context, instance)
                         : Answer(context, instance.identifier,
                                  fleet::ModifyInstance(context, found, change)));
  return api::ModifyDBInstanceResult{.db_instance = std::move(shape)};
}

}  // namespace howdah::services::rds
