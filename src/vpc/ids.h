// The identifiers of a virtual network: AWS's prefixes and 17 hexadecimal digits. One type a kind,
// so that a subnet's id cannot be given where a group's is asked for.
#pragma once

#include <string>
#include <string_view>

#include "base/ids.h"
#include "system/entropy.h"

namespace howdah::vpc {

using VpcId = Id<struct VpcIdTag>;                          // "vpc-…"
using SubnetId = Id<struct SubnetIdTag>;                    // "subnet-…"
using GroupId = Id<struct GroupIdTag>;                      // "sg-…": a security group
using RuleId = Id<struct RuleIdTag>;                        // "sgr-…": one rule of a group
using InterfaceId = Id<struct InterfaceIdTag>;              // "eni-…": a network interface
using AclId = Id<struct AclIdTag>;                          // "acl-…"
using RouteTableId = Id<struct RouteTableIdTag>;            // "rtb-…"
using InternetGatewayId = Id<struct InternetGatewayIdTag>;  // "igw-…"
using NatGatewayId = Id<struct NatGatewayIdTag>;            // "nat-…"
using AllocationId = Id<struct AllocationIdTag>;            // "eipalloc-…": an Elastic IP address

inline constexpr std::string_view kVpcPrefix = "vpc-";
inline constexpr std::string_view kSubnetPrefix = "subnet-";
inline constexpr std::string_view kGroupPrefix = "sg-";
inline constexpr std::string_view kRulePrefix = "sgr-";
inline constexpr std::string_view kInterfacePrefix = "eni-";
inline constexpr std::string_view kAclPrefix = "acl-";
inline constexpr std::string_view kRouteTablePrefix = "rtb-";
inline constexpr std::string_view kInternetGatewayPrefix = "igw-";
inline constexpr std::string_view kNatGatewayPrefix = "nat-";
inline constexpr std::string_view kAllocationPrefix = "eipalloc-";

// A fresh id: the prefix and 17 hexadecimal digits.
std::string NewId(system::Entropy& entropy, std::string_view prefix);
// Is this the prefix followed by 8 or 17 lower-case hexadecimal digits?
bool IsWellFormed(std::string_view id, std::string_view prefix);

}  // namespace howdah::vpc
