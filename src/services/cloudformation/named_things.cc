// Parameters whose type says what their values name: each value must be the name of something that
// exists. There are no images, instances, key pairs, volumes or hosted zones, so none has a name.
#include <fmt/format.h>

#include <algorithm>

#include "aws/generated/ec2.h"
#include "services/cloudformation/handlers.h"
#include "services/cloudformation/invoke.h"

namespace howdah::cfn {

namespace {

namespace ec2 = aws::ec2;

using Names = std::vector<std::optional<std::string>>;

aws::Outcome<Names> NamesOf(const World& world, const aws::RequestContext& context,
                            std::string_view type) {
  const aws::Service& service = world.services.ec2;
  Names names;
  if (type == "AWS::EC2::VPC::Id") {
    OUTCOME_ASSIGN(const auto found, Invoke<ec2::DescribeVpcs>(service, context, {}));
    for (const auto& vpc : found.vpcs) names.push_back(vpc.vpc_id);
  } else if (type == "AWS::EC2::Subnet::Id") {
    OUTCOME_ASSIGN(const auto found, Invoke<ec2::DescribeSubnets>(service, context, {}));
    for (const auto& subnet : found.subnets) names.push_back(subnet.subnet_id);
  } else if (type.starts_with("AWS::EC2::SecurityGroup::")) {
    OUTCOME_ASSIGN(const auto found, Invoke<ec2::DescribeSecurityGroups>(service, context, {}));
    for (const auto& group : found.security_groups) {
      names.push_back(type.ends_with("Id") ? group.group_id : group.group_name);
    }
  } else if (type == "AWS::EC2::AvailabilityZone::Name") {
    OUTCOME_ASSIGN(const auto found, Invoke<ec2::DescribeAvailabilityZones>(service, context, {}));
    for (const auto& zone : found.availability_zones) names.push_back(zone.zone_name);
  }
  return names;
}

}  // namespace

aws::Outcome<void> CheckNamedThings(const World& world, const aws::RequestContext& context,
                                    const Template& made, const ParameterValues& values) {
  for (const Parameter& parameter : made.parameters) {
    if (parameter.Named().empty()) continue;
    OUTCOME_ASSIGN(const Names names, NamesOf(world, context, parameter.Named()));
    const std::string& text = values.find(parameter.name)->second;
    const std::vector<std::string> wanted =
        parameter.IsList() ? SplitList(text) : std::vector<std::string>{text};
    for (const std::string& value : wanted) {
      if (std::ranges::find(names, std::optional(value)) != names.end()) continue;
      return aws::Refuse(aws::ValidationError(
          fmt::format("Parameter validation failed: parameter value {} for parameter name {} does "
                      "not exist",
                      parameter.no_echo ? "****" : value, parameter.name)));
    }
  }
  return {};
}

}  // namespace howdah::cfn
