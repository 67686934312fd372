// DB instances: create, describe, modify, delete, reboot, start, stop.
#include <fmt/format.h>

#include <map>

#include "fleet/commands.h"
#include "fleet/node_plan.h"
#include "postgres/instance_class.h"
#include "postgres/scram.h"
#include "services/rds/handlers.h"
#include "services/rds/not_served.h"
#include "services/rds/validate.h"
#include "vpc/groups.h"

namespace howdah::services::rds {

namespace {

constexpr std::int64_t kMostInstances = 40;  // RDS's default quota

std::unexpected<aws::Fault> NotFound(std::string_view identifier) {
  return Refuse(
      api::fault::DBInstanceNotFoundFault(fmt::format("DBInstance {} not found.", identifier)));
}

// An instance is named by its identifier, in any case, or by its ARN.
std::string IdentifierIn(std::string_view name) {
  constexpr std::string_view kKind = ":db:";
  if (name.starts_with("arn:")) {
    const std::size_t at = name.find(kKind);
    if (at != std::string_view::npos) name.remove_prefix(at + kKind.size());
  }
  std::string lower(name);
  std::ranges::transform(lower, lower.begin(),
                         [](char c) { return c >= 'A' && c <= 'Z' ? char(c + 32) : c; });
  return lower;
}

Outcome<fleet::Versioned<fleet::Instance>> Find(const fleet::Context& context,
                                                std::string_view name) {
  auto found = fleet::FindInstance(context.store, IdentifierIn(name));
  if (found) return *std::move(found);
  if (found.error().code() == Code::kNotFound) return NotFound(IdentifierIn(name));
  return Refuse(aws::FaultOf(found.error()));
}

// What the fleet says of a command, in RDS's words.
Outcome<api::DBInstance> Answer(const fleet::Context& context, std::string_view identifier,
                                const Result<fleet::Instance>& done) {
  if (done) return ToShape(context, *done);
  switch (done.error().code()) {
    case Code::kNotFound:
      return NotFound(identifier);
    case Code::kAlreadyExists:
      return Refuse(api::fault::DBInstanceAlreadyExistsFault("DB instance already exists"));
    case Code::kFailedState:
      if (done.error().what() == "deleting") {
        return Refuse(api::fault::InvalidDBInstanceStateFault(
            fmt::format("Instance {} is already being deleted.", identifier)));
      }
      return Refuse(api::fault::InvalidDBInstanceStateFault(
          fmt::format("Instance {} is not in a state that allows this: it is {}.", identifier,
                      done.error().what())));
    case Code::kConflict:
      return Refuse(api::fault::InvalidDBInstanceStateFault(fmt::format(
          "Instance {} was changed by another request at the same time; try again.", identifier)));
    default:
      return Refuse(aws::FaultOf(done.error()));
  }
}

Outcome<postgres::EngineVersion> ChooseVersion(const fleet::Context& context,
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
  if (best) return *best;
  const std::string version = wanted.value_or("");
  return Refuse(aws::InvalidParameterCombination(
      fmt::format("Cannot find version {} for postgres. It is not installed here: run 'howdah "
                  "engine install {}', or choose one that DescribeDBEngineVersions lists",
                  version, version.empty() ? "17.6" : version)));
}

Outcome<fleet::SubnetGroup> FindSubnetGroup(const fleet::Context& context,
                                            const std::optional<std::string>& name) {
  const std::string wanted = IdentifierIn(name.value_or("default"));
  auto group = fleet::LoadSubnetGroup(context, wanted);
  if (group) return *std::move(group);
  return Refuse(api::fault::DBSubnetGroupNotFoundFault(
      fmt::format("DB subnet group '{}' does not exist.", wanted)));
}

Outcome<std::vector<std::string>> FindSecurityGroups(const fleet::Context& context,
                                                     const std::string& vpc,
                                                     const aws::List<std::string>& wanted) {
  if (wanted.empty()) {
    const auto own = vpc::Get<vpc::Vpc>(context.store, vpc::VpcId(vpc));
    if (!own) return Refuse(aws::FaultOf(own.error()));
    return std::vector<std::string>{own->default_group.str()};
  }
  for (const std::string& id : wanted) {
    const auto group = vpc::Get<vpc::SecurityGroup>(context.store, vpc::GroupId(id));
    if (!group || group->vpc.str() != vpc) {
      return Refuse(aws::InvalidParameterValue(fmt::format(
          "Invalid security group , groupId= {}, groupName=. It is not a group of {}.", id, vpc)));
    }
  }
  return std::vector<std::string>(wanted.begin(), wanted.end());
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

Outcome<void> ValidClass(std::string_view name, std::string_view version) {
  if (postgres::FindInstanceClass(name)) return {};
  return Refuse(aws::InvalidParameterCombination(fmt::format(
      "RDS does not support creating a DB instance with the following combination: "
      "DBInstanceClass={}, Engine=postgres, EngineVersion={}, LicenseModel={}. For supported "
      "combinations of instance class and database engine version, see the documentation.",
      name, version, kLicense)));
}

template <typename T>
Outcome<T> Required(const std::optional<T>& value, std::string_view name) {
  if (value) return *value;
  return Refuse(
      aws::MissingParameter(fmt::format("The request must contain the parameter {}", name)));
}

// The region's 8-hour block of RDS's default windows in us-west-2 begins at 06:00 UTC.
std::string DefaultBackupWindow() {
  return "06:00-06:30";
}
std::string DefaultMaintenanceWindow() {
  return "sun:09:00-sun:09:30";
}

Outcome<fleet::Settings> NewSettings(const fleet::Context& context,
                                     const api::CreateDBInstanceMessage& in,
                                     const std::string& version) {
  fleet::Settings settings;
  OUTCOME_ASSIGN(settings.instance_class, Required(in.db_instance_class, "DBInstanceClass"));
  OUTCOME_TRY(ValidClass(settings.instance_class, version));
  OUTCOME_ASSIGN(settings.storage_gib, Required(in.allocated_storage, "AllocatedStorage"));
  settings.storage_type = in.storage_type.value_or("gp3");
  OUTCOME_TRY(ValidStorage(settings.storage_type, settings.storage_gib));
  settings.multi_az = in.multi_az.value_or(false);
  settings.port = in.port.value_or(5432);
  OUTCOME_TRY(ValidPort(settings.port));
  settings.deletion_protection = in.deletion_protection.value_or(false);
  settings.auto_minor_version_upgrade = in.auto_minor_version_upgrade.value_or(true);
  settings.copy_tags_to_snapshot = in.copy_tags_to_snapshot.value_or(false);
  settings.backup_window = in.preferred_backup_window.value_or(DefaultBackupWindow());
  OUTCOME_TRY(ValidBackupWindow(settings.backup_window));
  OUTCOME_ASSIGN(
      settings.maintenance_window,
      ValidMaintenanceWindow(in.preferred_maintenance_window.value_or(DefaultMaintenanceWindow())));
  OUTCOME_TRY(ValidWindows(settings.backup_window, settings.maintenance_window));
  OUTCOME_ASSIGN(const std::string password,
                 Required(in.master_user_password, "MasterUserPassword"));
  OUTCOME_TRY(ValidPassword(password));
  auto verifier = postgres::MakeScramVerifier(password, context.entropy);
  if (!verifier) return Refuse(aws::FaultOf(verifier.error()));
  settings.master_verifier = *std::move(verifier);
  return settings;
}

Outcome<api::CreateDBInstanceResult> Create(const fleet::Context& context,
                                            const api::CreateDBInstanceMessage& in) {
  fleet::NewInstance wish;
  OUTCOME_ASSIGN(wish.identifier,
                 ValidIdentifier("DBInstanceIdentifier", in.db_instance_identifier.value_or("")));
  if (in.engine.value_or("") != kEngine) {
    return Refuse(aws::InvalidParameterValue(
        fmt::format("Invalid DB engine: {}. Howdah runs postgres.", in.engine.value_or(""))));
  }
  OUTCOME_ASSIGN(const postgres::EngineVersion version, ChooseVersion(context, in.engine_version));
  wish.version = version.Format();
  OUTCOME_TRY(RefuseNotServed(in, version.major));
  OUTCOME_ASSIGN(wish.settings, NewSettings(context, in, wish.version));
  OUTCOME_ASSIGN(wish.master_user, Required(in.master_username, "MasterUsername"));
  OUTCOME_TRY(ValidMasterUsername(wish.master_user));
  wish.database = in.db_name.value_or("");
  if (wish.database == "postgres") wish.database.clear();  // it is there anyway
  if (!wish.database.empty()) OUTCOME_TRY(ValidDatabaseName(wish.database));
  OUTCOME_ASSIGN(const fleet::SubnetGroup group, FindSubnetGroup(context, in.db_subnet_group_name));
  wish.subnet_group = group.name;
  wish.vpc = group.vpc;
  OUTCOME_ASSIGN(const Zones zones, ChooseZones(context, group, in));
  wish.zone = zones.first;
  wish.secondary_zone = zones.second;
  OUTCOME_ASSIGN(wish.settings.security_groups,
                 FindSecurityGroups(context, group.vpc, in.vpc_security_group_ids));
  OUTCOME_ASSIGN(wish.tags, ToTags(in.tags));
  const auto all = fleet::ListInstances(context.store);
  if (!all) return Refuse(aws::FaultOf(all.error()));
  if (static_cast<std::int64_t>(all->size()) >= kMostInstances) {
    return Refuse(api::fault::InstanceQuotaExceededFault(
        fmt::format("Quota exceeded: at most {} DB instances in one account.", kMostInstances)));
  }
  OUTCOME_ASSIGN(api::DBInstance shape,
                 Answer(context, wish.identifier, fleet::CreateInstance(context, wish)));
  return api::CreateDBInstanceResult{.db_instance = std::move(shape)};
}

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
