// Elastic IP addresses. An associated address counts as a use of its VPC's internet gateway, which
// therefore cannot be detached under it.
#include "vpc/addresses.h"

#include <fmt/format.h>

#include <set>

namespace howdah::vpc {
namespace {

bool IsOurs(network::Ipv4 address) {
  return address >= kFirstPublicAddress &&
         address.value() < kFirstPublicAddress.value() + kMaxElasticAddresses;
}

Result<network::Ipv4> FreeAddress(Draft& draft) {
  TRY_ASSIGN(const std::vector<std::string> keys, draft.Keys(kPublicAddresses));
  const std::set<std::string> taken(keys.begin(), keys.end());
  for (std::uint32_t i = 0; i < kMaxElasticAddresses; ++i) {
    const network::Ipv4 address(kFirstPublicAddress.value() + i);
    if (!taken.contains(PublicAddressKey(address))) return address;
  }
  return Fail(Code::kExhausted, "The maximum number of addresses has been reached.");
}

}  // namespace

Result<ElasticAddress> AllocateAddress(const Context& context, store::Transaction& transaction,
                                       const NewAddress& wish) {
  Draft draft(context.store, transaction);
  ElasticAddress address;
  address.id = AllocationId(NewId(context.entropy, kAllocationPrefix));
  if (wish.address && !IsOurs(*wish.address))
    return Fail(Code::kInvalid, fmt::format("Invalid value '{}' for address: it is not one of "
                                            "this region's.",
                                            wish.address->ToString()));
  if (wish.address) {
    address.address = *wish.address;
  } else {
    TRY_ASSIGN(address.address, FreeAddress(draft));
  }
  address.tags = wish.tags;
  TRY(draft.Create(PublicAddressKey(address.address),
                   json::serialize(json::object{{"allocation", address.id.str()}})));
  TRY(draft.Add(address));
  return address;
}

Result<> ReleaseAddress(const Context& context, store::Transaction& transaction,
                        const AllocationId& id) {
  Draft draft(context.store, transaction);
  TRY_ASSIGN(const ElasticAddress address, draft.Load<ElasticAddress>(id));
  if (!address.association.empty())
    return Fail(Code::kInUse, fmt::format("Address {} is in use.", address.address.ToString()));
  draft.Erase(PublicAddressKey(address.address));
  draft.Remove(address);
  return {};
}

Result<ElasticAddress> MapAddress(const Context& context, Draft& draft, const AllocationId& id,
                                  Interface& interface) {
  TRY_ASSIGN(ElasticAddress address, draft.Load<ElasticAddress>(id));
  if (!address.association.empty())
    return Fail(Code::kAlreadyExists,
                fmt::format("resource {} is already associated with associate-id {}", id.str(),
                            address.association));
  TRY_ASSIGN(const Vpc vpc, draft.Load<Vpc>(interface.vpc));
  if (vpc.internet_gateway.empty())
    return Fail(Code::kFailedState,
                fmt::format("Network {} is not attached to any internet gateway", vpc.id.str()));
  TRY_ASSIGN(InternetGateway gateway, draft.Load<InternetGateway>(vpc.internet_gateway));
  ++gateway.uses;
  draft.Save(gateway);
  address.association = NewId(context.entropy, "eipassoc-");
  address.interface = interface.id;
  address.private_address = interface.address;
  draft.Save(address);
  interface.public_address = id;
  return address;
}

Result<> UnmapAddress(Draft& draft, Interface& interface) {
  if (interface.public_address.empty()) return {};
  TRY_ASSIGN(ElasticAddress address, draft.Load<ElasticAddress>(interface.public_address));
  address.association.clear();
  address.interface = {};
  address.private_address = {};
  draft.Save(address);
  interface.public_address = {};
  TRY_ASSIGN(const Vpc vpc, draft.Load<Vpc>(interface.vpc));
  TRY_ASSIGN(InternetGateway gateway, draft.Load<InternetGateway>(vpc.internet_gateway));
  --gateway.uses;
  draft.Save(gateway);
  return {};
}

Result<ElasticAddress> AssociateAddress(const Context& context, store::Transaction& transaction,
                                        const NewAssociation& wish) {
  Draft draft(context.store, transaction);
  TRY_ASSIGN(const Interface wished, draft.Load<Interface>(wish.interface));
  if (wished.requester_managed)
    return Fail(Code::kPermission, fmt::format("The network interface '{}' is managed by {}.",
                                               wished.id.str(), wished.requester_id));
  if (!wished.public_address.empty() && !wish.take_over)
    return Fail(Code::kAlreadyExists, fmt::format("resource {} is already associated with {}",
                                                  wished.id.str(), wished.public_address.str()));
  if (wish.take_over) TRY(DisassociateAddress(context, transaction, wish.address));
  TRY_ASSIGN(Interface interface, draft.Load<Interface>(wish.interface));
  if (wish.take_over) TRY(UnmapAddress(draft, interface));
  TRY_ASSIGN(ElasticAddress address, MapAddress(context, draft, wish.address, interface));
  draft.Save(interface);
  return address;
}

Result<> DisassociateAddress(const Context& context, store::Transaction& transaction,
                             const AllocationId& id) {
  Draft draft(context.store, transaction);
  TRY_ASSIGN(const ElasticAddress address, draft.Load<ElasticAddress>(id));
  if (address.association.empty()) return {};
  TRY_ASSIGN(Interface interface, draft.Load<Interface>(address.interface));
  if (interface.requester_managed)
    return Fail(Code::kPermission,
                fmt::format("The address {} belongs to a NAT gateway: it is disassociated when "
                            "that is deleted.",
                            address.address.ToString()));
  TRY(UnmapAddress(draft, interface));
  draft.Save(interface);
  return {};
}

}  // namespace howdah::vpc
