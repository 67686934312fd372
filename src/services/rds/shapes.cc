// Records as AWS shows them. Every field that Terraform reads back is set, also where Howdah has
// only one answer: what is off says that it is off.
#include <fmt/format.h>

#include "base/check.h"
#include "fleet/node_plan.h"
#include "fleet/workflows.h"
#include "postgres/parameters.h"
#include "services/rds/handlers.h"

namespace howdah::services::rds {

namespace {

int MajorOf(const fleet::Instance& instance) {
  const auto version = postgres::EngineVersion::Parse(instance.version);
  return version ? version->major : 0;
}

// What a change under way will bring; the top level keeps the old values until it has.
api::PendingModifiedValues PendingOf(const fleet::Instance& instance,
                                     const std::optional<workflow::Run>& active) {
  api::PendingModifiedValues pending;
  if (!active || active->workflow != fleet::kModifyInstance) return pending;
  const fleet::Settings& now = instance.settings;
  const fleet::Settings wanted = fleet::SettingsFromJson(JsonObject(active->frame, "settings"));
  if (wanted.instance_class != now.instance_class)
    pending.db_instance_class = wanted.instance_class;
  if (wanted.storage_gib != now.storage_gib) pending.allocated_storage = wanted.storage_gib;
  if (wanted.port != now.port) pending.port = wanted.port;
  if (wanted.multi_az != now.multi_az) pending.multi_az = wanted.multi_az;
  if (wanted.password_stamp != now.password_stamp) pending.master_user_password = "****";
  return pending;
}

void FillNetwork(api::DBInstance& shape, const fleet::Instance& instance) {
  const fleet::Settings& settings = instance.settings;
  shape.availability_zone = instance.zone;
  shape.multi_az = settings.multi_az;
  if (settings.multi_az) shape.secondary_availability_zone = instance.secondary_zone;
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
  shape.backup_retention_period = 0;
  shape.backup_target = "region";
  shape.storage_encrypted = false;
  shape.iam_database_authentication_enabled = false;
  shape.performance_insights_enabled = false;
  shape.monitoring_interval = 0;
  shape.dedicated_log_volume = false;
  shape.database_insights_mode = "standard";
  shape.activity_stream_status = "stopped";
}

}  // namespace

Outcome<api::DBInstance> ToShape(const fleet::Context& context, const fleet::Instance& instance) {
  const auto active = fleet::ActiveRun(context.store, instance);
  if (!active) return Refuse(aws::FaultOf(active.error()));
  const fleet::Settings& settings = instance.settings;
  const int major = MajorOf(instance);
  api::DBInstance shape;
  shape.db_instance_identifier = instance.identifier;
  shape.dbi_resource_id = instance.id.str();
  shape.db_instance_arn = context.InstanceArn(instance.identifier);
  shape.db_instance_class = settings.instance_class;
  shape.engine = std::string(kEngine);
  shape.engine_version = instance.version;
  shape.license_model = std::string(kLicense);
  shape.engine_lifecycle_support = "open-source-rds-extended-support-disabled";
  shape.db_instance_status = fleet::StatusOf(instance, *active);
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
  FillNetwork(shape, instance);
  FillWhatIsOff(shape);
  shape.tag_list = ToShape(instance.tags);
  shape.pending_modified_values = PendingOf(instance, *active);
  const auto group = fleet::LoadSubnetGroup(context, instance.subnet_group);
  if (group) {
    OUTCOME_ASSIGN(shape.db_subnet_group, ToShape(context, *group));
  }
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

Outcome<fleet::Tags> ToTags(const aws::List<api::Tag>& tags) {
  constexpr std::size_t kMostTags = 50;
  if (tags.size() > kMostTags) {
    return Refuse(aws::InvalidParameterValue("A resource can have at most 50 tags."));
  }
  fleet::Tags result;
  for (const api::Tag& tag : tags) {
    const std::string key = tag.key.value_or("");
    const std::string value = tag.value.value_or("");
    if (key.empty() || key.size() > 128 || value.size() > 256 || key.starts_with("aws:")) {
      return Refuse(aws::InvalidParameterValue(
          "Invalid tag '" + key +
          "': a key has 1 to 128 characters and does not begin with aws:, a value at most 256."));
    }
    result[key] = value;
  }
  // These two are Howdah's own, and change how clients reach an instance.
  if (const Result<> known = fleet::CheckDataPathTags(result); !known) {
    return Refuse(aws::InvalidParameterValue(known.error().what()));
  }
  return result;
}

}  // namespace howdah::services::rds
