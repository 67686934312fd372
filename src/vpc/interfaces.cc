// Reserving and releasing interfaces. The address document is put-if-absent, which makes the
// reservation itself a compare-and-swap; subnet and groups are changed in the same transaction, so
// that neither can be deleted meanwhile.
#include "vpc/interfaces.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "vpc/addresses.h"
#include "vpc/draft.h"

namespace howdah::vpc {
namespace {

constexpr int kMaxAddressesTried = 256;

Result<std::set<network::Ipv4>> TakenAddresses(Draft& draft, const VpcId& vpc) {
  const std::string prefix = AddressPrefix(vpc);
  TRY_ASSIGN(const std::vector<std::string> keys, draft.Keys(prefix));
  std::set<network::Ipv4> taken;
  for (const std::string& key : keys) {
    TRY_ASSIGN(const network::Ipv4 address, network::Ipv4::Parse(key.substr(prefix.size())));
    taken.insert(address);
  }
  return taken;
}

// 127.0.0.1 is the host's own, and what the host cannot bind is no use.
bool IsUsable(const NewInterface& wish, network::Ipv4 host_address) {
  return host_address != network::kHostItself && (!wish.usable || wish.usable(host_address));
}

Result<network::Ipv4> WishedAddress(const Context& context, const NewInterface& wish,
                                    const Subnet& subnet, const std::set<network::Ipv4>& taken) {
  const network::Ipv4 address = *wish.address;
  if (!subnet.cidr.Contains(address) || network::IsReserved(subnet.cidr, address))
    return Fail(Code::kInvalid,
                fmt::format("Address {} does not fall within the subnet's address range",
                            address.ToString()));
  TRY_ASSIGN(const network::Ipv4 host_address, context.driver.HostAddress(address));
  if (taken.contains(address) || !IsUsable(wish, host_address))
    return Fail(Code::kAlreadyExists, fmt::format("Address {} is in use.", address.ToString()));
  return address;
}

Result<network::Ipv4> ChooseAddress(const Context& context, Draft& draft, const NewInterface& wish,
                                    const Subnet& subnet) {
  TRY_ASSIGN(std::set<network::Ipv4> taken, TakenAddresses(draft, subnet.vpc));
  if (wish.address) return WishedAddress(context, wish, subnet, taken);
  for (int tried = 0; tried < kMaxAddressesTried; ++tried) {
    const auto address = network::NextFreeAddress(subnet.cidr, taken);
    if (!address) break;
    TRY_ASSIGN(const network::Ipv4 host_address, context.driver.HostAddress(*address));
    if (IsUsable(wish, host_address)) return *address;
    taken.insert(*address);
  }
  return Fail(Code::kExhausted,
              fmt::format("{} has no free address that this host can use", subnet.id.str()));
}

// The wish's groups without repetitions, each of them of this VPC.
Result<std::vector<GroupId>> CheckGroups(Draft& draft, const VpcId& vpc,
                                         const std::vector<GroupId>& wish) {
  std::vector<GroupId> groups;
  for (const GroupId& id : wish) {
    if (std::ranges::find(groups, id) != groups.end()) continue;
    TRY_ASSIGN(const SecurityGroup group, draft.Load<SecurityGroup>(id));
    if (group.vpc != vpc)
      return Fail(Code::kInvalid,
                  "You have specified two resources that belong to different "
                  "networks.");
    groups.push_back(id);
  }
  if (groups.size() > kMaxGroupsPerInterface)
    return Fail(Code::kExhausted,
                fmt::format("at most {} security groups can be given to an interface",
                            kMaxGroupsPerInterface));
  return groups;
}

Result<> CountGroups(Draft& draft, const std::vector<GroupId>& groups, int by) {
  for (const GroupId& id : groups) {
    TRY_ASSIGN(SecurityGroup group, draft.Load<SecurityGroup>(id));
    group.uses += by;
    draft.Save(group);
  }
  return {};
}

// Locally administered, unicast: it can be nobody's.
std::string NewMacAddress(system::Entropy& entropy) {
  const std::string hex = system::RandomHex(entropy, 10);
  std::string mac = "02";
  for (std::size_t i = 0; i < hex.size(); i += 2) mac += ":" + hex.substr(i, 2);
  return mac;
}

Interface MakeInterface(const Context& context, const NewInterface& wish, const Subnet& subnet) {
  Interface interface;
  interface.id = InterfaceId(NewId(context.entropy, kInterfacePrefix));
  interface.vpc = subnet.vpc;
  interface.subnet = subnet.id;
  interface.zone = subnet.zone;
  interface.description = wish.owner.description;
  interface.requester_managed = wish.owner.requester_managed;
  interface.requester_id = wish.owner.requester_id;
  interface.owner = wish.owner.owner;
  interface.owner_uid = wish.owner.uid;
  interface.mac_address = NewMacAddress(context.entropy);
  interface.client_token = wish.client_token;
  interface.kind = wish.kind;
  interface.source_dest_check = wish.kind != InterfaceKind::kNatGateway;
  interface.created = wish.now;
  interface.tags = wish.tags;
  return interface;
}

}  // namespace

Result<Interface> ReserveInterface(const Context& context, store::Transaction& transaction,
                                   const NewInterface& wish) {
  Draft draft(context.store, transaction);
  TRY_ASSIGN(Subnet subnet, draft.Load<Subnet>(wish.subnet));
  Interface interface = MakeInterface(context, wish, subnet);
  std::vector<GroupId> groups = wish.groups;
  if (groups.empty() && wish.kind == InterfaceKind::kOrdinary) {
    TRY_ASSIGN(const Vpc vpc, draft.Load<Vpc>(subnet.vpc));
    groups = {vpc.default_group};
  }
  TRY_ASSIGN(interface.groups, CheckGroups(draft, subnet.vpc, groups));
  TRY_ASSIGN(interface.address, ChooseAddress(context, draft, wish, subnet));
  TRY_ASSIGN(interface.host_address, context.driver.HostAddress(interface.address));
  TRY(draft.Create(AddressKey(subnet.vpc, interface.address),
                   json::serialize(json::object{{"interface", interface.id.str()}})));
  if (!wish.client_token.empty()) {
    TRY(draft.Create(TokenKey(wish.client_token),
                     json::serialize(json::object{{"interface", interface.id.str()}})));
  }
  TRY(draft.Add(interface));
  TRY(CountGroups(draft, interface.groups, +1));
  ++subnet.uses;
  draft.Save(subnet);
  return interface;
}

Result<> ReleaseInterface(const Context& context, store::Transaction& transaction,
                          const InterfaceId& id) {
  Draft draft(context.store, transaction);
  auto interface = draft.Load<Interface>(id);
  if (!interface && interface.error().code() == Code::kNotFound) return {};
  if (!interface) return Fail(interface.error());
  TRY(UnmapAddress(draft, *interface));
  TRY(CountGroups(draft, interface->groups, -1));
  TRY_ASSIGN(Subnet subnet, draft.Load<Subnet>(interface->subnet));
  --subnet.uses;
  draft.Save(subnet);
  draft.Erase(AddressKey(interface->vpc, interface->address));
  if (!interface->client_token.empty()) draft.Erase(TokenKey(interface->client_token));
  draft.Remove(*interface);
  return {};
}

Result<> SetInterfaceGroups(const Context& context, store::Transaction& transaction,
                            const InterfaceId& id, const std::vector<GroupId>& groups) {
  Draft draft(context.store, transaction);
  TRY_ASSIGN(Interface interface, draft.Load<Interface>(id));
  if (groups.empty()) return Fail(Code::kInvalid, "an interface is in at least one group");
  TRY_ASSIGN(const std::vector<GroupId> wanted, CheckGroups(draft, interface.vpc, groups));
  TRY(CountGroups(draft, interface.groups, -1));
  TRY(CountGroups(draft, wanted, +1));
  interface.groups = wanted;
  draft.Save(interface);
  return {};
}

Result<> ModifyInterface(const Context& context, store::Transaction& transaction,
                         const InterfaceId& id, const InterfaceChange& change) {
  Draft draft(context.store, transaction);
  TRY_ASSIGN(Interface interface, draft.Load<Interface>(id));
  interface.description = change.description.value_or(interface.description);
  interface.source_dest_check = change.source_dest_check.value_or(interface.source_dest_check);
  draft.Save(interface);
  return {};
}

Result<std::vector<Interface>> InterfacesOf(store::Store& store, std::string_view requester_id,
                                            std::string_view owner) {
  TRY_ASSIGN(std::vector<Interface> interfaces, List<Interface>(store));
  std::erase_if(interfaces, [&](const Interface& interface) {
    return interface.requester_id != requester_id || interface.owner != owner;
  });
  return interfaces;
}

}  // namespace howdah::vpc
