// AWS::EC2::SecurityGroup with its inline rules. Inline egress rules take the place of the rule
// that EC2 gives every new group (everything may go out).
#include <algorithm>

#include "services/cloudformation/providers/rules.h"

namespace howdah::cfn {

namespace {

std::vector<json::object> Rules(const json::object& properties, bool egress) {
  std::vector<json::object> rules;
  const json::value* list =
      properties.if_contains(egress ? "SecurityGroupEgress" : "SecurityGroupIngress");
  if (list == nullptr || !list->is_array()) return rules;
  for (const json::value& rule : list->get_array()) rules.push_back(rule.get_object());
  return rules;
}

json::object AllowAll() {
  return {{"IpProtocol", "-1"}, {"CidrIp", "0.0.0.0/0"}};
}

// The rules that the group has for our sake: without inline egress that is EC2's default.
std::vector<json::object> WantedRules(const json::object& properties, bool egress) {
  std::vector<json::object> rules = Rules(properties, egress);
  if (egress && rules.empty()) rules.push_back(AllowAll());
  return rules;
}

class SecurityGroupProvider : public Provider {
 public:
  using Provider::Provider;

  aws::Outcome<std::optional<std::string>> Find(const Subject& subject,
                                                const json::object&) const override {
    ec2::DescribeSecurityGroupsRequest request;
    request.filters = MadeBy(subject);
    OUTCOME_ASSIGN(const auto found,
                   Invoke<ec2::DescribeSecurityGroups>(services_.ec2, subject.context, request));
    if (found.security_groups.empty()) return std::nullopt;
    return found.security_groups[0].group_id;
  }

  aws::Outcome<std::string> Create(const Subject& subject,
                                   const json::object& properties) const override {
    ec2::CreateSecurityGroupRequest request;
    request.description = TextOf(properties, "GroupDescription");
    request.group_name = TextOf(properties, "GroupName", subject.record.physical_name);
    if (properties.contains("VpcId")) request.vpc_id = TextOf(properties, "VpcId");
    request.tag_specifications = TagsOnCreate(subject, properties, "security-group");
    OUTCOME_ASSIGN(const auto made,
                   Invoke<ec2::CreateSecurityGroup>(services_.ec2, subject.context, request));
    return made.group_id.value_or("");
  }

  aws::Outcome<void> Configure(const Subject& subject,
                               const json::object& properties) const override {
    OUTCOME_TRY(Sync(subject, false, json::object(), properties));
    return Sync(subject, true, json::object(), properties);
  }

  aws::Outcome<void> Update(const Subject& subject, const json::object& before,
                            const json::object& after,
                            const std::vector<std::string>&) const override {
    OUTCOME_TRY(Sync(subject, false, before, after));
    OUTCOME_TRY(Sync(subject, true, before, after));
    return UpdateTags(services_, subject, before, after);
  }

  aws::Outcome<std::optional<json::object>> Read(const Subject& subject,
                                                 const json::object& expected) const override {
    OUTCOME_ASSIGN(const auto found,
                   Invoke<ec2::DescribeSecurityGroups>(services_.ec2, subject.context,
                                                       {.group_ids = {subject.id()}}));
    if (found.security_groups.empty()) return std::nullopt;
    const auto& group = found.security_groups[0];
    json::object actual = ReadMembers(
        ItemShape(ec2::DescribeSecurityGroups::Desc(), "SecurityGroups"), &group, expected);
    if (expected.contains("GroupDescription")) {
      actual.emplace("GroupDescription", TextValue(group.description));
    }
    for (const bool egress : {false, true}) {
      const std::string_view name = egress ? "SecurityGroupEgress" : "SecurityGroupIngress";
      if (!expected.contains(name)) continue;
      OUTCOME_ASSIGN(json::array rules, ReadRules(subject, egress, Rules(expected, egress)));
      actual.emplace(name, std::move(rules));
    }
    if (expected.contains("Tags")) {
      actual.emplace("Tags", OwnTags(subject, TagsOf(group.tags), expected));
    }
    return actual;
  }

  aws::Outcome<bool> Delete(const Subject& subject) const override {
    OUTCOME_TRY(Invoke<ec2::DeleteSecurityGroup>(services_.ec2, subject.context,
                                                 {.group_id = subject.id()}));
    return true;
  }

  aws::Outcome<json::value> Attribute(const Subject& subject,
                                      std::string_view name) const override {
    if (name == "GroupId") return TextValue(subject.id());
    OUTCOME_ASSIGN(const auto found,
                   Invoke<ec2::DescribeSecurityGroups>(services_.ec2, subject.context,
                                                       {.group_ids = {subject.id()}}));
    if (found.security_groups.empty()) {
      return aws::Refuse("InvalidGroup.NotFound", "the security group is gone");
    }
    return TextValue(found.security_groups[0].vpc_id);
  }

 private:
  // As the template writes them. Rules that are resources of the stack of their own do not count.
  aws::Outcome<json::array> ReadRules(const Subject& subject, bool egress,
                                      const std::vector<json::object>& expected) const {
    OUTCOME_ASSIGN(const auto existing, RulesOf(services_, subject.context, subject.id(), egress));
    json::array rules;
    for (const ec2::SecurityGroupRule& rule : existing) {
      const Tags tags = TagsOf(rule.tags);
      const auto stack = tags.find(std::string(kStackTag));
      if (stack != tags.end() && stack->second == subject.stack.arn) continue;
      const auto same = std::ranges::find_if(
          expected, [&](const json::object& one) { return SameRule(rule, one); });
      rules.emplace_back(same == expected.end() ? ShowRule(rule) : *same);
    }
    return rules;
  }

  // Takes away what `before` had and `after` has not, adds what is missing. Other people's rules
  // stay. A group of rules is only touched when one side of it is ours.
  aws::Outcome<void> Sync(const Subject& subject, bool egress, const json::object& before,
                          const json::object& after) const {
    const std::vector<json::object> old_rules = WantedRules(before, egress);
    const std::vector<json::object> new_rules = WantedRules(after, egress);
    if (old_rules == new_rules) return {};
    OUTCOME_ASSIGN(const auto existing, RulesOf(services_, subject.context, subject.id(), egress));
    const auto listed = [](const std::vector<json::object>& rules,
                           const ec2::SecurityGroupRule& rule) {
      return std::ranges::any_of(rules,
                                 [&](const json::object& one) { return SameRule(rule, one); });
    };
    std::vector<std::string> leaving;
    for (const ec2::SecurityGroupRule& rule : existing) {
      if (listed(old_rules, rule) && !listed(new_rules, rule)) {
        leaving.push_back(rule.security_group_rule_id.value_or(""));
      }
    }
    for (const json::object& rule : new_rules) {
      const bool there = std::ranges::any_of(
          existing, [&](const ec2::SecurityGroupRule& one) { return SameRule(one, rule); });
      if (there) continue;
      OUTCOME_TRY(Authorize(services_, subject.context, subject.id(), egress, rule, {}));
    }
    return Revoke(services_, subject.context, subject.id(), egress, leaving);
  }
};

}  // namespace

std::unique_ptr<Provider> MakeSecurityGroupProvider(const Services& services) {
  return std::make_unique<SecurityGroupProvider>(services);
}

}  // namespace howdah::cfn
