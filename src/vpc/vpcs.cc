// VPCs, subnets and the default VPC. What must be unique among siblings (a range among VPCs, a
// subnet's range or a group's name in its VPC) is guarded by a record that every maker changes: the
// network document for VPCs, the VPC for what is in it.
#include "vpc/vpcs.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "vpc/draft.h"
#include "vpc/groups.h"
#include "vpc/routes.h"

namespace howdah::vpc {
namespace {

constexpr int kMaxAttempts = 20;
constexpr std::string_view kNetworkKey = "/vpc/network";
const network::Cidr kDefaultRange(network::Ipv4(0xac1f0000), 16);  // 172.31.0.0/16

// The one document that every change of the set of VPCs changes.
struct NetworkDocument {
  std::int64_t changes = 0;
  bool default_made = false;  // once: a default VPC that the user deleted stays deleted
};

Result<NetworkDocument> LoadNetwork(Draft& draft) {
  auto text = draft.Read(std::string(kNetworkKey));
  if (!text && text.error().code() == Code::kNotFound) return NetworkDocument{};
  if (!text) return Fail(text.error());
  TRY_ASSIGN(const json::object document, ParseJsonObject(*text));
  return NetworkDocument{JsonInt(document, "changes"), JsonBool(document, "default_made")};
}

void SaveNetwork(Draft& draft, NetworkDocument network) {
  draft.Write(std::string(kNetworkKey),
              json::serialize(json::object{{"changes", network.changes + 1},
                                           {"default_made", network.default_made}}));
}

// Ranges that can never be a VPC's: this host, loopback, link-local, multicast and beyond.
bool IsForbidden(const network::Cidr& cidr) {
  using network::Cidr;
  using network::Ipv4;
  const Cidr forbidden[] = {Cidr(Ipv4(0), 8), Cidr(Ipv4(0x7f000000), 8), Cidr(Ipv4(0xa9fe0000), 16),
                            Cidr(Ipv4(0xe0000000), 3)};
  return std::ranges::any_of(forbidden, [&](const Cidr& range) { return range.Overlaps(cidr); });
}

Result<> CheckRange(const Context& context, Draft& draft, const network::Cidr& cidr) {
  TRY(network::CheckVpcCidr(cidr));
  if (IsForbidden(cidr))
    return Fail(Code::kInvalid, fmt::format("{} is a reserved range", cidr.ToString()));
  TRY_ASSIGN(const std::vector<Vpc> vpcs, draft.LoadAll<Vpc>());
  for (const Vpc& other : vpcs) {
    if (!context.driver.Coincide(cidr, other.cidr)) continue;
    return Fail(Code::kInvalid,
                fmt::format("the addresses of {} would be the same addresses of this host as those "
                            "of {} ({}); choose another range or delete that VPC",
                            cidr.ToString(), other.id.str(), other.cidr.ToString()));
  }
  return {};
}

// The default group: everything from its own members may come in, everything may go out.
Result<> AddDefaultGroup(const Context& context, Draft& draft, const Vpc& vpc) {
  SecurityGroup group;
  group.id = vpc.default_group;
  group.vpc = vpc.id;
  group.name = "default";
  group.description = "default VPC security group";
  group.is_default = true;
  group.rules = 2;
  Rule in;
  in.id = RuleId(NewId(context.entropy, kRulePrefix));
  in.group = group.id;
  in.protocol = "-1";
  in.source = group.id;
  TRY(draft.Add(in));
  Rule out;
  out.id = RuleId(NewId(context.entropy, kRulePrefix));
  out.group = group.id;
  out.direction = Direction::kEgress;
  out.protocol = "-1";
  group.rule_ids = {in.id, out.id};
  TRY(draft.Add(group));
  return draft.Add(out);
}

Result<Vpc> BuildVpc(const Context& context, Draft& draft, const NewVpc& wish, bool is_default) {
  Vpc vpc;
  vpc.id = VpcId(NewId(context.entropy, kVpcPrefix));
  vpc.cidr = wish.cidr;
  vpc.cidr_association = NewId(context.entropy, "vpc-cidr-assoc-");
  vpc.is_default = is_default;
  vpc.dns_hostnames = is_default;
  vpc.acl = AclId(NewId(context.entropy, kAclPrefix));
  vpc.route_table = RouteTableId(NewId(context.entropy, kRouteTablePrefix));
  vpc.default_group = GroupId(NewId(context.entropy, kGroupPrefix));
  vpc.tags = wish.tags;
  TRY(draft.Add(vpc));
  TRY(draft.Add(NetworkAcl{.id = vpc.acl, .vpc = vpc.id, .tags = {}}));
  TRY(draft.Add(RouteTable{.id = vpc.route_table,
                           .vpc = vpc.id,
                           .association = NewId(context.entropy, "rtbassoc-"),
                           .tags = {}}));
  TRY(AddDefaultGroup(context, draft, vpc));
  return vpc;
}

Result<Zone> ChooseZone(const Context& context, const std::vector<Subnet>& siblings,
                        const std::string& wish) {
  if (!wish.empty()) {
    if (const Zone* zone = context.region.Find(wish)) return *zone;
    return Fail(Code::kUnsupported,
                fmt::format("there is no zone {} in {}", wish, context.region.name));
  }
  std::map<std::string, int> subnets;
  for (const Subnet& sibling : siblings) ++subnets[sibling.zone];
  const auto fewest = std::ranges::min_element(
      context.region.zones, {}, [&](const Zone& zone) { return subnets[zone.name]; });
  if (fewest == context.region.zones.end())
    return Fail(Code::kUnsupported, "the region has no zones");
  return *fewest;
}

Result<std::vector<Subnet>> SubnetsOf(Draft& draft, const VpcId& vpc) {
  TRY_ASSIGN(std::vector<Subnet> subnets, draft.LoadAll<Subnet>());
  std::erase_if(subnets, [&](const Subnet& subnet) { return subnet.vpc != vpc; });
  return subnets;
}

Result<Subnet> BuildSubnet(const Context& context, Draft& draft, const NewSubnet& wish,
                           bool is_default) {
  TRY_ASSIGN(Vpc vpc, draft.Load<Vpc>(wish.vpc));
  TRY(network::CheckSubnetCidr(vpc.cidr, wish.cidr));
  TRY_ASSIGN(const std::vector<Subnet> siblings, SubnetsOf(draft, vpc.id));
  for (const Subnet& sibling : siblings) {
    if (sibling.cidr.Overlaps(wish.cidr))
      return Fail(Code::kAlreadyExists, fmt::format("{} overlaps {} ({})", wish.cidr.ToString(),
                                                    sibling.id.str(), sibling.cidr.ToString()));
  }
  TRY_ASSIGN(const Zone zone, ChooseZone(context, siblings, wish.zone));
  Subnet subnet;
  subnet.id = SubnetId(NewId(context.entropy, kSubnetPrefix));
  subnet.vpc = vpc.id;
  subnet.cidr = wish.cidr;
  subnet.zone = zone.name;
  subnet.zone_id = zone.id;
  subnet.default_for_zone = is_default;
  subnet.map_public_ip = is_default;
  subnet.acl_association = NewId(context.entropy, "aclassoc-");
  subnet.tags = wish.tags;
  ++vpc.uses;
  draft.Save(vpc);
  TRY(draft.Add(subnet));
  return subnet;
}

}  // namespace

Result<> Transact(store::Store& store,
                  const std::function<Result<>(store::Transaction& transaction)>& build) {
  for (int attempt = 1;; ++attempt) {
    store::Transaction transaction;
    Result<> outcome = build(transaction);
    if (outcome) {
      if (transaction.puts.empty() && transaction.deletes.empty()) return {};
      const auto committed = store.Commit(transaction);
      if (committed) return {};
      outcome = Fail(committed.error());
    }
    if (outcome.error().code() != Code::kConflict || attempt == kMaxAttempts) return outcome;
  }
}

Result<Vpc> CreateVpc(const Context& context, store::Transaction& transaction, const NewVpc& wish) {
  Draft draft(context.store, transaction);
  TRY_ASSIGN(const NetworkDocument network, LoadNetwork(draft));
  TRY(CheckRange(context, draft, wish.cidr));
  SaveNetwork(draft, network);
  return BuildVpc(context, draft, wish, false);
}

Result<> ModifyVpc(const Context& context, store::Transaction& transaction, const VpcId& id,
                   const VpcChange& change) {
  Draft draft(context.store, transaction);
  TRY_ASSIGN(Vpc vpc, draft.Load<Vpc>(id));
  vpc.dns_support = change.dns_support.value_or(vpc.dns_support);
  vpc.dns_hostnames = change.dns_hostnames.value_or(vpc.dns_hostnames);
  vpc.usage_metrics = change.usage_metrics.value_or(vpc.usage_metrics);
  draft.Save(vpc);
  return {};
}

Result<> DeleteVpc(const Context& context, store::Transaction& transaction, const VpcId& id) {
  Draft draft(context.store, transaction);
  TRY_ASSIGN(const Vpc vpc, draft.Load<Vpc>(id));
  TRY_ASSIGN(const SecurityGroup group, draft.Load<SecurityGroup>(vpc.default_group));
  if (vpc.uses > 0 || group.uses > 0)
    return Fail(Code::kInUse, fmt::format("{} has dependencies", id.str()));
  TRY_ASSIGN(const std::vector<Rule> rules, RulesOf(draft, group));
  for (const Rule& rule : rules) draft.Remove(rule);
  draft.Remove(group);
  draft.Erase(KeyOf<NetworkAcl>(vpc.acl));
  TRY_ASSIGN(const RouteTable main, draft.Load<RouteTable>(vpc.route_table));
  if (!main.client_token.empty()) draft.Erase(TokenKey(kRouteTablePrefix, main.client_token));
  draft.Remove(main);
  draft.Remove(vpc);
  TRY_ASSIGN(const NetworkDocument network, LoadNetwork(draft));
  SaveNetwork(draft, network);
  return {};
}

Result<Subnet> CreateSubnet(const Context& context, store::Transaction& transaction,
                            const NewSubnet& wish) {
  Draft draft(context.store, transaction);
  return BuildSubnet(context, draft, wish, false);
}

Result<> ModifySubnet(const Context& context, store::Transaction& transaction, const SubnetId& id,
                      bool map_public_ip) {
  Draft draft(context.store, transaction);
  TRY_ASSIGN(Subnet subnet, draft.Load<Subnet>(id));
  subnet.map_public_ip = map_public_ip;
  draft.Save(subnet);
  return {};
}

Result<> DeleteSubnet(const Context& context, store::Transaction& transaction, const SubnetId& id) {
  Draft draft(context.store, transaction);
  TRY_ASSIGN(const Subnet subnet, draft.Load<Subnet>(id));
  if (subnet.uses > 0)
    return Fail(Code::kInUse, fmt::format("{} has {} network interfaces", id.str(), subnet.uses));
  TRY(ForgetRouteTable(draft, subnet));
  TRY_ASSIGN(Vpc vpc, draft.Load<Vpc>(subnet.vpc));
  --vpc.uses;
  draft.Save(vpc);
  draft.Remove(subnet);
  return {};
}

Result<std::set<network::Ipv4>> TakenAddresses(store::Store& store, const VpcId& vpc) {
  const std::string prefix = AddressPrefix(vpc);
  TRY_ASSIGN(const store::Listing listing, store.List(prefix));
  std::set<network::Ipv4> taken;
  for (const store::Document& document : listing.documents) {
    const auto address = network::Ipv4::Parse(document.key.substr(prefix.size()));
    if (address) taken.insert(*address);
  }
  return taken;
}

Result<std::uint64_t> AvailableAddresses(store::Store& store, const Subnet& subnet) {
  TRY_ASSIGN(const std::set<network::Ipv4> taken, TakenAddresses(store, subnet.vpc));
  return network::AvailableAddressCount(subnet.cidr, taken);
}

Result<Vpc> CreateDefaultVpc(const Context& context, store::Transaction& transaction) {
  Draft draft(context.store, transaction);
  TRY_ASSIGN(NetworkDocument network, LoadNetwork(draft));
  TRY_ASSIGN(const std::vector<Vpc> vpcs, draft.LoadAll<Vpc>());
  if (std::ranges::find(vpcs, true, &Vpc::is_default) != vpcs.end())
    return Fail(Code::kAlreadyExists,
                "A Default VPC already exists for this account in this region.");
  TRY(CheckRange(context, draft, kDefaultRange));
  network.default_made = true;
  SaveNetwork(draft, network);
  TRY_ASSIGN(const Vpc vpc, BuildVpc(context, draft, {.cidr = kDefaultRange, .tags = {}}, true));
  const std::size_t zones = std::min<std::size_t>(context.region.zones.size(), 3);
  for (std::uint32_t i = 0; i < zones; ++i) {
    const network::Cidr cidr(network::Ipv4(kDefaultRange.first().value() + i * 4096), 20);
    TRY(BuildSubnet(context, draft,
                    {.vpc = vpc.id, .cidr = cidr, .zone = context.region.zones[i].name, .tags = {}},
                    true));
  }
  return draft.Load<Vpc>(vpc.id);
}

Result<> EnsureDefaultVpc(const Context& context) {
  return Transact(context.store, [&](store::Transaction& transaction) -> Result<> {
    Draft draft(context.store, transaction);
    TRY_ASSIGN(NetworkDocument network, LoadNetwork(draft));
    if (network.default_made) return {};
    const auto made = CreateDefaultVpc(context, transaction);
    if (made) return {};
    // On a store that has VPCs already (an address driver that was changed), there may be no room.
    const Code code = made.error().code();
    if (code != Code::kInvalid && code != Code::kAlreadyExists) return Fail(made.error());
    network.default_made = true;
    SaveNetwork(draft, network);
    return {};
  });
}

}  // namespace howdah::vpc
