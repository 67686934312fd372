// Security group rules as templates write them, and as EC2 wants them.
#pragma once

#include <vector>

#include "services/cloudformation/providers/ec2_tags.h"

namespace howdah::cfn {

// A rule's properties as a permission. Both directions.
ec2::IpPermission PermissionOf(const json::object& rule);
// Does the rule that exists say what the properties say? Descriptions do not matter.
bool SameRule(const ec2::SecurityGroupRule& existing, const json::object& rule);

// The rule as a template would write it.
json::object ShowRule(const ec2::SecurityGroupRule& rule);

// The rules of a group in one direction.
aws::Outcome<std::vector<ec2::SecurityGroupRule>> RulesOf(const Services& services,
                                                          const aws::RequestContext& context,
                                                          const std::string& group, bool egress);
// Adds a rule; returns its id.
aws::Outcome<std::string> Authorize(const Services& services, const aws::RequestContext& context,
                                    const std::string& group, bool egress, const json::object& rule,
                                    const aws::List<ec2::TagSpecification>& tags);
aws::Outcome<void> Revoke(const Services& services, const aws::RequestContext& context,
                          const std::string& group, bool egress,
                          const std::vector<std::string>& rule_ids);

}  // namespace howdah::cfn
