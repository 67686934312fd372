// Records as AWS shows them. Every field that Terraform reads back is set, also where Howdah has
// only one answer: what is off says that it is off.
#include <fmt/format.h>

#include "base/check.h"
#include "fleet/backup_records.h"
#include "fleet/node_plan.h"
#include "fleet/storage.h"
#include "fleet/workflows.h"
#include "postgres/parameters.h"
#include "services/rds/handlers.h"

namespace howdah::services::rds {

namespace {

// What waits for the maintenance window, and what a change under way will bring; the top level
// keeps the old values until it has.
api::PendingModifiedValues PendingOf(const fleet::Instance& instance,
                                     const std::optional<workflow::Run>& active) {
  const fleet::Deferred& deferred = instance.deferred;
  api::PendingModifiedValues pending;
  pending.db_instance_identifier = deferred.identifier;
  pending.db_instance_class = deferred.instance_class;
  pending.allocated_storage = deferred.storage_gib;
  pending.storage_type = deferred.storage_type;
  pending.multi_az = deferred.multi_az;
  pending.backup_retention_period = deferred.backup_retention_days;
  if (!active || active->workflow != fleet::kModifyInstance) return pending;
  const fleet::Settings& now = instance.settings;
  const fleet::Settings wanted = fleet::SettingsFromJson(JsonObject(active->frame, "settings"));
  if (wanted.instance_class != now.instance_class) {
    pending.db_instance_class = wanted.instance_class;
  }
  if (wanted.storage_gib != now.storage_gib) pending.allocated_storage = wanted.storage_gib;
  if (wanted.port != now.port) pending.port = wanted.port;
  if (wanted.multi_az != now.multi_az) pending.multi_az = wanted.multi_az;
  if (wanted.backup_retention_days != now.backup_retention_days) {
    pending.backup_retention_period = wanted.backup_retention_days;
  }
  if (wanted.password_stamp != now.password_stamp) pending.master_user_password = "****";
  const std::string name = JsonString(active->frame, "new_identifier");
  if (!name.empty() && name != instance.identifier) pending.db_instance_identifier = name;
  return pending;
}

// Whether the second node is the primary now.
Outcome<bool> HaveRolesChanged(const fleet::Context& context, const fleet::Instance& instance) {
  if (instance.second_node.empty()) return false;
  const auto record = fleet::LoadRecord(context.store, instance.id);
  if (!record && record.error().code() == Code::kNotFound) return false;
  if (!record) return Refuse(aws::FaultOf(record.error()));
  return record->value.primary == instance.second_node;
}

// After a failover the zones have changed places.
void FillZones(api::DBInstance& shape, const fleet::Instance& instance, bool exchanged) {
  shape.availability_zone = exchanged ? instance.secondary_zone : instance.zone;
  shape.multi_az = instance.settings.multi_az;
  if (!instance.settings.multi_az) return;
  shape.secondary_availability_zone = exchanged ? instance.zone : instance.secondary_zone;
}

void FillNetwork(api::DBInstance& shape, const fleet::Instance& instance) {
  const fleet::Settings& settings = instance.settings;
  for (const std::string& group : settings.security_groups) {
    shape.vpc_security_groups.push_back({.vpc_security_group_id = group, .status = "active"});
  }
  shape.publicly_accessible = false;
  shape.network_type = "IPV4";
  shape.customer_owned_ip_enabled = false;
  shape.db_instance_port = 0;
  const bool has_endpoint = instance.created != WallTime{} && !instance.host_address.empty();
  if (has_endpoint) {
    shape.endpoint = api::Endpoint{.address = instance.host_address, .port = settings.port};
  }
}

// What Howdah does not do yet is off and says so.
void FillWhatIsOff(api::DBInstance& shape) {
  shape.storage_encrypted = false;
  shape.iam_database_authentication_enabled = false;
  shape.performance_insights_enabled = false;
  shape.monitoring_interval = 0;
  shape.dedicated_log_volume = false;
  shape.database_insights_mode = "standard";
  shape.activity_stream_status = "stopped";
}

Outcome<void> FillSubnetGroup(const fleet::Context& context, const fleet::Instance& instance,
                              SubnetGroupShapes& seen, api::DBInstance& shape) {
  const auto known = seen.find(instance.subnet_group);
  if (known != seen.end()) {
    shape.db_subnet_group = known->second;
    return {};
  }
  const auto group = fleet::LoadSubnetGroup(context, instance.subnet_group);
  if (!group) return {};  // deleted with the last instance, a moment ago
  OUTCOME_ASSIGN(shape.db_subnet_group, ToShape(context, *group));
  seen.emplace(instance.subnet_group, *shape.db_subnet_group);
  return {};
}

Outcome<void> FillBackups(const fleet::Context& context, const fleet::Instance& instance,
                          api::DBInstance& shape) {
  shape.backup_retention_period = instance.settings.backup_retention_days;
  shape.backup_target = "region";
  const auto latest = fleet::LatestRestorableTime(context.store, instance);
  if (!latest) return Refuse(aws::FaultOf(latest.error()));
  shape.latest_restorable_time = *latest;
  return {};
}

}  // namespace

int MajorOf(std::string_view text) {
  const auto version = postgres::EngineVersion::Parse(text);
  return version ? version->major : 0;
}

Outcome<api::DBInstance> ToShape(const fleet::Context& context, const fleet::Instance& instance) {
  SubnetGroupShapes seen;
  return ToShape(context, instance, seen);
}

Outcome<api::DBInstance> ToShape(const fleet::Context& context, const fleet::Instance& instance,
                                 SubnetGroupShapes& seen) {
  const auto active = fleet::ActiveRun(context.store, instance);
  if (!active) return Refuse(aws::FaultOf(active.error()));
  const auto storage = fleet::StorageOf(context.store, instance);
  if (!storage) return Refuse(aws::FaultOf(storage.error()));
  const fleet::Settings& settings = instance.settings;
  const int major = MajorOf(instance.version);
  api::DBInstance shape;
  shape.db_instance_identifier = instance.identifier;
  shape.dbi_resource_id = instance.id.str();
  shape.db_instance_arn = context.InstanceArn(instance.identifier);
  shape.db_instance_class = settings.instance_class;
  shape.engine = std::string(kEngine);
  shape.engine_version = instance.version;
  shape.license_model = std::string(kLicense);
  shape.engine_lifecycle_support = std::string(kLifecycle);
  shape.db_instance_status = fleet::StatusOf(instance, *active, *storage);
  shape.master_username = instance.master_user;
  if (!instance.database.empty()) shape.db_name = instance.database;
  shape.allocated_storage = settings.storage_gib;
  shape.storage_type = settings.storage_type;
  if (instance.created != WallTime{}) shape.instance_create_time = instance.created;
  shape.preferred_backup_window = settings.backup_window;
  shape.preferred_maintenance_window = settings.maintenance_window;
  shape.auto_minor_version_upgrade = settings.auto_minor_version_upgrade;
  shape.copy_tags_to_snapshot = settings.copy_tags_to_snapshot;
  shape.deletion_protection = settings.deletion_protection;
  shape.ca_certificate_identifier = std::string(kAuthority);
  shape.db_parameter_groups.push_back(
      {.db_parameter_group_name = "default." + postgres::ParameterFamily(major),
       .parameter_apply_status = "in-sync"});
  shape.option_group_memberships.push_back(
      {.option_group_name = fmt::format("default:postgres-{}", major), .status = "in-sync"});
  OUTCOME_ASSIGN(const bool exchanged, HaveRolesChanged(context, instance));
  FillZones(shape, instance, exchanged);
  FillNetwork(shape, instance);
  FillWhatIsOff(shape);
  OUTCOME_TRY(FillBackups(context, instance, shape));
  shape.tag_list = ToShape(instance.tags);
  shape.pending_modified_values = PendingOf(instance, *active);
  OUTCOME_TRY(FillSubnetGroup(context, instance, seen, shape));
  return shape;
}

Outcome<api::DBSubnetGroup> ToShape(const fleet::Context& context,
                                    const fleet::SubnetGroup& group) {
  api::DBSubnetGroup shape;
  shape.db_subnet_group_name = group.name;
  shape.db_subnet_group_description = group.description;
  shape.db_subnet_group_arn = context.SubnetGroupArn(group.name);
  shape.vpc_id = group.vpc;
  shape.subnet_group_status = "Complete";
  shape.supported_network_types = {"IPV4"};
  for (const std::string& id : group.subnets) {
    const auto subnet = vpc::Get<vpc::Subnet>(context.store, vpc::SubnetId(id));
    if (!subnet) continue;  // deleted since: the group shows what is left, as on RDS
    shape.subnets.push_back(
        {.subnet_identifier = id,
         .subnet_availability_zone = api::AvailabilityZone{.name = subnet->zone},
         .subnet_status = "Active"});
  }
  return shape;
}

aws::List<api::Tag> ToShape(const fleet::Tags& tags) {
  aws::List<api::Tag> shape;
  shape.MarkPresent();
  for (const auto& [key, value] : tags) shape.push_back({.key = key, .value = value});
  return shape;
}

namespace {

// Letters, digits, spaces and _.:/=+-@; what is not ASCII is a letter of some language.
bool IsTagText(std::string_view text) {
  static constexpr std::string_view kMarks = " _.:/=+-@";
  return std::ranges::all_of(text, [](char c) {
    const bool ascii = static_cast<unsigned char>(c) < 128;
    return !ascii || (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
           kMarks.find(c) != kMarks.npos;
  });
}

Outcome<void> ValidTag(const std::string& key, const std::string& value) {
  constexpr std::size_t kLongestKey = 128;
  constexpr std::size_t kLongestValue = 256;
  const auto refuse = [&](std::string_view rule) {
    return Refuse(aws::InvalidParameterValue(
        fmt::format("Invalid tag in Tags, key '{}': {}", key.substr(0, kLongestKey), rule)));
  };
  if (key.empty() || key.size() > kLongestKey) return refuse("a key has 1 to 128 characters.");
  if (value.size() > kLongestValue) return refuse("a value has at most 256 characters.");
  if (key.starts_with("aws:") || key.starts_with("rds:")) {
    return refuse("a key does not begin with aws: or rds:, which are reserved.");
  }
  if (!IsTagText(key) || !IsTagText(value)) {
    return refuse("only letters, digits, white space and _ . : / = + - @ are allowed.");
  }
  return {};
}

}  // namespace

Outcome<fleet::Tags> ToTags(const aws::List<api::Tag>& tags) {
  constexpr std::size_t kMostTags = 50;
  if (tags.size() > kMostTags) {
    return Refuse(aws::InvalidParameterValue("A resource can have at most 50 Tags."));
  }
  fleet::Tags result;
  for (const api::Tag& tag : tags) {
    const std::string key = tag.key.value_or("");
    OUTCOME_TRY(ValidTag(key, tag.value.value_or("")));
    result[key] = tag.value.value_or("");
  }
  // These two are Howdah's own, and change how clients reach an instance.
  if (const Result<> known = fleet::CheckDataPathTags(result); !known) {
    return Refuse(aws::InvalidParameterValue(known.error().what()));
  }
  return result;
}

}  // namespace howdah::services::rds
