#include "fleet/node_plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "ha/step.h"
#include "postgres/catalogue.h"
#include "postgres/config.h"
#include "postgres/instance_class.h"

namespace howdah::fleet {

namespace {

nodes::Desired Common(const Instance& instance, const ha::Record& record,
                      const postgres::Settings& settings) {
  nodes::Desired desired;
  desired.instance = instance.id;
  desired.version = instance.version;
  desired.power = instance.power;
  desired.epoch = record.epoch;
  desired.storage_gib = instance.settings.storage_gib;
  desired.settings = {settings.begin(), settings.end()};
  desired.restarts = instance.restarts;
  desired.archive = instance.settings.backup_retention_days > 0;
  desired.sealed_password = instance.sealed_password;
  return desired;
}

}  // namespace

std::string ZoneOf(const Instance& instance, const NodeId& node) {
  return node == instance.first_node ? instance.zone : instance.secondary_zone;
}

bool ForcesTls(int major) {
  constexpr int kFirstMajorThatForcesTls = 15;
  return major >= kFirstMajorThatForcesTls;
}

Result<> CheckDataPathTags(const Tags& tags) {
  for (const auto& [key, value] : tags) {
    if (key == kDataPathTag && !nodes::ParseDataPath(value)) {
      return Fail(Code::kInvalid,
                  fmt::format("The tag {} is '{}'; it can be auto or relay.", key, value));
    }
    if (key == kTlsTag && !nodes::ParseTlsPlace(value)) {
      return Fail(
          Code::kInvalid,
          fmt::format("The tag {} is '{}'; it can be auto, server or gateway.", key, value));
    }
    if (key == kSynchronousCommitTag && value != "enforced" && value != "session") {
      return Fail(Code::kInvalid,
                  fmt::format("The tag {} is '{}'; it can be enforced or session.", key, value));
    }
  }
  return {};
}

nodes::Endpoint EndpointOf(const Instance& instance, int major) {
  nodes::Endpoint endpoint{.host_address = instance.host_address,
                           .private_address = instance.private_address,
                           .force_tls = ForcesTls(major)};
  const auto tag = [&](std::string_view name) {
    const auto found = instance.tags.find(std::string(name));
    return found == instance.tags.end() ? std::string("auto") : found->second;
  };
  endpoint.data_path = nodes::ParseDataPath(tag(kDataPathTag)).value_or(nodes::DataPath::kAuto);
  endpoint.tls = nodes::ParseTlsPlace(tag(kTlsTag)).value_or(nodes::TlsPlace::kAuto);
  return endpoint;
}

Result<postgres::Settings> NodeSettings(const Instance& instance) {
  TRY_ASSIGN(const postgres::EngineVersion version,
             postgres::EngineVersion::Parse(instance.version));
  TRY_ASSIGN(const postgres::InstanceClass size,
             postgres::FindInstanceClass(instance.settings.instance_class));
  const std::vector<postgres::Parameter> parameters = postgres::DefaultParameters(version.major);
  TRY_ASSIGN(postgres::Settings settings,
             postgres::EvaluateParameters(
                 parameters, postgres::VariablesOf(size, instance.settings.storage_gib,
                                                   static_cast<int>(instance.settings.port))));
  const auto commits = instance.tags.find(std::string(kSynchronousCommitTag));
  if (commits != instance.tags.end() && commits->second == "session") {
    settings[std::string(postgres::kAllowAsyncCommit)] = "1";
  }
  return settings;
}

Result<std::vector<nodes::Desired>> PlanNodes(const Instance& instance, const ha::Record& record,
                                              bool primary_stopped) {
  TRY_ASSIGN(const postgres::Settings settings, NodeSettings(instance));
  TRY_ASSIGN(const postgres::EngineVersion version,
             postgres::EngineVersion::Parse(instance.version));
  const nodes::Endpoint endpoint = EndpointOf(instance, version.major);
  const ha::Wanted wanted = ha::WantedOf(record);
  std::vector<nodes::Desired> plan;

  nodes::Desired primary = Common(instance, record, settings);
  primary.id = record.primary;
  primary.endpoint = endpoint;
  primary.zone = ZoneOf(instance, record.primary);
  primary.role =
      wanted.primary == ha::Task::kRecruit ? nodes::Role::kRecruit : nodes::Role::kPrimary;
  if (wanted.primary == ha::Task::kStop && primary.power == nodes::Power::kRunning) {
    primary.power = nodes::Power::kStopped;
  }
  if (record.primary == instance.first_node) primary.restore = instance.restore;
  primary.revive = record.revive;
  primary.checkpoint = record.checkpoint;
  primary.waits_for = wanted.primary_waits_for;
  primary.token = wanted.standby_token;
  primary.bootstrap = {.stamp = instance.settings.password_stamp,
                       .master_user = instance.master_user,
                       .master_verifier = instance.settings.master_verifier,
                       .database = instance.database};
  plan.push_back(primary);

  const NodeId other =
      record.primary == instance.first_node ? instance.second_node : instance.first_node;
  if (other.empty()) return plan;
  nodes::Desired standby = Common(instance, record, settings);
  standby.id = other;
  standby.endpoint = endpoint;
  standby.zone = ZoneOf(instance, other);
  standby.role = wanted.standby == ha::Task::kFence ? nodes::Role::kFenced : nodes::Role::kStandby;
  standby.primary = record.primary;
  standby.token = wanted.standby_token;
  if (!wanted.standby_exists) standby.power = nodes::Power::kAbsent;
  if (standby.power == nodes::Power::kStopped && !primary_stopped) {
    standby.power = nodes::Power::kRunning;
  }
  plan.push_back(standby);
  return plan;
}

Result<SubnetGroup> LoadSubnetGroup(const Context& context, std::string_view name) {
  Result<SubnetGroup> group = GetSubnetGroup(context.store, name);
  if (group || group.error().code() != Code::kNotFound || name != "default") return group;
  TRY_ASSIGN(const std::vector<vpc::Vpc> vpcs, vpc::List<vpc::Vpc>(context.store));
  const auto found = std::ranges::find(vpcs, true, &vpc::Vpc::is_default);
  if (found == vpcs.end()) return Fail(Code::kNotFound, "there is no default VPC");
  TRY_ASSIGN(const std::vector<vpc::Subnet> subnets, vpc::List<vpc::Subnet>(context.store));
  SubnetGroup result{.name = "default", .description = "default", .vpc = found->id.str()};
  for (const vpc::Subnet& subnet : subnets) {
    if (subnet.vpc == found->id) result.subnets.push_back(subnet.id.str());
  }
  return result;
}

Result<vpc::Subnet> SubnetInZone(const Context& context, const SubnetGroup& group,
                                 std::string_view zone) {
  for (const std::string& id : group.subnets) {
    TRY_ASSIGN(vpc::Subnet subnet, vpc::Get<vpc::Subnet>(context.store, vpc::SubnetId(id)));
    if (subnet.zone == zone) return subnet;
  }
  return Fail(Code::kNotFound,
              "subnet group '" + group.name + "' has no subnet in " + std::string(zone));
}

Result<std::vector<std::string>> ZonesOf(const Context& context, const SubnetGroup& group) {
  std::set<std::string> zones;
  for (const std::string& id : group.subnets) {
    TRY_ASSIGN(const vpc::Subnet subnet, vpc::Get<vpc::Subnet>(context.store, vpc::SubnetId(id)));
    zones.insert(subnet.zone);
  }
  return std::vector<std::string>(zones.begin(), zones.end());
}

}  // namespace howdah::fleet
