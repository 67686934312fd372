// DB subnet groups.
#include <fmt/format.h>

#include <set>

#include "fleet/keys.h"
#include "fleet/subnet_group.h"
#include "services/rds/filters.h"
#include "services/rds/validate.h"
#include "vpc/records.h"

namespace howdah::services::rds {

namespace {

std::string LowerName(const std::optional<std::string>& name) {
  std::string lower = name.value_or("");
  std::ranges::transform(lower, lower.begin(),
                         [](char c) { return c >= 'A' && c <= 'Z' ? char(c + 32) : c; });
  return lower;
}

Outcome<std::string> ValidName(const std::optional<std::string>& name) {
  const std::string lower = LowerName(name);
  const bool legal = !lower.empty() && lower.size() <= 255 && lower != "default" &&
                     std::ranges::all_of(lower, [](char c) {
                       return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' ||
                              c == '-' || c == '_' || c == ' ';
                     });
  if (legal) return lower;
  return Refuse(aws::InvalidParameterValue(
      "The parameter DBSubnetGroupName must be provided and must not be 'default'; 1 to 255 "
      "letters, digits, periods, underscores, spaces, or hyphens."));
}

std::unexpected<aws::Fault> NotFound(std::string_view name) {
  return Refuse(api::fault::DBSubnetGroupNotFoundFault(
      fmt::format("DB subnet group '{}' does not exist.", name)));
}

// All subnets exist, are of one VPC, and lie in two zones at least. Returns the VPC.
Outcome<std::string> ValidSubnets(const fleet::Context& context,
                                  const aws::List<std::string>& subnets) {
  std::set<std::string> zones;
  std::string vpc;
  for (const std::string& id : subnets) {
    const auto subnet = vpc::Get<vpc::Subnet>(context.store, vpc::SubnetId(id));
    if (!subnet) {
      return Refuse(api::fault::InvalidSubnet(
          fmt::format("Subnet IDs are required, and this one does not exist: {}", id)));
    }
    if (!vpc.empty() && subnet->vpc.str() != vpc) {
      return Refuse(api::fault::InvalidSubnet("The subnets must all be of one VPC."));
    }
    vpc = subnet->vpc.str();
    zones.insert(subnet->zone);
  }
  if (zones.size() < 2) {
    return Refuse(api::fault::DBSubnetGroupDoesNotCoverEnoughAZs(
        "The DB subnet group doesn't meet Availability Zone (AZ) coverage requirement. Current AZ "
        "coverage: " +
        std::to_string(zones.size()) + ". Add subnets to cover at least 2 AZs."));
  }
  return vpc;
}

std::unexpected<aws::Fault> TooManySubnets(const fleet::Context& context) {
  return Refuse(api::fault::DBSubnetQuotaExceededFault(fmt::format(
      "Quota exceeded: at most {} SubnetIds in one group.", context.quotas.subnets_per_group)));
}

Outcome<void> WithinQuotas(const fleet::Context& context, std::size_t subnets) {
  if (subnets > static_cast<std::size_t>(context.quotas.subnets_per_group)) {
    return TooManySubnets(context);
  }
  const auto groups = fleet::ListSubnetGroups(context.store);
  if (!groups) return Refuse(aws::FaultOf(groups.error()));
  if (groups->size() < static_cast<std::size_t>(context.quotas.subnet_groups)) return {};
  return Refuse(api::fault::DBSubnetGroupQuotaExceededFault(
      fmt::format("Quota exceeded: at most {} DB subnet groups.", context.quotas.subnet_groups)));
}

Outcome<api::CreateDBSubnetGroupResult> Create(const fleet::Context& context,
                                               const api::CreateDBSubnetGroupMessage& in) {
  fleet::SubnetGroup group;
  OUTCOME_ASSIGN(group.name, ValidName(in.db_subnet_group_name));
  group.description = in.db_subnet_group_description.value_or("");
  OUTCOME_ASSIGN(group.vpc, ValidSubnets(context, in.subnet_ids));
  group.subnets = in.subnet_ids;
  OUTCOME_ASSIGN(group.tags, ToTags(in.tags));
  OUTCOME_TRY(WithinQuotas(context, in.subnet_ids.size()));
  const std::string key = fleet::SubnetGroupKey(group.name);
  const auto committed = context.store.Commit(
      {.compares = {{key, 0}}, .puts = {{key, fleet::Format(group), ""}}, .deletes = {}});
  if (!committed && committed.error().code() == Code::kConflict) {
    return Refuse(api::fault::DBSubnetGroupAlreadyExistsFault(
        fmt::format("The DB subnet group '{}' already exists.", group.name)));
  }
  if (!committed) return Refuse(aws::FaultOf(committed.error()));
  OUTCOME_ASSIGN(api::DBSubnetGroup shape, ToShape(context, group));
  return api::CreateDBSubnetGroupResult{.db_subnet_group = std::move(shape)};
}

Outcome<api::DBSubnetGroupMessage> Describe(const fleet::Context& context,
                                            const api::DescribeDBSubnetGroupsMessage& in) {
  OUTCOME_TRY(ValidFilters(in.filters));
  auto groups = fleet::ListSubnetGroups(context.store);
  if (!groups) return Refuse(aws::FaultOf(groups.error()));
  if (in.db_subnet_group_name) {
    const std::string name = LowerName(in.db_subnet_group_name);
    std::erase_if(*groups, [&](const fleet::SubnetGroup& group) { return group.name != name; });
    if (groups->empty()) return NotFound(name);
  }
  api::DBSubnetGroupMessage out;
  OUTCOME_ASSIGN(const aws::List<fleet::SubnetGroup> page,
                 Page(*std::move(groups), in, out.marker, [](const auto& it) { return it.name; }));
  for (const fleet::SubnetGroup& group : page) {
    OUTCOME_ASSIGN(api::DBSubnetGroup shape, ToShape(context, group));
    out.db_subnet_groups.push_back(std::move(shape));
  }
  return out;
}

Outcome<std::vector<fleet::Instance>> MembersOf(const fleet::Context& context,
                                                std::string_view group) {
  auto instances = fleet::ListInstances(context.store);
  if (!instances) return Refuse(aws::FaultOf(instances.error()));
  std::erase_if(*instances, [&](const fleet::Instance& it) { return it.subnet_group != group; });
  return *std::move(instances);
}

Outcome<api::ModifyDBSubnetGroupResult> Modify(const fleet::Context& context,
                                               const api::ModifyDBSubnetGroupMessage& in) {
  const std::string name = LowerName(in.db_subnet_group_name);
  const auto document = context.store.Get(fleet::SubnetGroupKey(name));
  if (!document) return NotFound(name);
  auto group = fleet::ParseSubnetGroup(document->value);
  if (!group) return Refuse(aws::FaultOf(group.error()));
  if (in.subnet_ids.size() > static_cast<std::size_t>(context.quotas.subnets_per_group)) {
    return TooManySubnets(context);
  }
  OUTCOME_ASSIGN(const std::string vpc, ValidSubnets(context, in.subnet_ids));
  if (vpc != group->vpc) {
    return Refuse(
        api::fault::InvalidSubnet("The new Subnets are not in the same Vpc as the "
                                  "existing subnet group."));
  }
  OUTCOME_ASSIGN(const std::vector<fleet::Instance> members, MembersOf(context, name));
  for (const std::string& id : group->subnets) {
    const bool stays = std::ranges::find(in.subnet_ids, id) != in.subnet_ids.end();
    const auto subnet = vpc::Get<vpc::Subnet>(context.store, vpc::SubnetId(id));
    if (stays || !subnet) continue;
    for (const fleet::Instance& member : members) {
      if (member.zone != subnet->zone && member.secondary_zone != subnet->zone) continue;
      return Refuse(api::fault::SubnetAlreadyInUse(
          fmt::format("The subnet {} is in use by the DB instance {}.", id, member.identifier)));
    }
  }
  group->subnets = in.subnet_ids;
  if (in.db_subnet_group_description) group->description = *in.db_subnet_group_description;
  const auto committed = context.store.Commit({.compares = {{document->key, document->revision}},
                                               .puts = {{document->key, fleet::Format(*group), ""}},
                                               .deletes = {}});
  if (!committed) return Refuse(aws::FaultOf(committed.error()));
  OUTCOME_ASSIGN(api::DBSubnetGroup shape, ToShape(context, *group));
  return api::ModifyDBSubnetGroupResult{.db_subnet_group = std::move(shape)};
}

Outcome<aws::Empty> Delete(const fleet::Context& context,
                           const api::DeleteDBSubnetGroupMessage& in) {
  const std::string name = LowerName(in.db_subnet_group_name);
  const auto document = context.store.Get(fleet::SubnetGroupKey(name));
  if (!document) return NotFound(name);
  OUTCOME_ASSIGN(const std::vector<fleet::Instance> members, MembersOf(context, name));
  if (!members.empty()) {
    return Refuse(api::fault::InvalidDBSubnetGroupStateFault(
        fmt::format("Cannot delete the subnet group '{}' because at least one database instance: "
                    "{} is still using it.",
                    name, members.front().identifier)));
  }
  const auto committed = context.store.Commit(
      {.compares = {{document->key, document->revision}}, .puts = {}, .deletes = {document->key}});
  if (!committed) return Refuse(aws::FaultOf(committed.error()));
  return aws::Empty{};
}

}  // namespace

void RegisterSubnetGroups(aws::Service& service, const fleet::Context& context) {
  const auto with = [&context](auto handler) {
    return
        [&context, handler](const RequestContext&, const auto& in) { return handler(context, in); };
  };
  service.Register<api::CreateDBSubnetGroup>(with(Create));
  service.Register<api::DescribeDBSubnetGroups>(with(Describe));
  service.Register<api::ModifyDBSubnetGroup>(with(Modify));
  service.Register<api::DeleteDBSubnetGroup>(with(Delete));
}

}  // namespace howdah::services::rds
