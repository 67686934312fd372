// A DB subnet group: the subnets in which instances may have their nodes.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "fleet/instance.h"
#include "store/store.h"

namespace howdah::fleet {

struct SubnetGroup {
  std::string name;  // lower case; "default" is derived from the default VPC and not stored
  std::string description;
  std::string vpc;
  std::vector<std::string> subnets;
  Tags tags;
};

std::string Format(const SubnetGroup& group);
Result<SubnetGroup> ParseSubnetGroup(std::string_view text);
Result<SubnetGroup> GetSubnetGroup(store::Store& store, std::string_view name);
Result<std::vector<SubnetGroup>> ListSubnetGroups(store::Store& store);
Result<> SetSubnetGroupTags(store::Store& store, std::string_view name, const Tags& add,
                            const std::vector<std::string>& remove);

}  // namespace howdah::fleet
