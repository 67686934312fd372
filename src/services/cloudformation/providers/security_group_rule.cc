// AWS::EC2::SecurityGroupIngress and AWS::EC2::SecurityGroupEgress: one rule of a group.
#include "services/cloudformation/providers/rules.h"

namespace howdah::cfn {

namespace {

class RuleProvider : public Provider {
 public:
  RuleProvider(const Services& services, bool egress) : Provider(services), egress_(egress) {}

  aws::Outcome<std::optional<std::string>> Find(const Subject& subject,
                                                const json::object&) const override {
    OUTCOME_ASSIGN(const auto found,
                   Invoke<ec2::DescribeSecurityGroupRules>(services_.ec2, subject.context,
                                                           {.filters = MadeBy(subject)}));
    if (found.security_group_rules.empty()) return std::nullopt;
    return found.security_group_rules[0].security_group_rule_id;
  }

  aws::Outcome<std::string> Create(const Subject& subject,
                                   const json::object& properties) const override {
    return Authorize(services_, subject.context, TextOf(properties, "GroupId"), egress_, properties,
                     TagsOnCreate(subject, properties, "security-group-rule"));
  }

  // Only the description can change in place.
  aws::Outcome<void> Update(const Subject& subject, const json::object&, const json::object& after,
                            const std::vector<std::string>&) const override {
    ec2::IpPermission permission = PermissionOf(after);
    ec2::SecurityGroupRuleRequest rule;
    rule.ip_protocol = permission.ip_protocol;
    rule.from_port = permission.from_port;
    rule.to_port = permission.to_port;
    if (after.contains("CidrIp")) rule.cidr_ipv4 = TextOf(after, "CidrIp");
    if (after.contains("CidrIpv6")) rule.cidr_ipv6 = TextOf(after, "CidrIpv6");
    if (!permission.user_id_group_pairs.empty()) {
      rule.referenced_group_id = permission.user_id_group_pairs[0].group_id;
    }
    rule.description = TextOf(after, "Description");
    ec2::ModifySecurityGroupRulesRequest request;
    request.group_id = TextOf(after, "GroupId");
    request.security_group_rules = {
        {.security_group_rule_id = subject.id(), .security_group_rule = rule}};
    OUTCOME_TRY(Invoke<ec2::ModifySecurityGroupRules>(services_.ec2, subject.context, request));
    return {};
  }

  aws::Outcome<std::optional<json::object>> Read(const Subject& subject,
                                                 const json::object& expected) const override {
    OUTCOME_ASSIGN(const auto found, Invoke<ec2::DescribeSecurityGroupRules>(
                                         services_.ec2, subject.context,
                                         {.security_group_rule_ids = {subject.id()}}));
    if (found.security_group_rules.empty()) return std::nullopt;
    const ec2::SecurityGroupRule& rule = found.security_group_rules[0];
    json::object actual = SameRule(rule, expected) ? expected : ShowRule(rule);
    if (expected.contains("GroupId")) {
      actual.insert_or_assign("GroupId", TextValue(rule.group_id));
    }
    if (expected.contains("Description")) {
      actual.insert_or_assign("Description", TextValue(rule.description));
    }
    return actual;
  }

  aws::Outcome<bool> Delete(const Subject& subject) const override {
    OUTCOME_ASSIGN(const auto found, Invoke<ec2::DescribeSecurityGroupRules>(
                                         services_.ec2, subject.context,
                                         {.security_group_rule_ids = {subject.id()}}));
    if (found.security_group_rules.empty()) return true;
    OUTCOME_TRY(Revoke(services_, subject.context,
                       found.security_group_rules[0].group_id.value_or(""), egress_,
                       {subject.id()}));
    return true;
  }

  aws::Outcome<json::value> Attribute(const Subject& subject, std::string_view) const override {
    return TextValue(subject.id());
  }

 private:
  const bool egress_;
};

}  // namespace

std::unique_ptr<Provider> MakeRuleProvider(const Services& services, bool egress) {
  return std::make_unique<RuleProvider>(services, egress);
}

}  // namespace howdah::cfn
