#include "services/cloudformation/providers/db_instance_properties.h"

#include <algorithm>
#include <array>
#include <utility>

#include "services/cloudformation/invoke.h"

namespace howdah::cfn {

namespace {

constexpr std::string_view kSnapshot = "DBSnapshotIdentifier";

// Whose state at a time it begins with.
constexpr std::array<std::string_view, 3> kSources = {
    "SourceDBInstanceIdentifier", "SourceDbiResourceId", "SourceDBInstanceAutomatedBackupsArn"};

std::string Lower(std::string text) {
  std::ranges::transform(text, text.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  return text;
}

}  // namespace

bool IsFromSnapshot(const json::object& properties) {
  return !TextOf(properties, kSnapshot).empty();
}
bool IsFromTime(const json::object& properties) {
  return std::ranges::any_of(
      kSources, [&](std::string_view name) { return !TextOf(properties, name).empty(); });
}
void WithoutEmptySources(json::object& properties) {
  properties.erase(kSnapshot);
  for (const std::string_view name : kSources) properties.erase(name);
}
bool IsRestored(const json::object& properties) {
  return IsFromSnapshot(properties) || IsFromTime(properties);
}
const aws::OperationDesc& RestoreOperation(const json::object& properties) {
  return IsFromTime(properties) ? rds::RestoreDBInstanceToPointInTime::Desc()
                                : rds::RestoreDBInstanceFromDBSnapshot::Desc();
}

bool Takes(const aws::OperationDesc& operation, std::string_view name) {
  return std::ranges::find(operation.input->members, name, &aws::MemberDesc::name) !=
         operation.input->members.end();
}

void Rename(json::object& properties, std::string_view from, std::string_view to) {
  const json::value* value = properties.if_contains(from);
  if (value == nullptr) return;
  json::value kept = *value;
  properties.erase(from);
  properties.emplace(to, std::move(kept));
}

void TakeSpelling(json::object& actual, const json::object& expected) {
  for (const char* name :
       {"DBInstanceIdentifier", "DBSubnetGroupName", "Engine", "DBParameterGroupName",
        "OptionGroupName", "PreferredMaintenanceWindow"}) {
    const std::string wanted = TextOf(expected, name);
    if (Lower(TextOf(actual, name)) == Lower(wanted)) actual.insert_or_assign(name, wanted);
    if (!expected.contains(name)) actual.erase(name);
  }
  // "14" means any of its minor versions.
  const std::string version = TextOf(expected, "EngineVersion");
  if (TextOf(actual, "EngineVersion").starts_with(version + ".")) {
    actual.insert_or_assign("EngineVersion", version);
  }
}

bool CannotBeTakenBack(const Subject& subject, std::string_view name, const json::object& before,
                       const json::object& after) {
  return name == "AllocatedStorage" && subject.stack.status == "UPDATE_ROLLBACK_IN_PROGRESS" &&
         JsonInt(after, name) < JsonInt(before, name);
}

void ReadOthers(const rds::DBInstance& instance, json::object& actual) {
  json::array groups;
  for (const auto& group : instance.vpc_security_groups) {
    groups.push_back(TextValue(group.vpc_security_group_id));
  }
  actual.emplace("VPCSecurityGroups", std::move(groups));
  if (instance.db_subnet_group) {
    actual.emplace("DBSubnetGroupName", TextValue(instance.db_subnet_group->db_subnet_group_name));
  }
  if (instance.endpoint) actual.emplace("Port", instance.endpoint->port.value_or(0));
  if (!instance.db_parameter_groups.empty()) {
    actual.emplace("DBParameterGroupName",
                   TextValue(instance.db_parameter_groups[0].db_parameter_group_name));
  }
  actual.emplace("EnableIAMDatabaseAuthentication",
                 instance.iam_database_authentication_enabled.value_or(false));
}

}  // namespace howdah::cfn
