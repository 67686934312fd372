// What stands at the edge of a VPC: internet gateways, Elastic IP addresses and NAT gateways, as
// documents in the store. They are records, so that configurations written for AWS apply: Howdah
// routes nothing, nothing can be reached by a public address, and no gateway carries a packet.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/time.h"
#include "vpc/records.h"

namespace howdah::vpc {

struct InternetGateway {
  using IdType = InternetGatewayId;
  static constexpr std::string_view kKeys = "/vpc/internet-gateways/";
  static constexpr std::string_view kPrefix = kInternetGatewayPrefix;
  InternetGatewayId id;
  VpcId vpc;              // empty: not attached
  std::int64_t uses = 0;  // Elastic IP addresses that are associated in the VPC
  Tags tags;
  bool operator==(const InternetGateway&) const = default;
};

struct ElasticAddress {
  using IdType = AllocationId;
  static constexpr std::string_view kKeys = "/vpc/elastic-addresses/";
  static constexpr std::string_view kPrefix = kAllocationPrefix;
  AllocationId id;
  network::Ipv4 address;    // public
  std::string association;  // "eipassoc-…"; empty: not associated
  InterfaceId interface;    // with this interface
  network::Ipv4 private_address;
  Tags tags;
  bool operator==(const ElasticAddress&) const = default;
};

struct NatGateway {
  using IdType = NatGatewayId;
  static constexpr std::string_view kKeys = "/vpc/nat-gateways/";
  static constexpr std::string_view kPrefix = kNatGatewayPrefix;
  NatGatewayId id;
  VpcId vpc;
  SubnetId subnet;
  InterfaceId interface;  // gone when it is deleted
  network::Ipv4 private_address;
  AllocationId allocation;  // empty: a private one
  std::optional<network::Ipv4> public_address;
  std::string association;   // "eipassoc-…" of the two; empty: a private one
  std::string client_token;  // empty: none was given
  WallTime created{};
  std::optional<WallTime> deleted;  // kept for a while, as AWS does
  Tags tags;
  bool operator==(const NatGateway&) const = default;
};

std::string Encode(const InternetGateway& gateway);
std::string Encode(const ElasticAddress& address);
std::string Encode(const NatGateway& gateway);
Result<> Decode(const json::object& document, InternetGateway& gateway);
Result<> Decode(const json::object& document, ElasticAddress& address);
Result<> Decode(const json::object& document, NatGateway& gateway);

// A public address is taken by the document of this key: put-if-absent, with the allocation's id.
inline constexpr std::string_view kPublicAddresses = "/vpc/public-addresses/";
std::string PublicAddressKey(network::Ipv4 address);

}  // namespace howdah::vpc
