#include "services/rds/new_instance.h"

#include <fmt/format.h>

#include "fleet/node_plan.h"
#include "services/rds/not_served.h"
#include "services/rds/validate.h"

namespace howdah::services::rds {

namespace {

Outcome<fleet::SubnetGroup> FindSubnetGroup(const fleet::Context& context,
                                            const std::optional<std::string>& name) {
  const std::string wanted = IdentifierIn(name.value_or("default"));
  auto group = fleet::LoadSubnetGroup(context, wanted);
  if (group) return *std::move(group);
  return Refuse(api::fault::DBSubnetGroupNotFoundFault(
      fmt::format("DB subnet group '{}' does not exist.", wanted)));
}

struct Zones {
  std::string first;
  std::string second;
};

Outcome<Zones> ChooseZones(const fleet::Context& context, const fleet::SubnetGroup& group,
                           const api::CreateDBInstanceMessage& in) {
  const auto zones = fleet::ZonesOf(context, group);
  if (!zones) return Refuse(aws::FaultOf(zones.error()));
  if (zones->empty() || (in.multi_az.value_or(false) && zones->size() < 2)) {
    return Refuse(api::fault::DBSubnetGroupDoesNotCoverEnoughAZs(fmt::format(
        "DB Subnet Group {} doesn't meet availability zone coverage requirement. Please add "
        "subnets to cover at least 2 availability zones.",
        group.name)));
  }
  if (!in.availability_zone) return Zones{zones->front(), zones->size() > 1 ? (*zones)[1] : ""};
  if (in.multi_az.value_or(false)) {
    return Refuse(aws::InvalidParameterCombination(
        "Requesting a specific availability zone is not valid for Multi-AZ instances."));
  }
  if (std::ranges::find(*zones, *in.availability_zone) == zones->end()) {
    return Refuse(api::fault::InvalidVPCNetworkStateFault(
        fmt::format("DB subnet group {} has no subnet in {}.", group.name, *in.availability_zone)));
  }
  std::string other;
  for (const std::string& zone : *zones) {
    if (zone != *in.availability_zone && other.empty()) other = zone;
  }
  return Zones{*in.availability_zone, other};
}

// The region's 8-hour block of RDS's default windows in us-west-2 begins at 06:00 UTC.
std::string DefaultBackupWindow() {
  return "06:00-06:30";
}
std::string DefaultMaintenanceWindow() {
  return "sun:09:00-sun:09:30";
}

constexpr std::int64_t kDefaultRetentionDays = 1;

Outcome<fleet::Settings> NewSettings(const fleet::Context& context,
                                     const api::CreateDBInstanceMessage& in,
                                     const std::string& version) {
  fleet::Settings settings;
  OUTCOME_ASSIGN(settings.instance_class, Required(in.db_instance_class, "DBInstanceClass"));
  OUTCOME_TRY(ValidClass(settings.instance_class, version));
  OUTCOME_ASSIGN(settings.storage_gib, Required(in.allocated_storage, "AllocatedStorage"));
  settings.storage_type = in.storage_type.value_or("gp3");
  OUTCOME_TRY(ValidStorage("AllocatedStorage", settings.storage_type, settings.storage_gib));
  settings.multi_az = in.multi_az.value_or(false);
  settings.port = in.port.value_or(5432);
  OUTCOME_TRY(ValidPort("Port", settings.port));
  settings.deletion_protection = in.deletion_protection.value_or(false);
  settings.auto_minor_version_upgrade = in.auto_minor_version_upgrade.value_or(true);
  settings.copy_tags_to_snapshot = in.copy_tags_to_snapshot.value_or(false);
  settings.backup_retention_days =
      in.backup_retention_period.value_or(context.shelf == nullptr ? 0 : kDefaultRetentionDays);
  OUTCOME_TRY(ValidRetention(context, settings.backup_retention_days));
  settings.backup_window = in.preferred_backup_window.value_or(DefaultBackupWindow());
  OUTCOME_TRY(ValidBackupWindow(settings.backup_window));
  OUTCOME_ASSIGN(
      settings.maintenance_window,
      ValidMaintenanceWindow(in.preferred_maintenance_window.value_or(DefaultMaintenanceWindow())));
  OUTCOME_TRY(ValidWindows(settings.backup_window, settings.maintenance_window));
  return settings;
}

Outcome<void> WithinQuotas(const fleet::Context& context, std::int64_t storage_gib) {
  const auto all = fleet::ListInstances(context.store);
  if (!all) return Refuse(aws::FaultOf(all.error()));
  const fleet::Quotas& quotas = context.quotas;
  if (static_cast<std::int64_t>(all->size()) >= quotas.instances) {
    return Refuse(api::fault::InstanceQuotaExceededFault(
        fmt::format("Quota exceeded: at most {} DB instances in one account ('howdah serve "
                    "--max-instances' sets how many).",
                    quotas.instances)));
  }
  for (const fleet::Instance& instance : *all) storage_gib += instance.settings.storage_gib;
  if (storage_gib <= quotas.storage_gib) return {};
  return Refuse(api::fault::StorageQuotaExceededFault(fmt::format(
      "Quota exceeded: at most {} GiB of AllocatedStorage in one account.", quotas.storage_gib)));
}

}  // namespace

Outcome<std::string> ChooseVersion(const fleet::Context& context,
                                   const std::optional<std::string>& wanted) {
  const auto engines = context.engines();
  if (!engines) return Refuse(aws::FaultOf(engines.error()));
  std::optional<postgres::EngineVersion> best;
  for (const postgres::Engine& engine : *engines) {
    const std::string exact = engine.version.Format();
    const bool fits =
        !wanted || *wanted == exact || *wanted == std::to_string(engine.version.major);
    if (fits && (!best || engine.version > *best)) best = engine.version;
  }
  if (best) return best->Format();
  const std::string version = wanted.value_or("");
  return Refuse(aws::InvalidParameterCombination(
      fmt::format("Cannot find version {} for postgres. It is not installed here: run 'howdah "
                  "engine install {}', or choose one that DescribeDBEngineVersions lists",
                  version, version.empty() ? "17.6" : version)));
}

Outcome<fleet::NewInstance> NewInstanceFrom(const fleet::Context& context,
                                            const api::CreateDBInstanceMessage& in,
                                            const std::string& version) {
  fleet::NewInstance wish;
  wish.version = version;
  OUTCOME_ASSIGN(wish.settings, NewSettings(context, in, version));
  OUTCOME_ASSIGN(const fleet::SubnetGroup group, FindSubnetGroup(context, in.db_subnet_group_name));
  wish.subnet_group = group.name;
  wish.vpc = group.vpc;
  OUTCOME_ASSIGN(const Zones zones, ChooseZones(context, group, in));
  wish.zone = zones.first;
  wish.secondary_zone = zones.second;
  OUTCOME_ASSIGN(wish.settings.security_groups,
                 FindSecurityGroups(context, group.vpc, in.vpc_security_group_ids));
  OUTCOME_ASSIGN(wish.tags, ToTags(in.tags));
  OUTCOME_TRY(WithinQuotas(context, wish.settings.storage_gib));
  return wish;
}

}  // namespace howdah::services::rds
