// Operations on the rules of security groups.
#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "services/ec2/handlers.h"
#include "services/ec2/permissions.h"
#include "services/ec2/rule_requests.h"
#include "services/ec2/selection.h"
#include "services/ec2/serve.h"
#include "services/ec2/tags.h"
#include "vpc/groups.h"

namespace howdah::services::ec2 {
namespace {

constexpr Column<vpc::Rule> kColumns[] = {
    {"group-id", [](const vpc::Rule& rule) { return rule.group.str(); }},
    {"security-group-rule-id", [](const vpc::Rule& rule) { return rule.id.str(); }}};

constexpr Resource<vpc::Rule> kRules = {.ids = "securityGroupRuleIds",
                                        .columns = kColumns,
                                        .key = [](const vpc::Rule& rule) { return rule.id.str(); },
                                        .tags = [](const vpc::Rule& rule) { return &rule.tags; }};

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
  return FindGroup(store, in.group_id, GroupNameOf(in));
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

template <typename Input>
aws::Outcome<std::vector<vpc::RuleId>> RulesToRevoke(store::Store& store,
                                                     const vpc::SecurityGroup& group,
                                                     vpc::Direction direction,
                                                     const aws::RequestContext& context,
                                                     const Input& in) {
  if (in.security_group_rule_ids.empty()) {
    OUTCOME_ASSIGN(const auto wanted, RulesOfRequest(store, group, direction, context, in));
    return MatchRules(store, group.id, wanted);
  }
  if (!in.ip_permissions.empty())
    return aws::Refuse(aws::InvalidParameterCombination(
        "Give either SecurityGroupRuleIds or IpPermissions, not both."));
  std::vector<vpc::RuleId> ids;
  for (const std::string& id : in.security_group_rule_ids) {
    OUTCOME_ASSIGN(const vpc::Rule rule, FindRuleOf(store, group.id, direction, id));
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
  if (!rule.source.empty()) {
    out.referenced_group_id = rule.source.str();
  } else {
    (rule.cidr6 ? out.cidr_ipv6 : out.cidr_ipv4) = rule.Peer();
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
  if (in.prefix_list_id) return aws::Refuse(NoPrefixList(*in.prefix_list_id));
  const int given = int{in.cidr_ipv4.has_value()} + int{in.cidr_ipv6.has_value()} +
                    int{in.referenced_group_id.has_value()};
  if (given != 1)
    return aws::Refuse(aws::InvalidParameterCombination(
        "Exactly one of CidrIpv4, CidrIpv6, PrefixListId and ReferencedGroupId must be given."));
  OUTCOME_TRY(CheckDescription(in.description));
  vpc::Rule rule = before;
  rule.protocol = in.ip_protocol.value_or(before.protocol);
  rule.from_port = static_cast<int>(in.from_port.value_or(-1));
  rule.to_port = static_cast<int>(in.to_port.value_or(-1));
  rule.description = in.description.value_or("");
  rule.source = {};
  rule.cidr6.reset();
  if (in.cidr_ipv4) {
    OUTCOME_ASSIGN(rule.cidr, ReadCidr(*in.cidr_ipv4));
  } else if (in.cidr_ipv6) {
    OUTCOME_ASSIGN(rule.cidr6, ReadCidr6(*in.cidr_ipv6));
  } else {
    OUTCOME_ASSIGN(const vpc::SecurityGroup source,
                   Find<vpc::SecurityGroup>(store, *in.referenced_group_id));
    if (source.vpc != group.vpc)
      return aws::Refuse(aws::InvalidParameterValue(
          "You have specified two resources that belong to different networks."));
    rule.source = source.id;
  }
  return rule;
}

aws::Outcome<api::ModifySecurityGroupRulesResult> ModifySecurityGroupRules(
    const Ec2Options& options, const aws::RequestContext&,
    const api::ModifySecurityGroupRulesRequest& in) {
  store::Store& store = options.network.store;
  const auto build = [&](store::Transaction& transaction) -> aws::Outcome<void> {
    OUTCOME_ASSIGN(const vpc::SecurityGroup group, Find<vpc::SecurityGroup>(store, *in.group_id));
    for (const api::SecurityGroupRuleUpdate& update : in.security_group_rules) {
      OUTCOME_ASSIGN(const vpc::Rule before,
                     Find<vpc::Rule>(store, update.security_group_rule_id.value_or("")));
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

// Every rule there is, those with these ids, or, where the request says which group, the group's:
// the most common question by far is not paid for with the rules of all others.
aws::Outcome<std::vector<vpc::Rule>> Candidates(store::Store& store,
                                                const api::DescribeSecurityGroupRulesRequest& in) {
  const auto of_groups = std::ranges::find_if(in.filters, [](const api::Filter& filter) {
    return filter.name == "group-id" && std::ranges::all_of(filter.values, [](const auto& id) {
             return vpc::IsWellFormed(id, vpc::kGroupPrefix);
           });
  });
  if (!in.security_group_rule_ids.empty() || of_groups == in.filters.end())
    return Load<vpc::Rule>(store, in.security_group_rule_ids);
  std::map<vpc::RuleId, vpc::Rule> found;
  for (const std::string& id : of_groups->values) {
    OUTCOME_ASSIGN(const auto rules, Translated(vpc::RulesOf(store, vpc::GroupId(id))));
    for (const vpc::Rule& rule : rules) found.emplace(rule.id, rule);
  }
  std::vector<vpc::Rule> rules;
  for (auto& [id, rule] : found) rules.push_back(std::move(rule));
  return rules;
}

aws::Outcome<api::DescribeSecurityGroupRulesResult> DescribeSecurityGroupRules(
    const Ec2Options& options, const aws::RequestContext& context,
    const api::DescribeSecurityGroupRulesRequest& in) {
  store::Store& store = options.network.store;
  OUTCOME_ASSIGN(auto rules, Candidates(store, in));
  OUTCOME_ASSIGN(const auto page,
                 Select(kRules, std::move(rules), in, !in.security_group_rule_ids.empty()));
  api::DescribeSecurityGroupRulesResult out;
  for (const vpc::Rule& rule : page.records) {
    const auto group = vpc::Get<vpc::SecurityGroup>(store, rule.group);
    if (group) out.security_group_rules.push_back(WriteRule(rule, *group, context));
  }
  out.next_token = page.next_token;
  return out;
}

}  // namespace

void RegisterRules(aws::Service& service, const Ec2Options& options) {
  using vpc::Direction;
  Serve<api::AuthorizeSecurityGroupIngress>(
      service, options, [](const auto& options, const auto& context, const auto& in) {
        return Authorize<api::AuthorizeSecurityGroupIngressResult>(options, context, in,
                                                                   Direction::kIngress);
      });
  Serve<api::AuthorizeSecurityGroupEgress>(
      service, options, [](const auto& options, const auto& context, const auto& in) {
        return Authorize<api::AuthorizeSecurityGroupEgressResult>(options, context, in,
                                                                  Direction::kEgress);
      });
  Serve<api::RevokeSecurityGroupIngress>(
      service, options, [](const auto& options, const auto& context, const auto& in) {
        return Revoke<api::RevokeSecurityGroupIngressResult>(options, context, in,
                                                             Direction::kIngress);
      });
  Serve<api::RevokeSecurityGroupEgress>(
      service, options, [](const auto& options, const auto& context, const auto& in) {
        return Revoke<api::RevokeSecurityGroupEgressResult>(options, context, in,
                                                            Direction::kEgress);
      });
  Serve<api::ModifySecurityGroupRules>(service, options, ModifySecurityGroupRules);
  Serve<api::DescribeSecurityGroupRules>(service, options, DescribeSecurityGroupRules);
}

}  // namespace howdah::services::ec2
