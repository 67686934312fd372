// Rules between AWS's two shapes for them (IpPermission, which bundles, and SecurityGroupRule) and
// the vpc room's one.
#pragma once

#include <string>
#include <vector>

#include "aws/fault.h"
#include "aws/generated/ec2.h"
#include "aws/service.h"
#include "store/store.h"
#include "vpc/records.h"

namespace howdah::services::ec2 {

// What a request to authorize or revoke says, in either of its forms, for both directions.
struct PermissionRequest {
  const aws::List<aws::ec2::IpPermission>& permissions;
  const std::optional<std::string>& protocol;
  const std::optional<std::int64_t>& from_port;
  const std::optional<std::int64_t>& to_port;
  const std::optional<std::string>& cidr;
  const std::optional<std::string>& source_group_name;
};

// One rule for each range and each group, normalized. A range of IPv6 is recorded and admits
// nobody, since VPCs have IPv4 only; there are no prefix lists.
aws::Outcome<std::vector<vpc::Rule>> ReadPermissions(store::Store& store,
                                                     const vpc::SecurityGroup& group,
                                                     vpc::Direction direction,
                                                     const std::string& account,
                                                     const PermissionRequest& request);

aws::Outcome<network::Cidr> ReadCidr(const std::string& text);
aws::Outcome<network::Cidr6> ReadCidr6(const std::string& text);
aws::Fault NoPrefixList(std::string_view id);
aws::Outcome<void> CheckDescription(const std::optional<std::string>& description);

// The rules of one direction, bundled by protocol and ports.
aws::List<aws::ec2::IpPermission> WritePermissions(const std::vector<vpc::Rule>& rules,
                                                   vpc::Direction direction,
                                                   const std::string& account);

aws::ec2::SecurityGroupRule WriteRule(const vpc::Rule& rule, const vpc::SecurityGroup& group,
                                      const aws::RequestContext& context);

// "peer: 10.0.0.0/16, TCP, from port: 22, to port: 22, ALLOW": as AWS names a rule in its texts.
std::string NameRule(const vpc::Rule& rule);

}  // namespace howdah::services::ec2
