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
