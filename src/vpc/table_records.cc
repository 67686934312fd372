// The JSON forms of network ACLs and route tables.
#include <boost/json.hpp>

#include "vpc/records.h"

namespace howdah::vpc {
namespace {

json::object ToJson(const AclEntry& entry) {
  return {{"number", entry.number}, {"egress", entry.egress},       {"protocol", entry.protocol},
          {"range", entry.range},   {"from_port", entry.from_port}, {"to_port", entry.to_port}};
}

AclEntry EntryFromJson(const json::object& document) {
  AclEntry entry;
  entry.number = static_cast<int>(JsonInt(document, "number"));
  entry.egress = JsonBool(document, "egress");
  entry.protocol = JsonString(document, "protocol");
  entry.range = JsonString(document, "range");
  entry.from_port = static_cast<int>(JsonInt(document, "from_port", -1));
  entry.to_port = static_cast<int>(JsonInt(document, "to_port", -1));
  return entry;
}

// The objects of an array; nullopt where an older version wrote none.
std::optional<std::vector<json::object>> Objects(const json::object& document,
                                                 std::string_view name) {
  const json::value* member = document.if_contains(name);
  if (member == nullptr || !member->is_array()) return std::nullopt;
  std::vector<json::object> objects;
  for (const json::value& item : member->get_array())
    if (item.is_object()) objects.push_back(item.get_object());
  return objects;
}

}  // namespace

std::string Encode(const NetworkAcl& acl) {
  json::array entries;
  for (const AclEntry& entry : acl.entries) entries.emplace_back(ToJson(entry));
  return json::serialize(json::object{{"id", acl.id.str()},
                                      {"vpc", acl.vpc.str()},
                                      {"entries", std::move(entries)},
                                      {"tags", TagsToJson(acl.tags)}});
}

Result<> Decode(const json::object& document, NetworkAcl& acl) {
  acl.id = AclId(JsonString(document, "id"));
  acl.vpc = VpcId(JsonString(document, "vpc"));
  if (const auto entries = Objects(document, "entries")) {
    acl.entries.clear();
    for (const json::object& entry : *entries) acl.entries.push_back(EntryFromJson(entry));
  }
  acl.tags = TagsFromJson(document);
  return {};
}

std::string Encode(const RouteTable& table) {
  json::array routes;
  for (const Route& route : table.routes)
    routes.emplace_back(json::object{{"destination", route.destination}, {"target", route.target}});
  return json::serialize(json::object{{"id", table.id.str()},
                                      {"vpc", table.vpc.str()},
                                      {"association", table.association},
                                      {"routes", std::move(routes)},
                                      {"uses", table.uses},
                                      {"client_token", table.client_token},
                                      {"tags", TagsToJson(table.tags)}});
}

Result<> Decode(const json::object& document, RouteTable& table) {
  table.id = RouteTableId(JsonString(document, "id"));
  table.vpc = VpcId(JsonString(document, "vpc"));
  table.association = JsonString(document, "association");
  table.routes.clear();
  if (const auto routes = Objects(document, "routes")) {
    for (const json::object& route : *routes)
      table.routes.push_back({JsonString(route, "destination"), JsonString(route, "target")});
  }
  table.uses = JsonInt(document, "uses");
  table.client_token = JsonString(document, "client_token");
  table.tags = TagsFromJson(document);
  return {};
}

}  // namespace howdah::vpc
