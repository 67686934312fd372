#include "fleet/instance.h"

namespace howdah::fleet {

json::object TagsToJson(const Tags& tags) {
  json::object object;
  for (const auto& [key, value] : tags) object[key] = value;
  return object;
}

Tags TagsFromJson(const json::object& object) {
  Tags tags;
  for (const auto& [key, value] : object) {
    if (value.is_string()) tags[std::string(key)] = std::string(value.get_string());
  }
  return tags;
}

json::object ToJson(const Settings& settings) {
  return {{"instance_class", settings.instance_class},
          {"storage_gib", settings.storage_gib},
          {"storage_type", settings.storage_type},
          {"multi_az", settings.multi_az},
          {"port", settings.port},
          {"security_groups", ToJsonArray(settings.security_groups)},
          {"deletion_protection", settings.deletion_protection},
          {"auto_minor_version_upgrade", settings.auto_minor_version_upgrade},
          {"copy_tags_to_snapshot", settings.copy_tags_to_snapshot},
          {"backup_retention_days", settings.backup_retention_days},
          {"backup_window", settings.backup_window},
          {"maintenance_window", settings.maintenance_window},
          {"master_verifier", settings.master_verifier},
          {"password_stamp", settings.password_stamp}};
}

Settings SettingsFromJson(const json::object& object) {
  Settings settings;
  settings.instance_class = JsonString(object, "instance_class");
  settings.storage_gib = JsonInt(object, "storage_gib");
  settings.storage_type = JsonString(object, "storage_type");
  settings.multi_az = JsonBool(object, "multi_az");
  settings.port = JsonInt(object, "port");
  settings.security_groups = JsonStrings(object, "security_groups");
  settings.deletion_protection = JsonBool(object, "deletion_protection");
  settings.auto_minor_version_upgrade = JsonBool(object, "auto_minor_version_upgrade");
  settings.copy_tags_to_snapshot = JsonBool(object, "copy_tags_to_snapshot");
  settings.backup_retention_days = JsonInt(object, "backup_retention_days");
  settings.backup_window = JsonString(object, "backup_window");
  settings.maintenance_window = JsonString(object, "maintenance_window");
  settings.master_verifier = JsonString(object, "master_verifier");
  settings.password_stamp = JsonInt(object, "password_stamp");
  return settings;
}

std::string Format(const Instance& instance) {
  return json::serialize(json::object{{"id", instance.id.str()},
                                      {"identifier", instance.identifier},
                                      {"version", instance.version},
                                      {"database", instance.database},
                                      {"master_user", instance.master_user},
                                      {"subnet_group", instance.subnet_group},
                                      {"vpc", instance.vpc},
                                      {"zone", instance.zone},
                                      {"secondary_zone", instance.secondary_zone},
                                      {"settings", ToJson(instance.settings)},
                                      {"deferred", ToJson(instance.deferred)},
                                      {"sealed_password", instance.sealed_password},
                                      {"first_node", instance.first_node.str()},
                                      {"second_node", instance.second_node.str()},
                                      {"first_interface", instance.first_interface},
                                      {"second_interface", instance.second_interface},
                                      {"private_address", instance.private_address},
                                      {"host_address", instance.host_address},
                                      {"restore", nodes::ToJson(instance.restore)},
                                      {"restored_from", instance.restored_from},
                                      {"restarts", instance.restarts},
                                      {"power", nodes::PowerName(instance.power)},
                                      {"endpoint_open", instance.endpoint_open},
                                      {"failure", instance.failure},
                                      {"run", instance.run.str()},
                                      {"created", ToMicros(instance.created)},
                                      {"tags", TagsToJson(instance.tags)}});
}

Result<Instance> ParseInstance(std::string_view text) {
  TRY_ASSIGN(const json::object object, ParseJsonObject(text));
  Instance instance;
  instance.id = InstanceId(JsonString(object, "id"));
  instance.identifier = JsonString(object, "identifier");
  if (instance.id.empty() || instance.identifier.empty()) {
    return Fail(Code::kCorrupt, "instance document without an id or a name");
  }
  instance.version = JsonString(object, "version");
  instance.database = JsonString(object, "database");
  instance.master_user = JsonString(object, "master_user");
  instance.subnet_group = JsonString(object, "subnet_group");
  instance.vpc = JsonString(object, "vpc");
  instance.zone = JsonString(object, "zone");
  instance.secondary_zone = JsonString(object, "secondary_zone");
  instance.settings = SettingsFromJson(JsonObject(object, "settings"));
  instance.deferred = DeferredFromJson(JsonObject(object, "deferred"));
  instance.sealed_password = JsonString(object, "sealed_password");
  instance.first_node = NodeId(JsonString(object, "first_node"));
  instance.second_node = NodeId(JsonString(object, "second_node"));
  instance.first_interface = JsonString(object, "first_interface");
  instance.second_interface = JsonString(object, "second_interface");
  instance.private_address = JsonString(object, "private_address");
  instance.host_address = JsonString(object, "host_address");
  if (const json::value* restore = object.if_contains("restore")) {
    TRY_ASSIGN(instance.restore, nodes::RestoreFromJson(*restore));
  }
  instance.restored_from = JsonString(object, "restored_from");
  instance.restarts = JsonInt(object, "restarts");
  TRY_ASSIGN(instance.power, nodes::ParsePower(JsonString(object, "power")));
  instance.endpoint_open = JsonBool(object, "endpoint_open");
  instance.failure = JsonString(object, "failure");
  instance.run = RunId(JsonString(object, "run"));
  instance.created = FromMicros(JsonInt(object, "created"));
  instance.tags = TagsFromJson(JsonObject(object, "tags"));
  return instance;
}

}  // namespace howdah::fleet
