// The security-group decision, as a pure function: may a connection from this source come in?
//
// A source is first *identified*: it is a network interface of the VPC when an interface has that
// host address and, where any local user could bind the address, the kernel says that the peer's
// socket belongs to the user to whom the interface was given. An identified source counts by its
// private address and its groups. Any other source is only a raw host address: it can match a CIDR
// rule literally and is never a member of a group. So a stranger gains nothing by binding an
// address.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "network/cidr.h"

namespace howdah::network {

struct Interface {
  std::string id;  // "eni-…"
  Ipv4 host_address;
  Ipv4 private_address;
  uid_t owner = 0;  // the user whose sockets may speak for this interface
  std::vector<std::string> groups;
  bool operator==(const Interface&) const = default;
};

struct GroupId {
  std::string id;  // "sg-…"
  bool operator==(const GroupId&) const = default;
};

struct AdmissionRule {
  std::variant<Cidr, GroupId> source;
  std::uint16_t from_port = 0;
  std::uint16_t to_port = 65535;
  bool operator==(const AdmissionRule&) const = default;
};

// What makes an interface's address count: AddressDriver::AddressNeedsOwner().
enum class Proof { kAddressAndOwner, kAddress };

struct Source {
  Ipv4 host_address;
  std::optional<uid_t> peer_uid;  // nullopt: the kernel had no answer
};

struct Decision {
  bool admitted = false;
  std::string interface_id;  // the interface that the source was identified as; empty: none
  Ipv4 client_address;       // the private address of that interface, or the raw address
  std::string why;           // for the log
};

// Whether Admit() would use the peer's uid: only then is it worth asking the kernel.
bool NeedsPeerOwner(Ipv4 source, const std::vector<Interface>& interfaces, Proof proof);

Decision Admit(const std::vector<AdmissionRule>& rules, const Source& source,
               const std::vector<Interface>& interfaces, std::uint16_t port,
               Proof proof = Proof::kAddressAndOwner);

}  // namespace howdah::network
