// Operations on the rules of security groups.
#include <fmt/format.h>

#include <algorithm>

#include "services/ec2/handlers.h"
#include "services/ec2/permissions.h"
#include "services/ec2/selection.h"
#include "services/ec2/tags.h"
#include "vpc/groups.h"

namespace howdah::services::ec2 {
namespace {

constexpr std::string_view kFilters[] = {"group-id", "security-group-rule-id"};

// The parts in which requests for ingress and egress differ: ingress may name its group.
const std::optional<std::string>& GroupNameOf(const api::AuthorizeSecurityGroupIngressRequest& in) {
  return in.group_name;
}
const std::optional<std::string>& GroupNameOf(const api::RevokeSecurityGroupIngressRequest& in) {
  return in.group_name;
}
const std::optional<std::string>& GroupNameOf(const auto&) {
  static const std::optional<std::string> none;
  return none;
}

template <typename Input>
aws::Outcome<vpc::SecurityGroup> GroupOf(store::Store& store, const Input& in) {
  if (in.group_id) return FindGroup(store, *in.group_id);
  const std::optional<std::string>& name = GroupNameOf(in);
  if (!name)
    return aws::Refuse(
        aws::MissingParameter("The request must contain the parameter groupName or groupId"));
  OUTCOME_ASSIGN(const vpc::Vpc vpc, FindDefaultVpc(store));
  return Translated(vpc::FindGroup(store, vpc.id, *name),
                    {{Code::kNotFound, "InvalidGroup.NotFound",
                      fmt::format("The security group '{}' does not exist", *name)}});
}

template <typename Input>
aws::Outcome<std::vector<vpc::Rule>> RulesOfRequest(store::Store& store,
                                                    const vpc::SecurityGroup& group,
                                                    vpc::Direction direction,
                                                    const aws::RequestContext& context,
                                                    const Input& in) {
  return ReadPermissions(store, group, direction, context.account_id,
                         {in.ip_permissions, in.ip_protocol, in.from_port, in.to_port, in.cidr_ip,
                          in.source_security_group_name});
}

// The new rule that the group has already, for the text of the fault.
std::string NameDuplicate(store::Store& store, const vpc::GroupId& group,
                          const std::vector<vpc::Rule>& rules) {
  const auto present = vpc::RulesOf(store, group);
  for (const vpc::Rule& rule : rules) {
    const bool duplicate = present && std::ranges::any_of(*present, [&](const vpc::Rule& other) {
                             return other.SameAs(rule);
                           });
    if (duplicate) return NameRule(rule);
  }
  return rules.empty() ? "" : NameRule(rules.front());
}

template <typename Output, typename Input>
aws::Outcome<Output> Authorize(const Ec2Options& options, const aws::RequestContext& context,
                               const Input& in, vpc::Direction direction) {
  store::Store& store = options.network.store;
  OUTCOME_ASSIGN(const vpc::Tags tags,
                 ReadTagSpecifications(in.tag_specifications, "security-group-rule"));
  vpc::SecurityGroup group;
  std::vector<vpc::Rule> added;
  OUTCOME_TRY(Change(store, [&](store::Transaction& transaction) -> aws::Outcome<void> {
    OUTCOME_ASSIGN(group, GroupOf(store, in));
    OUTCOME_ASSIGN(std::vector<vpc::Rule> rules,
                   RulesOfRequest(store, group, direction, context, in));
    for (vpc::Rule& rule : rules) rule.tags = tags;
    const std::string text = fmt::format("the specified rule \"{}\" already exists",
                                         NameDuplicate(store, group.id, rules));
    OUTCOME_ASSIGN(
        added, Translated(vpc::AddRules(options.network, transaction, group.id, std::move(rules)),
                          {{Code::kAlreadyExists, "InvalidPermission.Duplicate", text},
                           {Code::kExhausted, "RulesPerSecurityGroupLimitExceeded"}}));
    return {};
  }));
  Output out;
  out.return_ = true;
  for (const vpc::Rule& rule : added)
    out.security_group_rules.push_back(WriteRule(rule, group, context));
  return out;
}

// The ids of the group's rules that say what the request says; every one of them must exist.
aws::Outcome<std::vector<vpc::RuleId>> MatchRules(store::Store& store, const vpc::GroupId& group,
                                                  const std::vector<vpc::Rule>& wanted) {
  OUTCOME_ASSIGN(const auto present, Translated(vpc::RulesOf(store, group)));
  std::vector<vpc::RuleId> ids;
  for (const vpc::Rule& rule : wanted) {
    const auto found =
        std::ranges::find_if(present, [&](const vpc::Rule& other) { return other.SameAs(rule); });
    if (found == present.end())
      return aws::Refuse("InvalidPermission.NotFound",
                         "The specified rule does not exist in this security group.");
    ids.push_back(found->id);
  }
  return ids;
}

bool NamesIpv6(const aws::List<api::IpPermission>& permissions) {
  return std::ranges::any_of(permissions, [](const api::IpPermission& permission) {
    return !permission.ipv6_ranges.empty() || !permission.prefix_list_ids.empty();
  });
}

template <typename Input>
aws::Outcome<std::vector<vpc::RuleId>> RulesToRevoke(store::Store& store,
                                                     const vpc::SecurityGroup& group,
                                                     vpc::Direction direction,
                                                     const aws::RequestContext& context,
                                                     const Input& in) {
  if (in.security_group_rule_ids.empty()) {
    // A group never has such a rule; clients revoke "::/0" to be sure that it is not there.
    if (NamesIpv6(in.ip_permissions))
      return aws::Refuse("InvalidPermission.NotFound",
                         "The specified rule does not exist in this security group.");
    OUTCOME_ASSIGN(const auto wanted, RulesOfRequest(store, group, direction, context, in));
    return MatchRules(store, group.id, wanted);
  }
  if (!in.ip_permissions.empty())
    return aws::Refuse(aws::InvalidParameterCombination(
        "Give either SecurityGroupRuleIds or IpPermissions, not both."));
  std::vector<vpc::RuleId> ids;
  for (const std::string& id : in.security_group_rule_ids) {
    OUTCOME_ASSIGN(const vpc::Rule rule, FindRule(store, id));
    if (rule.group != group.id || rule.direction != direction) return aws::Refuse(NotFound(id));
    if (std::ranges::find(ids, rule.id) == ids.end()) ids.push_back(rule.id);
  }
  return ids;
}

api::RevokedSecurityGroupRule WriteRevoked(const vpc::Rule& rule) {
  api::RevokedSecurityGroupRule out;
  out.security_group_rule_id = rule.id.str();
  out.group_id = rule.group.str();
  out.is_egress = rule.direction == vpc::Direction::kEgress;
  out.ip_protocol = rule.protocol;
  out.from_port = rule.from_port;
  out.to_port = rule.to_port;
  if (rule.source.empty()) {
    out.cidr_ipv4 = rule.cidr.ToString();
  } else {
    out.referenced_group_id = rule.source.str();
  }
  if (!rule.description.empty()) out.description = rule.description;
  return out;
}

template <typename Output, typename Input>
aws::Outcome<Output> Revoke(const Ec2Options& options, const aws::RequestContext& context,
                            const Input& in, vpc::Direction direction) {
  store::Store& store = options.network.store;
  std::vector<vpc::Rule> removed;
  OUTCOME_TRY(Change(store, [&](store::Transaction& transaction) -> aws::Outcome<void> {
    OUTCOME_ASSIGN(const vpc::SecurityGroup group, GroupOf(store, in));
    OUTCOME_ASSIGN(const auto ids, RulesToRevoke(store, group, direction, context, in));
    OUTCOME_ASSIGN(removed,
                   Translated(vpc::RemoveRules(options.network, transaction, group.id, ids)));
    return {};
  }));
  Output out;
  out.return_ = true;
  for (const vpc::Rule& rule : removed)
    out.revoked_security_group_rules.push_back(WriteRevoked(rule));
  return out;
}

// What a rule becomes: what it is about must be said anew, exactly one way.
aws::Outcome<vpc::Rule> ReadUpdate(store::Store& store, const vpc::SecurityGroup& group,
                                   const vpc::Rule& before,
                                   const api::SecurityGroupRuleRequest& in) {
  if (in.cidr_ipv6 || in.prefix_list_id)
    return aws::Refuse(aws::InvalidParameterValue(
        "IPv6 ranges and prefix lists are not supported: VPCs have IPv4 only."));
  if (in.cidr_ipv4.has_value() == in.referenced_group_id.has_value())
    return aws::Refuse(aws::InvalidParameterCombination(
        "Exactly one of CidrIpv4 and ReferencedGroupId must be given."));
  OUTCOME_TRY(CheckDescription(in.description));
  vpc::Rule rule = before;
  rule.protocol = in.ip_protocol.value_or(before.protocol);
  rule.from_port = static_cast<int>(in.from_port.value_or(-1));
  rule.to_port = static_cast<int>(in.to_port.value_or(-1));
  rule.description = in.description.value_or("");
  rule.source = {};
  if (in.cidr_ipv4) {
    OUTCOME_ASSIGN(rule.cidr, ReadCidr(*in.cidr_ipv4));
  } else {
    OUTCOME_ASSIGN(const vpc::SecurityGroup source, FindGroup(store, *in.referenced_group_id));
    if (source.vpc != group.vpc)
      return aws::Refuse(aws::InvalidParameterValue(
          "You have specified two resources that belong to different networks."));
    rule.source = source.id;
  }
  return rule;
}

aws::Outcome<api::ModifySecurityGroupRulesResult> ModifySecurityGroupRules(
    const Ec2Options& options, const api::ModifySecurityGroupRulesRequest& in) {
  store::Store& store = options.network.store;
  const auto build = [&](store::Transaction& transaction) -> aws::Outcome<void> {
    OUTCOME_ASSIGN(const vpc::SecurityGroup group, FindGroup(store, *in.group_id));
    for (const api::SecurityGroupRuleUpdate& update : in.security_group_rules) {
      OUTCOME_ASSIGN(const vpc::Rule before,
                     FindRule(store, update.security_group_rule_id.value_or("")));
      if (before.group != group.id) return aws::Refuse(NotFound(before.id.str()));
      if (!update.security_group_rule) continue;
      OUTCOME_ASSIGN(vpc::Rule rule, ReadUpdate(store, group, before, *update.security_group_rule));
      const std::string text =
          fmt::format("the specified rule \"{}\" already exists", NameRule(rule));
      OUTCOME_TRY(Translated(vpc::ReplaceRule(options.network, transaction, std::move(rule)),
                             {{Code::kAlreadyExists, "InvalidPermission.Duplicate", text}}));
    }
    return {};
  };
  OUTCOME_TRY(Change(store, build));
  return api::ModifySecurityGroupRulesResult{.return_ = true};
}

Attributes AttributesOf(const vpc::Rule& rule) {
  Attributes attributes;
  attributes.Add("group-id", rule.group.str());
  attributes.Add("security-group-rule-id", rule.id.str());
  attributes.AddTags(rule.tags);
  return attributes;
}

aws::Outcome<api::DescribeSecurityGroupRulesResult> DescribeSecurityGroupRules(
    const Ec2Options& options, const aws::RequestContext& context,
    const api::DescribeSecurityGroupRulesRequest& in) {
  store::Store& store = options.network.store;
  for (const std::string& id : in.security_group_rule_ids) OUTCOME_TRY(FindRule(store, id));
  OUTCOME_ASSIGN(auto rules, Translated(vpc::List<vpc::Rule>(store)));
  OUTCOME_ASSIGN(const auto page, Select<vpc::Rule>(std::move(rules), in.security_group_rule_ids,
                                                    in, kFilters, AttributesOf));
  OUTCOME_ASSIGN(const auto groups, Translated(vpc::List<vpc::SecurityGroup>(store)));
  api::DescribeSecurityGroupRulesResult out;
  for (const vpc::Rule& rule : page.records) {
    const auto group = std::ranges::find(groups, rule.group, &vpc::SecurityGroup::id);
    if (group != groups.end()) out.security_group_rules.push_back(WriteRule(rule, *group, context));
  }
  out.next_token = page.next_token;
  return out;
}

}  // namespace

void RegisterRules(aws::Service& service, const Ec2Options& options) {
  using vpc::Direction;
  service.Register<api::AuthorizeSecurityGroupIngress>(
      [options](const auto& context, const auto& in) {
        return Authorize<api::AuthorizeSecurityGroupIngressResult>(options, context, in,
                                                                   Direction::kIngress);
      });
  service.Register<api::AuthorizeSecurityGroupEgress>(
      [options](const auto& context, const auto& in) {
        return Authorize<api::AuthorizeSecurityGroupEgressResult>(options, context, in,
                                                                  Direction::kEgress);
      });
  service.Register<api::RevokeSecurityGroupIngress>([options](const auto& context, const auto& in) {
    return Revoke<api::RevokeSecurityGroupIngressResult>(options, context, in, Direction::kIngress);
  });
  service.Register<api::RevokeSecurityGroupEgress>([options](const auto& context, const auto& in) {
    return Revoke<api::RevokeSecurityGroupEgressResult>(options, context, in, Direction::kEgress);
  });
  service.Register<api::ModifySecurityGroupRules>(
      [options](const auto&, const auto& in) { return ModifySecurityGroupRules(options, in); });
  service.Register<api::DescribeSecurityGroupRules>([options](const auto& context, const auto& in) {
    return DescribeSecurityGroupRules(options, context, in);
  });
}

}  // namespace howdah::services::ec2
