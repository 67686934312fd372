// What requests about the rules of a group have in common: which group, and which of its rules.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "services/ec2/faults.h"
#include "store/store.h"
#include "vpc/records.h"

namespace howdah::services::ec2 {

// By id, or by name in the default VPC.
aws::Outcome<vpc::SecurityGroup> FindGroup(store::Store& store,
                                           const std::optional<std::string>& id,
                                           const std::optional<std::string>& name);

// The ids of the group's rules that say what the wanted ones say; every one of them must exist.
aws::Outcome<std::vector<vpc::RuleId>> MatchRules(store::Store& store, const vpc::GroupId& group,
                                                  const std::vector<vpc::Rule>& wanted);

// The group's rule with this id, in this direction.
aws::Outcome<vpc::Rule> FindRuleOf(store::Store& store, const vpc::GroupId& group,
                                   vpc::Direction direction, const std::string& id);

}  // namespace howdah::services::ec2
