// The two operations that change descriptions of rules, and nothing else about them.
#include "services/ec2/handlers.h"
#include "services/ec2/permissions.h"
#include "services/ec2/rule_requests.h"
#include "services/ec2/selection.h"
#include "services/ec2/serve.h"
#include "vpc/groups.h"

namespace howdah::services::ec2 {
namespace {

struct Described {
  vpc::RuleId rule;
  std::string description;
};

template <typename Input>
aws::Outcome<std::vector<Described>> ReadByPermissions(store::Store& store,
                                                       const vpc::SecurityGroup& group,
                                                       vpc::Direction direction,
                                                       const aws::RequestContext& context,
                                                       const Input& in) {
  const std::optional<std::string> no_text;
  const std::optional<std::int64_t> no_number;
  OUTCOME_ASSIGN(const auto rules, ReadPermissions(store, group, direction, context.account_id,
                                                   {in.ip_permissions, no_text, no_number,
                                                    no_number, no_text, no_text}));
  OUTCOME_ASSIGN(const auto ids, MatchRules(store, group.id, rules));
  std::vector<Described> described;
  for (std::size_t i = 0; i < ids.size(); ++i) described.push_back({ids[i], rules[i].description});
  return described;
}

template <typename Input>
aws::Outcome<std::vector<Described>> Read(store::Store& store, const vpc::SecurityGroup& group,
                                          vpc::Direction direction,
                                          const aws::RequestContext& context, const Input& in) {
  const auto& by_id = in.security_group_rule_descriptions;
  if (!by_id.empty() && !in.ip_permissions.empty())
    return aws::Refuse(aws::InvalidParameterCombination(
        "Give either SecurityGroupRuleDescriptions or IpPermissions, not both."));
  if (by_id.empty()) return ReadByPermissions(store, group, direction, context, in);
  std::vector<Described> described;
  for (const api::SecurityGroupRuleDescription& one : by_id) {
    OUTCOME_TRY(CheckDescription(one.description));
    OUTCOME_ASSIGN(const vpc::Rule rule,
                   FindRuleOf(store, group.id, direction, one.security_group_rule_id.value_or("")));
    described.push_back({rule.id, one.description.value_or("")});
  }
  return described;
}

template <typename Output, vpc::Direction direction>
struct Update {
  template <typename Input>
  aws::Outcome<Output> operator()(const Ec2Options& options, const aws::RequestContext& context,
                                  const Input& in) const {
    store::Store& store = options.network.store;
    OUTCOME_TRY(Change(store, [&](store::Transaction& transaction) -> aws::Outcome<void> {
      OUTCOME_ASSIGN(const auto group, FindGroup(store, in.group_id, in.group_name));
      OUTCOME_ASSIGN(const auto described, Read(store, group, direction, context, in));
      for (const auto& [rule, description] : described)
        OUTCOME_TRY(Translated(vpc::DescribeRule(options.network, transaction, rule, description)));
      return {};
    }));
    return Output{.return_ = true};
  }
};

}  // namespace

void RegisterRuleDescriptions(aws::Service& service, const Ec2Options& options) {
  Serve<api::UpdateSecurityGroupRuleDescriptionsIngress>(
      service, options,
      Update<api::UpdateSecurityGroupRuleDescriptionsIngressResult, vpc::Direction::kIngress>());
  Serve<api::UpdateSecurityGroupRuleDescriptionsEgress>(
      service, options,
      Update<api::UpdateSecurityGroupRuleDescriptionsEgressResult, vpc::Direction::kEgress>());
}

}  // namespace howdah::services::ec2
