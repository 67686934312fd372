// IPv4 and CIDR arithmetic; see cidr.h.
#include "network/cidr.h"

#include <fmt/format.h>

#include <charconv>

#include "base/check.h"

namespace howdah::network {
namespace {

// Reads decimal digits without sign or leading zero from the front of text.
std::optional<unsigned> TakeNumber(std::string_view& text, unsigned max) {
  unsigned value = 0;
  const char* begin = text.data();
  if (text.empty() || *begin < '0' || *begin > '9') return std::nullopt;
  const auto [end, error] = std::from_chars(begin, begin + text.size(), value);
  if (error != std::errc() || value > max) return std::nullopt;
  const auto length = static_cast<std::size_t>(end - begin);
  if (length > 1 && *begin == '0') return std::nullopt;
  text.remove_prefix(length);
  return value;
}

std::uint32_t Mask(unsigned prefix) {
  return prefix == 0 ? 0 : ~std::uint32_t{0} << (32 - prefix);
}

Result<void> CheckSize(const Cidr& block, std::string_view what) {
  if (block.prefix() >= kShortestVpcPrefix && block.prefix() <= kLongestVpcPrefix) return {};
  return Fail(Code::kInvalid, fmt::format("the {} CIDR {} must be between /{} and /{}", what,
                                          block.ToString(), kShortestVpcPrefix, kLongestVpcPrefix));
}

}  // namespace

Result<Ipv4> Ipv4::Parse(std::string_view text) {
  std::string_view rest = text;
  std::uint32_t value = 0;
  for (int part = 0; part < 4; ++part) {
    if (part > 0) {
      if (!rest.starts_with('.')) break;
      rest.remove_prefix(1);
    }
    const auto number = TakeNumber(rest, 255);
    if (!number) break;
    value = value << 8 | *number;
    if (part == 3 && rest.empty()) return Ipv4(value);
  }
  return Fail(Code::kInvalid, fmt::format("'{}' is not an IPv4 address", text));
}

std::string Ipv4::ToString() const {
  return fmt::format("{}.{}.{}.{}", value_ >> 24, value_ >> 16 & 255, value_ >> 8 & 255,
                     value_ & 255);
}

Cidr::Cidr(Ipv4 address, unsigned prefix) : prefix_(prefix) {
  Check(prefix <= 32, "a CIDR prefix is at most 32");
  first_ = Ipv4(address.value() & Mask(prefix));
}

Result<Cidr> Cidr::Parse(std::string_view text) {
  const auto bad = [&] {
    return Fail(Code::kInvalid, fmt::format("'{}' is not an IPv4 CIDR block", text));
  };
  const auto slash = text.find('/');
  if (slash == std::string_view::npos) return bad();
  const auto address = Ipv4::Parse(text.substr(0, slash));
  auto rest = text.substr(slash + 1);
  const auto prefix = TakeNumber(rest, 32);
  if (!address || !prefix || !rest.empty()) return bad();
  return Cidr(*address, *prefix);
}

Ipv4 Cidr::last() const {
  return Ipv4(first_.value() | ~Mask(prefix_));
}

bool Cidr::Contains(Ipv4 address) const {
  return (address.value() & Mask(prefix_)) == first_.value();
}

bool Cidr::Contains(const Cidr& other) const {
  return other.prefix_ >= prefix_ && Contains(other.first_);
}

bool Cidr::Overlaps(const Cidr& other) const {
  return Contains(other.first_) || other.Contains(first_);
}

std::string Cidr::ToString() const {
  return fmt::format("{}/{}", first_.ToString(), prefix_);
}

Result<void> CheckVpcCidr(const Cidr& vpc) {
  return CheckSize(vpc, "VPC");
}

Result<void> CheckSubnetCidr(const Cidr& vpc, const Cidr& subnet) {
  TRY(CheckSize(subnet, "subnet"));
  if (vpc.Contains(subnet)) return {};
  return Fail(Code::kInvalid, fmt::format("the subnet CIDR {} is not inside the VPC's {}",
                                          subnet.ToString(), vpc.ToString()));
}

bool IsReserved(const Cidr& subnet, Ipv4 address) {
  if (!subnet.Contains(address)) return false;
  return address.value() - subnet.first().value() < 4 || address == subnet.last();
}

std::optional<Ipv4> NextFreeAddress(const Cidr& subnet, const std::set<Ipv4>& taken) {
  const std::uint64_t end = subnet.first().value() + subnet.size();
  for (std::uint64_t value = subnet.first().value(); value < end; ++value) {
    const Ipv4 address(static_cast<std::uint32_t>(value));
    if (!IsReserved(subnet, address) && !taken.contains(address)) return address;
  }
  return std::nullopt;
}

std::uint64_t AvailableAddressCount(const Cidr& subnet, const std::set<Ipv4>& taken) {
  if (subnet.size() <= kReservedAddressesPerSubnet) return 0;
  std::uint64_t used = kReservedAddressesPerSubnet;
  for (auto it = taken.lower_bound(subnet.first()); it != taken.end() && subnet.Contains(*it); ++it)
    if (!IsReserved(subnet, *it)) ++used;
  return subnet.size() - used;
}

}  // namespace howdah::network
