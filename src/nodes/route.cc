#include "nodes/route.h"

#include "base/json.h"

namespace howdah::nodes {

std::string Format(const Route& route) {
  json::array allow;
  for (const Allow& rule : route.allow) {
    allow.push_back(json::object{{"cidr", rule.cidr},
                                 {"group", rule.group},
                                 {"from_port", rule.from_port},
                                 {"to_port", rule.to_port}});
  }
  json::array members;
  for (const Member& member : route.members) {
    members.push_back(json::object{{"id", member.id},
                                   {"private_address", member.private_address},
                                   {"host_address", member.host_address},
                                   {"owner", member.owner},
                                   {"groups", ToJsonArray(member.groups)}});
  }
  return json::serialize(json::object{{"instance", route.instance.str()},
                                      {"identifier", route.identifier},
                                      {"host_address", route.host_address},
                                      {"private_address", route.private_address},
                                      {"port", route.port},
                                      {"primary", route.primary.str()},
                                      {"epoch", route.epoch},
                                      {"open", route.open},
                                      {"force_tls", route.force_tls},
                                      {"allow", allow},
                                      {"members", members}});
}

Result<Route> ParseRoute(std::string_view text) {
  TRY_ASSIGN(const json::object object, ParseJsonObject(text));
  Route route;
  route.instance = InstanceId(JsonString(object, "instance"));
  route.identifier = JsonString(object, "identifier");
  route.host_address = JsonString(object, "host_address");
  route.private_address = JsonString(object, "private_address");
  route.port = JsonInt(object, "port");
  route.primary = NodeId(JsonString(object, "primary"));
  route.epoch = JsonInt(object, "epoch");
  route.open = JsonBool(object, "open");
  route.force_tls = JsonBool(object, "force_tls");
  const json::value* allow = object.if_contains("allow");
  if (allow != nullptr && allow->is_array()) {
    for (const json::value& rule : allow->get_array()) {
      if (!rule.is_object()) return Fail(Code::kCorrupt, "route document: a rule is no object");
      route.allow.push_back({.cidr = JsonString(rule.get_object(), "cidr"),
                             .group = JsonString(rule.get_object(), "group"),
                             .from_port = JsonInt(rule.get_object(), "from_port"),
                             .to_port = JsonInt(rule.get_object(), "to_port", 65535)});
    }
  }
  const json::value* members = object.if_contains("members");
  if (members != nullptr && members->is_array()) {
    for (const json::value& value : members->get_array()) {
      if (!value.is_object()) return Fail(Code::kCorrupt, "route document: a member is no object");
      const json::object& member = value.get_object();
      route.members.push_back({.id = JsonString(member, "id"),
                               .private_address = JsonString(member, "private_address"),
                               .host_address = JsonString(member, "host_address"),
                               .owner = JsonInt(member, "owner"),
                               .groups = JsonStrings(member, "groups")});
    }
  }
  return route;
}

std::string RouteKey(const InstanceId& instance) {
  return "/routes/" + instance.str();
}

std::string Format(const RouteObserved& observed) {
  return json::serialize(json::object{{"address", observed.address},
                                      {"port", observed.port},
                                      {"epoch", observed.epoch},
                                      {"open", observed.open},
                                      {"error", observed.error}});
}

Result<RouteObserved> ParseRouteObserved(std::string_view text) {
  TRY_ASSIGN(const json::object object, ParseJsonObject(text));
  return RouteObserved{.address = JsonString(object, "address"),
                       .port = JsonInt(object, "port"),
                       .epoch = JsonInt(object, "epoch"),
                       .open = JsonBool(object, "open"),
                       .error = JsonString(object, "error")};
}

std::string RouteObservedKey(const InstanceId& instance) {
  return "/routes-observed/" + instance.str();
}

}  // namespace howdah::nodes
