// Address drivers: how a private address of a VPC becomes an address of this host.
//
// The loopback driver needs no privilege: a.b.c.d is 127.b.c.d. The first octet is lost, so two
// VPCs may coincide on the host; such a VPC is refused when it is created (ranges of one network,
// such as 10.0.0.0/8 and 172.31.0.0/16, rarely do). 127.0.0.1 is always the host itself, never a
// VPC's. The host driver uses addresses that the operator has put on the host's interfaces, as they
// are.
#pragma once

#include <memory>
#include <string_view>

#include "base/result.h"
#include "network/cidr.h"

namespace howdah::network {

inline constexpr Ipv4 kHostItself{0x7f000001};  // 127.0.0.1

class AddressDriver {
 public:
  virtual ~AddressDriver() = default;
  virtual std::string_view name() const = 0;
  // The host's address that stands for a private address.
  virtual Result<Ipv4> HostAddress(Ipv4 private_address) const = 0;
  // The private address in a VPC that a host address stands for.
  virtual Result<Ipv4> PrivateAddress(const Cidr& vpc, Ipv4 host_address) const = 0;
  // Whether some address of one VPC would be the same host address as one of the other.
  virtual bool Coincide(const Cidr& vpc, const Cidr& other) const = 0;
  // True where any local user can bind any address, so that an address proves nothing by itself and
  // the owner of the peer's socket must be asked for (peer_owner.h).
  virtual bool AddressNeedsOwner() const = 0;
};

class LoopbackDriver final : public AddressDriver {
 public:
  std::string_view name() const override { return "loopback"; }
  Result<Ipv4> HostAddress(Ipv4 private_address) const override;
  Result<Ipv4> PrivateAddress(const Cidr& vpc, Ipv4 host_address) const override;
  bool Coincide(const Cidr& vpc, const Cidr& other) const override;
  bool AddressNeedsOwner() const override { return true; }
};

class HostDriver final : public AddressDriver {
 public:
  std::string_view name() const override { return "host"; }
  Result<Ipv4> HostAddress(Ipv4 private_address) const override { return private_address; }
  Result<Ipv4> PrivateAddress(const Cidr& vpc, Ipv4 host_address) const override;
  bool Coincide(const Cidr& vpc, const Cidr& other) const override { return vpc.Overlaps(other); }
  bool AddressNeedsOwner() const override { return false; }
};

// "loopback" or "host".
Result<std::unique_ptr<AddressDriver>> MakeAddressDriver(std::string_view name);

}  // namespace howdah::network
