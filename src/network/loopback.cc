// The address drivers; see loopback.h.
#include "network/loopback.h"

#include <fmt/format.h>

#include <algorithm>

namespace howdah::network {
namespace {

constexpr std::uint32_t kFirstOctet = 0xff000000;

Ipv4 ToLoopback(Ipv4 address) {
  return Ipv4(0x7f000000 | (address.value() & ~kFirstOctet));
}

Cidr ToLoopback(const Cidr& block) {
  return Cidr(ToLoopback(block.first()), std::max(block.prefix(), 8U));
}

Error Outside(const Cidr& vpc, Ipv4 host_address) {
  return Error(Code::kNotFound, fmt::format("{} is no address of the VPC {}",
                                            host_address.ToString(), vpc.ToString()));
}

}  // namespace

Result<Ipv4> LoopbackDriver::HostAddress(Ipv4 private_address) const {
  const Ipv4 host = ToLoopback(private_address);
  if (host != kHostItself) return host;
  return Fail(Code::kInvalid,
              fmt::format("{} would be 127.0.0.1, which is the host itself and never an address "
                          "of a VPC",
                          private_address.ToString()));
}

Result<Ipv4> LoopbackDriver::PrivateAddress(const Cidr& vpc, Ipv4 host_address) const {
  const Ipv4 address((vpc.first().value() & kFirstOctet) | (host_address.value() & ~kFirstOctet));
  const bool loopback = (host_address.value() & kFirstOctet) == 0x7f000000;
  if (!loopback || host_address == kHostItself || !vpc.Contains(address))
    return Fail(Outside(vpc, host_address));
  return address;
}

bool LoopbackDriver::Coincide(const Cidr& vpc, const Cidr& other) const {
  return ToLoopback(vpc).Overlaps(ToLoopback(other));
}

Result<Ipv4> HostDriver::PrivateAddress(const Cidr& vpc, Ipv4 host_address) const {
  if (!vpc.Contains(host_address)) return Fail(Outside(vpc, host_address));
  return host_address;
}

Result<std::unique_ptr<AddressDriver>> MakeAddressDriver(std::string_view name) {
  if (name == "loopback") return std::make_unique<LoopbackDriver>();
  if (name == "host") return std::make_unique<HostDriver>();
  return Fail(Code::kInvalid,
              fmt::format("'{}' is no network driver; there are 'loopback' and 'host'", name));
}

}  // namespace howdah::network
