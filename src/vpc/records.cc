// The JSON forms of a network's records. A member that an older version did not write reads as its
// default; an address or range that cannot be read is kCorrupt.
#include "vpc/records.h"

#include <boost/json.hpp>

namespace howdah::vpc {
namespace {

Result<network::Cidr> CidrFromJson(const json::object& document) {
  auto cidr = network::Cidr::Parse(JsonString(document, "cidr"));
  if (!cidr) return Fail(Code::kCorrupt, "a stored range: " + cidr.error().what());
  return *cidr;
}

template <typename IdType>
IdType IdFromJson(const json::object& document, std::string_view name) {
  return IdType(JsonString(document, name));
}

}  // namespace

json::object TagsToJson(const Tags& tags) {
  json::object object;
  for (const auto& [key, value] : tags) object[key] = value;
  return object;
}

Tags TagsFromJson(const json::object& document) {
  Tags tags;
  for (const auto& member : JsonObject(document, "tags")) {
    if (const auto* text = member.value().if_string())
      tags.emplace(std::string(member.key()), std::string(*text));
  }
  return tags;
}

Result<network::Ipv4> AddressFromJson(const json::object& document, std::string_view name) {
  auto address = network::Ipv4::Parse(JsonString(document, name));
  if (!address) return Fail(Code::kCorrupt, "a stored address: " + address.error().what());
  return *address;
}

bool Rule::SameAs(const Rule& other) const {
  return group == other.group && direction == other.direction && protocol == other.protocol &&
         from_port == other.from_port && to_port == other.to_port && Peer() == other.Peer();
}

std::string Rule::Peer() const {
  if (!source.empty()) return source.str();
  return cidr6 ? cidr6->ToString() : cidr.ToString();
}

std::string AddressPrefix(const VpcId& vpc) {
  return "/vpc/addresses/" + vpc.str() + "/";
}

std::string AddressKey(const VpcId& vpc, network::Ipv4 address) {
  return AddressPrefix(vpc) + address.ToString();
}

std::string TokenKey(std::string_view client_token) {
  return "/vpc/tokens/" + std::string(client_token);
}

std::string TokenKey(std::string_view kind, std::string_view client_token) {
  return "/vpc/tokens-of/" + std::string(kind) + "/" + std::string(client_token);
}

std::string Encode(const Vpc& vpc) {
  return json::serialize(json::object{{"id", vpc.id.str()},
                                      {"cidr", vpc.cidr.ToString()},
                                      {"cidr_association", vpc.cidr_association},
                                      {"default", vpc.is_default},
                                      {"dns_support", vpc.dns_support},
                                      {"dns_hostnames", vpc.dns_hostnames},
                                      {"usage_metrics", vpc.usage_metrics},
                                      {"acl", vpc.acl.str()},
                                      {"route_table", vpc.route_table.str()},
                                      {"default_group", vpc.default_group.str()},
                                      {"internet_gateway", vpc.internet_gateway.str()},
                                      {"uses", vpc.uses},
                                      {"tags", TagsToJson(vpc.tags)}});
}

Result<> Decode(const json::object& document, Vpc& vpc) {
  vpc.id = IdFromJson<VpcId>(document, "id");
  TRY_ASSIGN(vpc.cidr, CidrFromJson(document));
  vpc.cidr_association = JsonString(document, "cidr_association");
  vpc.is_default = JsonBool(document, "default");
  vpc.dns_support = JsonBool(document, "dns_support", true);
  vpc.dns_hostnames = JsonBool(document, "dns_hostnames");
  vpc.usage_metrics = JsonBool(document, "usage_metrics");
  vpc.acl = IdFromJson<AclId>(document, "acl");
  vpc.route_table = IdFromJson<RouteTableId>(document, "route_table");
  vpc.default_group = IdFromJson<GroupId>(document, "default_group");
  vpc.internet_gateway = IdFromJson<InternetGatewayId>(document, "internet_gateway");
  vpc.uses = JsonInt(document, "uses");
  vpc.tags = TagsFromJson(document);
  return {};
}

std::string Encode(const Subnet& subnet) {
  return json::serialize(json::object{{"id", subnet.id.str()},
                                      {"vpc", subnet.vpc.str()},
                                      {"cidr", subnet.cidr.ToString()},
                                      {"zone", subnet.zone},
                                      {"zone_id", subnet.zone_id},
                                      {"default_for_zone", subnet.default_for_zone},
                                      {"map_public_ip", subnet.map_public_ip},
                                      {"acl_association", subnet.acl_association},
                                      {"route_table", subnet.route_table.str()},
                                      {"route_association", subnet.route_association},
                                      {"uses", subnet.uses},
                                      {"tags", TagsToJson(subnet.tags)}});
}

Result<> Decode(const json::object& document, Subnet& subnet) {
  subnet.id = IdFromJson<SubnetId>(document, "id");
  subnet.vpc = IdFromJson<VpcId>(document, "vpc");
  TRY_ASSIGN(subnet.cidr, CidrFromJson(document));
  subnet.zone = JsonString(document, "zone");
  subnet.zone_id = JsonString(document, "zone_id");
  subnet.default_for_zone = JsonBool(document, "default_for_zone");
  subnet.map_public_ip = JsonBool(document, "map_public_ip");
  subnet.acl_association = JsonString(document, "acl_association");
  subnet.route_table = IdFromJson<RouteTableId>(document, "route_table");
  subnet.route_association = JsonString(document, "route_association");
  subnet.uses = JsonInt(document, "uses");
  subnet.tags = TagsFromJson(document);
  return {};
}

std::string Encode(const SecurityGroup& group) {
  json::object document{{"id", group.id.str()},        {"vpc", group.vpc.str()},
                        {"name", group.name},          {"description", group.description},
                        {"default", group.is_default}, {"uses", group.uses},
                        {"rules", group.rules},        {"tags", TagsToJson(group.tags)}};
  if (group.rule_ids) {
    json::array ids;
    for (const RuleId& id : *group.rule_ids) ids.emplace_back(id.str());
    document["rule_ids"] = std::move(ids);
  }
  return json::serialize(document);
}

Result<> Decode(const json::object& document, SecurityGroup& group) {
  group.id = IdFromJson<GroupId>(document, "id");
  group.vpc = IdFromJson<VpcId>(document, "vpc");
  group.name = JsonString(document, "name");
  group.description = JsonString(document, "description");
  group.is_default = JsonBool(document, "default");
  group.uses = JsonInt(document, "uses");
  group.rules = JsonInt(document, "rules");
  group.rule_ids.reset();
  if (document.contains("rule_ids")) {
    group.rule_ids.emplace();
    for (std::string& id : JsonStrings(document, "rule_ids"))
      group.rule_ids->emplace_back(std::move(id));
  }
  group.tags = TagsFromJson(document);
  return {};
}

std::string Encode(const Rule& rule) {
  json::object document{{"id", rule.id.str()},
                        {"group", rule.group.str()},
                        {"egress", rule.direction == Direction::kEgress},
                        {"protocol", rule.protocol},
                        {"from_port", rule.from_port},
                        {"to_port", rule.to_port},
                        {"description", rule.description},
                        {"tags", TagsToJson(rule.tags)}};
  const char* peer = rule.cidr6 ? "cidr6" : "cidr";
  document[rule.source.empty() ? peer : "source"] = rule.Peer();
  return json::serialize(document);
}

Result<> Decode(const json::object& document, Rule& rule) {
  rule.id = IdFromJson<RuleId>(document, "id");
  rule.group = IdFromJson<GroupId>(document, "group");
  rule.direction = JsonBool(document, "egress") ? Direction::kEgress : Direction::kIngress;
  rule.protocol = JsonString(document, "protocol");
  rule.from_port = static_cast<int>(JsonInt(document, "from_port", -1));
  rule.to_port = static_cast<int>(JsonInt(document, "to_port", -1));
  rule.source = IdFromJson<GroupId>(document, "source");
  if (document.contains("cidr6")) {
    TRY_ASSIGN(rule.cidr6, network::Cidr6::Parse(JsonString(document, "cidr6")));
  } else if (rule.source.empty()) {
    TRY_ASSIGN(rule.cidr, CidrFromJson(document));
  }
  rule.description = JsonString(document, "description");
  rule.tags = TagsFromJson(document);
  return {};
}

std::string Encode(const Interface& interface) {
  json::array groups;
  for (const GroupId& group : interface.groups) groups.emplace_back(group.str());
  return json::serialize(json::object{{"id", interface.id.str()},
                                      {"vpc", interface.vpc.str()},
                                      {"subnet", interface.subnet.str()},
                                      {"zone", interface.zone},
                                      {"address", interface.address.ToString()},
                                      {"host_address", interface.host_address.ToString()},
                                      {"groups", std::move(groups)},
                                      {"description", interface.description},
                                      {"requester_managed", interface.requester_managed},
                                      {"requester_id", interface.requester_id},
                                      {"owner", interface.owner},
                                      {"owner_uid", interface.owner_uid},
                                      {"mac_address", interface.mac_address},
                                      {"client_token", interface.client_token},
                                      {"nat_gateway", interface.kind == InterfaceKind::kNatGateway},
                                      {"source_dest_check", interface.source_dest_check},
                                      {"public_address", interface.public_address.str()},
                                      {"created", ToMicros(interface.created)},
                                      {"tags", TagsToJson(interface.tags)}});
}

Result<> Decode(const json::object& document, Interface& interface) {
  interface.id = IdFromJson<InterfaceId>(document, "id");
  interface.vpc = IdFromJson<VpcId>(document, "vpc");
  interface.subnet = IdFromJson<SubnetId>(document, "subnet");
  interface.zone = JsonString(document, "zone");
  TRY_ASSIGN(interface.address, AddressFromJson(document, "address"));
  TRY_ASSIGN(interface.host_address, AddressFromJson(document, "host_address"));
  interface.groups.clear();
  for (std::string& group : JsonStrings(document, "groups"))
    interface.groups.emplace_back(std::move(group));
  interface.description = JsonString(document, "description");
  interface.requester_managed = JsonBool(document, "requester_managed");
  interface.requester_id = JsonString(document, "requester_id");
  interface.owner = JsonString(document, "owner");
  interface.owner_uid = static_cast<uid_t>(JsonInt(document, "owner_uid", -1));
  interface.mac_address = JsonString(document, "mac_address");
  interface.client_token = JsonString(document, "client_token");
  interface.kind =
      JsonBool(document, "nat_gateway") ? InterfaceKind::kNatGateway : InterfaceKind::kOrdinary;
  interface.source_dest_check = JsonBool(document, "source_dest_check", true);
  interface.public_address = IdFromJson<AllocationId>(document, "public_address");
  interface.created = FromMicros(JsonInt(document, "created"));
  interface.tags = TagsFromJson(document);
  return {};
}

}  // namespace howdah::vpc
