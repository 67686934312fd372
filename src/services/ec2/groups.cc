// Security group operations.
#include "vpc/groups.h"

#include <fmt/format.h>

#include "services/ec2/handlers.h"
#include "services/ec2/permissions.h"
#include "services/ec2/selection.h"
#include "services/ec2/tags.h"

namespace howdah::services::ec2 {
namespace {

constexpr std::string_view kFilters[] = {"description",
                                         "egress.ip-permission.cidr",
                                         "egress.ip-permission.from-port",
                                         "egress.ip-permission.group-id",
                                         "egress.ip-permission.protocol",
                                         "egress.ip-permission.to-port",
                                         "group-id",
                                         "group-name",
                                         "ip-permission.cidr",
                                         "ip-permission.from-port",
                                         "ip-permission.group-id",
                                         "ip-permission.protocol",
                                         "ip-permission.to-port",
                                         "owner-id",
                                         "vpc-id"};

// A group with its rules.
struct Ruled {
  vpc::GroupId id;
  vpc::SecurityGroup group;
  std::vector<vpc::Rule> rules;
};

std::string ArnOf(const vpc::GroupId& id, const aws::RequestContext& context) {
  return fmt::format("arn:aws:ec2:{}:{}:security-group/{}", context.region, context.account_id,
                     id.str());
}

Attributes AttributesOf(const Ruled& ruled, const aws::RequestContext& context) {
  Attributes attributes;
  attributes.Add("description", ruled.group.description);
  attributes.Add("group-id", ruled.group.id.str());
  attributes.Add("group-name", ruled.group.name);
  attributes.Add("owner-id", context.account_id);
  attributes.Add("vpc-id", ruled.group.vpc.str());
  attributes.AddTags(ruled.group.tags);
  for (const vpc::Rule& rule : ruled.rules) {
    const std::string prefix =
        rule.direction == vpc::Direction::kEgress ? "egress.ip-permission." : "ip-permission.";
    attributes.Add(prefix + "protocol", rule.protocol);
    attributes.Add(prefix + "from-port", std::to_string(rule.from_port));
    attributes.Add(prefix + "to-port", std::to_string(rule.to_port));
    if (rule.source.empty()) {
      attributes.Add(prefix + "cidr", rule.cidr.ToString());
    } else {
      attributes.Add(prefix + "group-id", rule.source.str());
    }
  }
  return attributes;
}

api::SecurityGroup Write(const Ruled& ruled, const aws::RequestContext& context) {
  api::SecurityGroup out;
  out.group_id = ruled.group.id.str();
  out.group_name = ruled.group.name;
  out.description = ruled.group.description;
  out.vpc_id = ruled.group.vpc.str();
  out.owner_id = context.account_id;
  out.security_group_arn = ArnOf(ruled.group.id, context);
  out.ip_permissions = WritePermissions(ruled.rules, vpc::Direction::kIngress, context.account_id);
  out.ip_permissions_egress =
      WritePermissions(ruled.rules, vpc::Direction::kEgress, context.account_id);
  out.tags = WriteTags(ruled.group.tags);
  return out;
}

aws::Outcome<std::vector<Ruled>> ListRuled(store::Store& store) {
  OUTCOME_ASSIGN(auto groups, Translated(vpc::List<vpc::SecurityGroup>(store)));
  OUTCOME_ASSIGN(auto rules, Translated(vpc::List<vpc::Rule>(store)));
  std::map<vpc::GroupId, std::vector<vpc::Rule>> by_group;
  for (vpc::Rule& rule : rules) by_group[rule.group].push_back(std::move(rule));
  std::vector<Ruled> result;
  for (vpc::SecurityGroup& group : groups) {
    const vpc::GroupId id = group.id;
    result.push_back({id, std::move(group), std::move(by_group[id])});
  }
  return result;
}

aws::Outcome<api::CreateSecurityGroupResult> CreateSecurityGroup(
    const Ec2Options& options, const aws::RequestContext& context,
    const api::CreateSecurityGroupRequest& in) {
  OUTCOME_ASSIGN(const vpc::Tags tags,
                 ReadTagSpecifications(in.tag_specifications, "security-group"));
  vpc::SecurityGroup made;
  OUTCOME_TRY(
      Change(options.network.store, [&](store::Transaction& transaction) -> aws::Outcome<void> {
        store::Store& store = options.network.store;
        OUTCOME_ASSIGN(const vpc::Vpc vpc,
                       in.vpc_id ? FindVpc(store, *in.vpc_id) : FindDefaultVpc(store));
        OUTCOME_ASSIGN(made, Translated(vpc::CreateSecurityGroup(options.network, transaction,
                                                                 {.vpc = vpc.id,
                                                                  .name = *in.group_name,
                                                                  .description = *in.description,
                                                                  .tags = tags}),
                                        {{Code::kAlreadyExists, "InvalidGroup.Duplicate"}}));
        return {};
      }));
  return api::CreateSecurityGroupResult{.group_id = made.id.str(),
                                        .tags = WriteTags(made.tags),
                                        .security_group_arn = ArnOf(made.id, context)};
}

// By id, or by name in the default VPC: the group that a delete names.
aws::Outcome<vpc::SecurityGroup> FindNamed(store::Store& store,
                                           const api::DeleteSecurityGroupRequest& in) {
  if (in.group_id) return FindGroup(store, *in.group_id);
  if (!in.group_name)
    return aws::Refuse(
        aws::MissingParameter("The request must contain the parameter groupName or groupId"));
  OUTCOME_ASSIGN(const vpc::Vpc vpc, FindDefaultVpc(store));
  return Translated(vpc::FindGroup(store, vpc.id, *in.group_name),
                    {{Code::kNotFound, "InvalidGroup.NotFound",
                      fmt::format("The security group '{}' does not exist in default VPC '{}'",
                                  *in.group_name, vpc.id.str())}});
}

aws::Outcome<api::DeleteSecurityGroupResult> DeleteSecurityGroup(
    const Ec2Options& options, const api::DeleteSecurityGroupRequest& in) {
  api::DeleteSecurityGroupResult out{.return_ = true};
  OUTCOME_TRY(
      Change(options.network.store, [&](store::Transaction& transaction) -> aws::Outcome<void> {
        OUTCOME_ASSIGN(const vpc::SecurityGroup group, FindNamed(options.network.store, in));
        out.group_id = group.id.str();
        return Translated(vpc::DeleteSecurityGroup(options.network, transaction, group.id),
                          {{Code::kPermission, "CannotDelete"},
                           {Code::kInUse, "DependencyViolation",
                            fmt::format("resource {} has a dependent object", group.id.str())}});
      }));
  return out;
}

// GroupNames are of the default VPC only, as on AWS.
aws::Outcome<aws::List<std::string>> WantedIds(store::Store& store,
                                               const api::DescribeSecurityGroupsRequest& in) {
  aws::List<std::string> ids = in.group_ids;
  for (const std::string& id : ids) OUTCOME_TRY(FindGroup(store, id));
  if (in.group_names.empty()) return ids;
  OUTCOME_ASSIGN(const vpc::Vpc vpc, FindDefaultVpc(store));
  for (const std::string& name : in.group_names) {
    OUTCOME_ASSIGN(const vpc::SecurityGroup group,
                   Translated(vpc::FindGroup(store, vpc.id, name),
                              {{Code::kNotFound, "InvalidGroup.NotFound",
                                fmt::format("The security group '{}' does not exist", name)}}));
    ids.push_back(group.id.str());
  }
  return ids;
}

aws::Outcome<api::DescribeSecurityGroupsResult> DescribeSecurityGroups(
    const Ec2Options& options, const aws::RequestContext& context,
    const api::DescribeSecurityGroupsRequest& in) {
  OUTCOME_ASSIGN(const auto ids, WantedIds(options.network.store, in));
  OUTCOME_ASSIGN(auto groups, ListRuled(options.network.store));
  OUTCOME_ASSIGN(const auto page,
                 Select<Ruled>(std::move(groups), ids, in, kFilters,
                               [&](const Ruled& ruled) { return AttributesOf(ruled, context); }));
  api::DescribeSecurityGroupsResult out;
  for (const Ruled& ruled : page.records) out.security_groups.push_back(Write(ruled, context));
  out.next_token = page.next_token;
  return out;
}

}  // namespace

void RegisterGroups(aws::Service& service, const Ec2Options& options) {
  service.Register<api::CreateSecurityGroup>([options](const auto& context, const auto& in) {
    return CreateSecurityGroup(options, context, in);
  });
  service.Register<api::DeleteSecurityGroup>(
      [options](const auto&, const auto& in) { return DeleteSecurityGroup(options, in); });
  service.Register<api::DescribeSecurityGroups>([options](const auto& context, const auto& in) {
    return DescribeSecurityGroups(options, context, in);
  });
}

}  // namespace howdah::services::ec2
