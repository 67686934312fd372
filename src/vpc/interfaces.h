// Network interfaces: an address in a subnet, the groups it is in, and who may speak for it. Every
// database node has one, and every task that runs in the VPC. As in vpcs.h, every function adds to
// the caller's transaction: an interface and the thing that it is for appear together.
#pragma once

#include <sys/types.h>

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/time.h"
#include "store/store.h"
#include "vpc/context.h"
#include "vpc/records.h"

namespace howdah::vpc {

inline constexpr std::size_t kMaxGroupsPerInterface = 5;

struct InterfaceOwner {
  bool requester_managed = false;  // DeleteNetworkInterface refuses; only ReleaseInterface removes
  std::string requester_id;        // "amazon-rds"
  std::string description;         // "RDSNetworkInterface"
  std::string owner;               // what it belongs to, in the requester's words: a node id
  uid_t uid = 0;                   // the user whose sockets may speak for this interface
};

struct NewInterface {
  SubnetId subnet;
  std::vector<GroupId> groups;                    // empty: the default group of the VPC
  InterfaceKind kind = InterfaceKind::kOrdinary;  // that of a NAT gateway is in no group
  std::optional<network::Ipv4> address;           // empty: the lowest free one
  InterfaceOwner owner;
  WallTime now{};
  std::string client_token;
  Tags tags;
  // Whether the host can use this address (say, its port 5432 can be bound). Asked for each
  // candidate, at most kMaxAddressesTried times; empty: every address is good.
  std::function<bool(network::Ipv4 host_address)> usable;
};

// kNotFound: the subnet or a group. kInvalid: a group of another VPC, an address outside the subnet
// or reserved. kAlreadyExists: the address is taken. kExhausted: no address is left, or too many
// groups.
Result<Interface> ReserveInterface(const Context& context, store::Transaction& transaction,
                                   const NewInterface& wish);

// Gives address and groups free. One that is gone already is no error: an undo may run again.
Result<> ReleaseInterface(const Context& context, store::Transaction& transaction,
                          const InterfaceId& id);

// Moves an interface to other groups (of its VPC; at least one).
Result<> SetInterfaceGroups(const Context& context, store::Transaction& transaction,
                            const InterfaceId& id, const std::vector<GroupId>& groups);

struct InterfaceChange {
  std::optional<std::string> description;
  std::optional<bool> source_dest_check;
};
Result<> ModifyInterface(const Context& context, store::Transaction& transaction,
                         const InterfaceId& id, const InterfaceChange& change);

// The interfaces of this owner and requester.
Result<std::vector<Interface>> InterfacesOf(store::Store& store, std::string_view requester_id,
                                            std::string_view owner);

}  // namespace howdah::vpc
