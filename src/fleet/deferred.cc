#include "fleet/deferred.h"

#include "fleet/instance.h"

namespace howdah::fleet {

Settings Apply(const Deferred& deferred, Settings settings) {
  if (deferred.instance_class) settings.instance_class = *deferred.instance_class;
  if (deferred.storage_gib) settings.storage_gib = *deferred.storage_gib;
  if (deferred.storage_type) settings.storage_type = *deferred.storage_type;
  if (deferred.multi_az) settings.multi_az = *deferred.multi_az;
  if (deferred.backup_retention_days) {
    settings.backup_retention_days = *deferred.backup_retention_days;
  }
  return settings;
}

json::object ToJson(const Deferred& deferred) {
  json::object object;
  if (deferred.identifier) object["identifier"] = *deferred.identifier;
  if (deferred.instance_class) object["instance_class"] = *deferred.instance_class;
  if (deferred.storage_gib) object["storage_gib"] = *deferred.storage_gib;
  if (deferred.storage_type) object["storage_type"] = *deferred.storage_type;
  if (deferred.multi_az) object["multi_az"] = *deferred.multi_az;
  if (deferred.backup_retention_days) {
    object["backup_retention_days"] = *deferred.backup_retention_days;
  }
  return object;
}

Deferred DeferredFromJson(const json::object& object) {
  Deferred deferred;
  if (object.contains("identifier")) deferred.identifier = JsonString(object, "identifier");
  if (object.contains("instance_class")) {
    deferred.instance_class = JsonString(object, "instance_class");
  }
  if (object.contains("storage_gib")) deferred.storage_gib = JsonInt(object, "storage_gib");
  if (object.contains("storage_type")) deferred.storage_type = JsonString(object, "storage_type");
  if (object.contains("multi_az")) deferred.multi_az = JsonBool(object, "multi_az");
  if (object.contains("backup_retention_days")) {
    deferred.backup_retention_days = JsonInt(object, "backup_retention_days");
  }
  return deferred;
}

}  // namespace howdah::fleet
