// What a virtual network consists of, as documents in the store: one document a VPC, subnet,
// security group, rule, network interface, ACL and route table. `uses` counts what depends on a
// record and is changed in the transaction that adds or takes away the dependent: so a deletion
// that saw no uses conflicts with a creation that it did not see.
//
// Reading is Get<Vpc>(store, id) and List<Vpc>(store). Writing goes through a Draft (draft.h).
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "base/time.h"
#include "network/cidr.h"
#include "network/cidr6.h"
#include "store/store.h"
#include "vpc/ids.h"

namespace howdah::vpc {

using Tags = std::map<std::string, std::string>;

struct Vpc {
  using IdType = VpcId;
  static constexpr std::string_view kKeys = "/vpc/vpcs/";
  static constexpr std::string_view kPrefix = kVpcPrefix;
  VpcId id;
  network::Cidr cidr;
  std::string cidr_association;  // "vpc-cidr-assoc-…"
  bool is_default = false;
  bool dns_support = true;
  bool dns_hostnames = false;
  bool usage_metrics = false;
  AclId acl;                 // the default NACL
  RouteTableId route_table;  // the main route table
  GroupId default_group;
  InternetGatewayId internet_gateway;  // empty: none is attached
  std::int64_t uses = 0;  // subnets, groups and route tables other than its own, a gateway
  Tags tags;
  bool operator==(const Vpc&) const = default;
};

struct Subnet {
  using IdType = SubnetId;
  static constexpr std::string_view kKeys = "/vpc/subnets/";
  static constexpr std::string_view kPrefix = kSubnetPrefix;
  SubnetId id;
  VpcId vpc;
  network::Cidr cidr;
  std::string zone;     // "us-west-2a"
  std::string zone_id;  // "usw2-az1"
  bool default_for_zone = false;
  bool map_public_ip = false;
  std::string acl_association;    // "aclassoc-…": of the VPC's default NACL with this subnet
  RouteTableId route_table;       // empty: the VPC's main table
  std::string route_association;  // "rtbassoc-…" with `route_table`
  std::int64_t uses = 0;          // network interfaces
  Tags tags;
  bool operator==(const Subnet&) const = default;
};

struct SecurityGroup {
  using IdType = GroupId;
  static constexpr std::string_view kKeys = "/vpc/groups/";
  static constexpr std::string_view kPrefix = kGroupPrefix;
  GroupId id;
  VpcId vpc;
  std::string name;
  std::string description;
  bool is_default = false;
  std::int64_t uses = 0;   // network interfaces, and rules of other groups that name this one
  std::int64_t rules = 0;  // changes with every change of a rule: two such changes conflict
  // Ids of its rules; nullopt in a document of a version that looked for them among all rules.
  std::optional<std::vector<RuleId>> rule_ids = std::vector<RuleId>();
  Tags tags;
  bool operator==(const SecurityGroup&) const = default;
};

enum class Direction { kIngress, kEgress };

struct Rule {
  using IdType = RuleId;
  static constexpr std::string_view kKeys = "/vpc/rules/";
  static constexpr std::string_view kPrefix = kRulePrefix;
  RuleId id;
  GroupId group;
  Direction direction = Direction::kIngress;
  std::string protocol;  // "tcp", "udp", "icmp", "icmpv6", another number, or "-1": all
  int from_port = -1;    // of ICMP the type; -1 with "-1": all
  int to_port = -1;      // of ICMP the code
  GroupId source;        // empty: the rule is about `cidr`
  network::Cidr cidr;    // meaningful where `source` is empty and there is no `cidr6`
  std::optional<network::Cidr6> cidr6;  // a range of IPv6: recorded, admits nobody
  std::string description;              // empty: none
  Tags tags;
  // Who the rule is about: a group's id or a range.
  std::string Peer() const;
  // Do the two say the same? Ids, descriptions and tags do not matter.
  bool SameAs(const Rule& other) const;
  bool operator==(const Rule&) const = default;
};

// "interface", or what a NAT gateway has in its subnet.
enum class InterfaceKind { kOrdinary, kNatGateway };

struct Interface {
  using IdType = InterfaceId;
  static constexpr std::string_view kKeys = "/vpc/interfaces/";
  static constexpr std::string_view kPrefix = kInterfacePrefix;
  InterfaceId id;
  VpcId vpc;
  SubnetId subnet;
  std::string zone;
  network::Ipv4 address;       // private
  network::Ipv4 host_address;  // the address of this host that stands for it
  std::vector<GroupId> groups;
  std::string description;
  bool requester_managed = false;  // only the service that made it may delete it
  std::string requester_id;        // "amazon-rds"; empty: a user made it
  std::string owner;               // what it belongs to, in the requester's words: a node id
  uid_t owner_uid = 0;             // the user whose sockets may speak for this interface
  std::string mac_address;
  std::string client_token;  // empty: none was given
  InterfaceKind kind = InterfaceKind::kOrdinary;
  bool source_dest_check = true;
  AllocationId public_address;  // the Elastic IP address that is associated; empty: none
  WallTime created{};
  Tags tags;
  bool operator==(const Interface&) const = default;
};

// One entry of a network ACL that allows something. An entry that denies is refused, because
// nothing would be denied; AWS's last rule ("*", which denies the rest) is not kept.
struct AclEntry {
  int number = 100;
  bool egress = false;
  std::string protocol = "-1";      // a number, or "-1": all
  std::string range = "0.0.0.0/0";  // of IPv4 or IPv6
  int from_port = -1;               // of ICMP the type; -1 with protocols without ports
  int to_port = -1;                 // of ICMP the code
  bool operator==(const AclEntry&) const = default;
};

// The default network ACL of a VPC, which all its subnets are associated with. A record: whatever
// it says, it filters nothing.
struct NetworkAcl {
  using IdType = AclId;
  static constexpr std::string_view kKeys = "/vpc/acls/";
  static constexpr std::string_view kPrefix = kAclPrefix;
  AclId id;
  VpcId vpc;
  // AWS's default ACL begins with these: everything may come in and go out.
  std::vector<AclEntry> entries = {AclEntry{}, AclEntry{.egress = true}};
  Tags tags;
  bool operator==(const NetworkAcl&) const = default;
};

struct Route {
  std::string destination;  // a range of IPv4 or IPv6
  std::string target;       // the id of an internet gateway, a NAT gateway or an interface
  bool operator==(const Route&) const = default;
};

// A route table. A record: nothing is routed. The local route of its VPC's range is not kept.
struct RouteTable {
  using IdType = RouteTableId;
  static constexpr std::string_view kKeys = "/vpc/routes/";
  static constexpr std::string_view kPrefix = kRouteTablePrefix;
  RouteTableId id;
  VpcId vpc;
  std::string association;  // "rtbassoc-…" as the VPC's main table; empty: it is not
  std::vector<Route> routes;
  std::int64_t uses = 0;     // subnets that are associated with it
  std::string client_token;  // empty: none was given
  Tags tags;
  bool operator==(const RouteTable&) const = default;
};

// Everything of a network that changes is below this prefix: what derives from it watches it.
inline constexpr std::string_view kAllKeys = "/vpc/";

// An address is reserved by the document of this key: put-if-absent, with the interface's id.
std::string AddressPrefix(const VpcId& vpc);
std::string AddressKey(const VpcId& vpc, network::Ipv4 address);
// What a client token has made: an interface, or a thing of another kind ("route-table").
std::string TokenKey(std::string_view client_token);
std::string TokenKey(std::string_view kind, std::string_view client_token);

// Tags in a document; for the records of edge.h too.
json::object TagsToJson(const Tags& tags);
Tags TagsFromJson(const json::object& document);
Result<network::Ipv4> AddressFromJson(const json::object& document, std::string_view name);

// The documents' forms. Decode is kCorrupt where the text is not what it should be.
std::string Encode(const Vpc& vpc);
std::string Encode(const Subnet& subnet);
std::string Encode(const SecurityGroup& group);
std::string Encode(const Rule& rule);
std::string Encode(const Interface& interface);
std::string Encode(const NetworkAcl& acl);
std::string Encode(const RouteTable& table);
Result<> Decode(const json::object& document, Vpc& vpc);
Result<> Decode(const json::object& document, Subnet& subnet);
Result<> Decode(const json::object& document, SecurityGroup& group);
Result<> Decode(const json::object& document, Rule& rule);
Result<> Decode(const json::object& document, Interface& interface);
Result<> Decode(const json::object& document, NetworkAcl& acl);
Result<> Decode(const json::object& document, RouteTable& table);

template <typename T>
std::string KeyOf(const typename T::IdType& id) {
  return std::string(T::kKeys) + id.str();
}

template <typename T>
Result<T> DecodeText(std::string_view text) {
  TRY_ASSIGN(const json::object document, ParseJsonObject(text));
  T record;
  TRY(Decode(document, record));
  return record;
}

// kNotFound where there is none.
template <typename T>
Result<T> Get(store::Store& store, const typename T::IdType& id) {
  if (id.empty()) return Fail(Code::kNotFound, "an empty id names nothing");
  TRY_ASSIGN(const store::Document document, store.Get(KeyOf<T>(id)));
  return DecodeText<T>(document.value);
}

// All, by id.
template <typename T>
Result<std::vector<T>> List(store::Store& store) {
  TRY_ASSIGN(const store::Listing listing, store.List(T::kKeys));
  std::vector<T> records;
  records.reserve(listing.documents.size());
  for (const store::Document& document : listing.documents) {
    TRY_ASSIGN(T record, DecodeText<T>(document.value));
    records.push_back(std::move(record));
  }
  return records;
}

}  // namespace howdah::vpc
