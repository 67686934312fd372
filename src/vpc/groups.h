// Security groups and their rules. As in vpcs.h, every function adds to the caller's transaction.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "store/store.h"
#include "vpc/context.h"
#include "vpc/draft.h"
#include "vpc/records.h"

namespace howdah::vpc {

inline constexpr std::int64_t kMaxRulesPerGroup = 60;  // a direction, as AWS's default quota

struct NewGroup {
  VpcId vpc;
  std::string name;
  std::string description;
  Tags tags;
};

// With the rule that lets everything out. kInvalid: the name or description is no legal one.
// kAlreadyExists: the VPC has a group of that name.
Result<SecurityGroup> CreateSecurityGroup(const Context& context, store::Transaction& transaction,
                                          const NewGroup& wish);

// kPermission: it is a default group. kInUse: interfaces are in it, or rules of other groups name
// it.
Result<> DeleteSecurityGroup(const Context& context, store::Transaction& transaction,
                             const GroupId& id);

// Brings protocol and ports of a rule into the stored form ("6" is "tcp"). kInvalid: ports missing
// or out of range, an unknown protocol.
Result<> Normalize(Rule& rule);

// Adds rules to their group; each is normalized and gets an id. All rules are of one group.
// kAlreadyExists: the group has such a rule. kNotFound: the source group (of the same VPC) does not
// exist. kExhausted: too many rules.
Result<std::vector<Rule>> AddRules(const Context& context, store::Transaction& transaction,
                                   const GroupId& group, std::vector<Rule> rules);

// Removes rules by id. kNotFound: the group has no such rule.
Result<std::vector<Rule>> RemoveRules(const Context& context, store::Transaction& transaction,
                                      const GroupId& group, const std::vector<RuleId>& rules);

// Puts `rule` in the place of the rule with its id; group, direction and tags stay what they were.
Result<> ReplaceRule(const Context& context, store::Transaction& transaction, Rule rule);

// The description of a rule.
Result<> DescribeRule(const Context& context, store::Transaction& transaction, const RuleId& id,
                      std::string description);

Result<std::vector<Rule>> RulesOf(store::Store& store, const GroupId& group);
Result<std::vector<Rule>> RulesOf(Draft& draft, const SecurityGroup& group);

// The group of this name in a VPC; kNotFound.
Result<SecurityGroup> FindGroup(store::Store& store, const VpcId& vpc, std::string_view name);

}  // namespace howdah::vpc
