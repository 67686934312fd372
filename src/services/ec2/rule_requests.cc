// Finding the group and the rules that a request is about.
#include "services/ec2/rule_requests.h"

#include <fmt/format.h>

#include <algorithm>

#include "vpc/groups.h"

namespace howdah::services::ec2 {

aws::Outcome<vpc::SecurityGroup> FindGroup(store::Store& store,
                                           const std::optional<std::string>& id,
                                           const std::optional<std::string>& name) {
  if (id) return Find<vpc::SecurityGroup>(store, *id);
  if (!name)
    return aws::Refuse(
        aws::MissingParameter("The request must contain the parameter groupName or groupId"));
  OUTCOME_ASSIGN(const vpc::Vpc vpc, FindDefaultVpc(store));
  return Translated(vpc::FindGroup(store, vpc.id, *name),
                    {{Code::kNotFound, "InvalidGroup.NotFound",
                      fmt::format("The security group '{}' does not exist in default VPC '{}'",
                                  *name, vpc.id.str())}});
}

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

aws::Outcome<vpc::Rule> FindRuleOf(store::Store& store, const vpc::GroupId& group,
                                   vpc::Direction direction, const std::string& id) {
  OUTCOME_ASSIGN(vpc::Rule rule, Find<vpc::Rule>(store, id));
  if (rule.group != group || rule.direction != direction) return aws::Refuse(NotFound(id));
  return rule;
}

}  // namespace howdah::services::ec2
