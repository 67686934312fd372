// IPv4 addresses and CIDR blocks as values, and the arithmetic of a VPC's subnets: what AWS
// reserves, how large a block may be, which address is next. Pure; the one rule: a Cidr is always
// canonical (no host bits set), as AWS stores it.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "base/result.h"

namespace howdah::network {

class Ipv4 {
 public:
  constexpr Ipv4() = default;
  constexpr explicit Ipv4(std::uint32_t value) : value_(value) {}
  // Four decimal numbers without leading zeros ("010.0.0.1" means different things to different
  // programs, so it is refused).
  static Result<Ipv4> Parse(std::string_view text);
  constexpr std::uint32_t value() const { return value_; }  // host byte order
  std::string ToString() const;
  constexpr auto operator<=>(const Ipv4&) const = default;

 private:
  std::uint32_t value_ = 0;
};

class Cidr {
 public:
  constexpr Cidr() = default;  // 0.0.0.0/0
  // Clears the host bits. The prefix must be at most 32.
  Cidr(Ipv4 address, unsigned prefix);
  // "10.0.0.0/16". Host bits are cleared, as AWS does; a missing prefix is an error.
  static Result<Cidr> Parse(std::string_view text);

  constexpr Ipv4 first() const { return first_; }
  constexpr unsigned prefix() const { return prefix_; }
  Ipv4 last() const;
  std::uint64_t size() const { return std::uint64_t{1} << (32 - prefix_); }
  bool Contains(Ipv4 address) const;
  bool Contains(const Cidr& other) const;
  bool Overlaps(const Cidr& other) const;
  std::string ToString() const;
  constexpr auto operator<=>(const Cidr&) const = default;

 private:
  Ipv4 first_;
  unsigned prefix_ = 0;
};

// AWS allows blocks from /16 to /28, for VPCs and for subnets (VPC User Guide, "VPC CIDR blocks").
inline constexpr unsigned kShortestVpcPrefix = 16;
inline constexpr unsigned kLongestVpcPrefix = 28;
// The network address, the router, DNS, one for the future, and the broadcast address.
inline constexpr std::uint64_t kReservedAddressesPerSubnet = 5;

Result<void> CheckVpcCidr(const Cidr& vpc);
// A subnet must have a legal size and lie inside its VPC. Overlap with its siblings is checked by
// the caller, which knows their names.
Result<void> CheckSubnetCidr(const Cidr& vpc, const Cidr& subnet);
// One of the first four addresses of the subnet or its last.
bool IsReserved(const Cidr& subnet, Ipv4 address);
// The lowest address of the subnet that is neither reserved nor taken; nullopt when it is full.
std::optional<Ipv4> NextFreeAddress(const Cidr& subnet, const std::set<Ipv4>& taken);
// AWS's AvailableIpAddressCount.
std::uint64_t AvailableAddressCount(const Cidr& subnet, const std::set<Ipv4>& taken);

}  // namespace howdah::network
