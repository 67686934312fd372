// The codec of routes, answers and statistics; see routes.h.
#include "gateway/routes.h"

#include <fmt/format.h>
#include <sys/un.h>

#include <array>
#include <limits>

namespace howdah::gateway {
namespace {

constexpr std::array<std::pair<RouteState, std::string_view>, 3> kStates{
    {{RouteState::kOpen, "open"}, {RouteState::kHeld, "held"}, {RouteState::kClosed, "closed"}}};

Error Bad(std::string_view member) {
  return Error(Code::kInvalid, fmt::format("'{}' is missing or wrong", member));
}

Result<std::string> Text(const json::object& object, std::string_view name) {
  const auto* value = object.if_contains(name);
  if (value == nullptr || !value->is_string() || value->as_string().empty()) return Fail(Bad(name));
  return std::string(value->as_string());
}

Result<std::int64_t> Number(const json::object& object, std::string_view name, std::int64_t min,
                            std::int64_t max, std::optional<std::int64_t> fallback = {}) {
  const auto* value = object.if_contains(name);
  if (value == nullptr && fallback) return *fallback;
  if (value == nullptr || !value->is_int64()) return Fail(Bad(name));
  const std::int64_t number = value->as_int64();
  if (number < min || number > max) return Fail(Bad(name));
  return number;
}

Result<std::uint16_t> Port(const json::object& object, std::string_view name, std::int64_t min,
                           std::optional<std::int64_t> fallback = {}) {
  TRY_ASSIGN(const std::int64_t port, Number(object, name, min, 65535, fallback));
  return static_cast<std::uint16_t>(port);
}

Result<bool> Flag(const json::object& object, std::string_view name, bool fallback) {
  const auto* value = object.if_contains(name);
  if (value == nullptr) return fallback;
  if (!value->is_bool()) return Fail(Bad(name));
  return value->as_bool();
}

// Reads an array of objects, each with `read`.
template <typename T, typename Read>
Result<std::vector<T>> Objects(const json::object& object, std::string_view name, Read read) {
  const auto* value = object.if_contains(name);
  if (value == nullptr || !value->is_array()) return Fail(Bad(name));
  std::vector<T> result;
  for (const json::value& element : value->as_array()) {
    if (!element.is_object()) return Fail(Bad(name));
    auto item = read(element.as_object());
    if (!item) return Fail(item.error().During(name));
    result.push_back(*std::move(item));
  }
  return result;
}

Result<network::Ipv4> Address(const json::object& object, std::string_view name) {
  TRY_ASSIGN(const std::string text, Text(object, name));
  return network::Ipv4::Parse(text);
}

Result<network::AdmissionRule> ParseRule(const json::object& object) {
  network::AdmissionRule rule;
  if (object.contains("cidr") == object.contains("group")) return Fail(Bad("cidr or group"));
  if (object.contains("cidr")) {
    TRY_ASSIGN(const std::string text, Text(object, "cidr"));
    TRY_ASSIGN(rule.source, network::Cidr::Parse(text));
  } else {
    TRY_ASSIGN(std::string id, Text(object, "group"));
    rule.source = network::GroupId{std::move(id)};
  }
  TRY_ASSIGN(rule.from_port, Port(object, "from_port", 0));
  TRY_ASSIGN(rule.to_port, Port(object, "to_port", rule.from_port));
  return rule;
}

Result<network::Interface> ParseInterface(const json::object& object) {
  network::Interface result;
  TRY_ASSIGN(result.id, Text(object, "id"));
  TRY_ASSIGN(result.host_address, Address(object, "host_address"));
  TRY_ASSIGN(result.private_address, Address(object, "private_address"));
  TRY_ASSIGN(const std::int64_t owner,
             Number(object, "owner", 0, std::numeric_limits<uid_t>::max() - 1));
  result.owner = static_cast<uid_t>(owner);
  const auto* groups = object.if_contains("groups");
  if (groups == nullptr || !groups->is_array()) return Fail(Bad("groups"));
  result.groups = JsonStrings(object, "groups");
  if (result.groups.size() != groups->as_array().size()) return Fail(Bad("groups"));
  return result;
}

Result<RouteState> ParseState(const json::object& object) {
  TRY_ASSIGN(const std::string text, Text(object, "state"));
  for (const auto& [state, name] : kStates)
    if (name == text) return state;
  return Fail(Bad("state"));
}

Result<network::Proof> ParseProof(const json::object& object) {
  if (!object.contains("proof")) return network::Proof::kAddressAndOwner;
  TRY_ASSIGN(const std::string text, Text(object, "proof"));
  if (text == "owner") return network::Proof::kAddressAndOwner;
  if (text == "address") return network::Proof::kAddress;
  return Fail(Bad("proof"));
}

Result<std::optional<TlsFiles>> ParseTls(const json::object& object) {
  const auto* value = object.if_contains("tls");
  if (value == nullptr || value->is_null()) return std::nullopt;
  if (!value->is_object()) return Fail(Bad("tls"));
  TlsFiles files;
  TRY_ASSIGN(files.certificate_file, Text(value->as_object(), "certificate_file"));
  TRY_ASSIGN(files.key_file, Text(value->as_object(), "key_file"));
  return files;
}

// Empty or absent: there is none.
Result<void> ParseHandover(const json::object& object, Route& route) {
  const auto* value = object.if_contains("handover_socket");
  if (value != nullptr && !value->is_string()) return Fail(Bad("handover_socket"));
  route.handover_socket = JsonString(object, "handover_socket");
  if (route.handover_socket.size() >= sizeof(sockaddr_un::sun_path))
    return Fail(Code::kInvalid, "'handover_socket' is too long for the name of a Unix socket");
  TRY_ASSIGN(route.server_tls, Flag(object, "server_tls", false));
  return {};
}

Result<void> ParsePlace(const json::object& object, Route& route) {
  TRY_ASSIGN(route.listen_address, Address(object, "listen_address"));
  if (route.listen_address == network::Ipv4()) return Fail(Bad("listen_address"));
  TRY_ASSIGN(route.port, Port(object, "port", 1));
  TRY_ASSIGN(route.backend_socket_dir, Text(object, "backend_socket_dir"));
  TRY_ASSIGN(route.backend_port, Port(object, "backend_port", 1, 5432));
  if (route.BackendPath().size() >= sizeof(sockaddr_un::sun_path))
    return Fail(Code::kInvalid, "'backend_socket_dir' is too long for the name of a Unix socket");
  return ParseHandover(object, route);
}

Result<Route> ParseRoute(const json::object& object) {
  Route route;
  TRY_ASSIGN(std::string instance, Text(object, "instance"));
  route.instance = InstanceId(std::move(instance));
  route.name = JsonString(object, "name", route.instance.str());
  TRY(ParsePlace(object, route));
  TRY_ASSIGN(const std::int64_t epoch,
             Number(object, "epoch", 0, std::numeric_limits<std::int64_t>::max()));
  route.epoch = static_cast<std::uint64_t>(epoch);
  TRY_ASSIGN(route.state, ParseState(object));
  TRY_ASSIGN(route.tls, ParseTls(object));
  TRY_ASSIGN(route.force_tls, Flag(object, "force_tls", false));
  TRY_ASSIGN(route.proof, ParseProof(object));
  TRY_ASSIGN(const std::int64_t limit,
             Number(object, "max_connections", 1, 1'000'000, kDefaultMaxConnections));
  route.max_connections = static_cast<int>(limit);
  TRY_ASSIGN(route.allow, Objects<network::AdmissionRule>(object, "allow", ParseRule));
  TRY_ASSIGN(route.interfaces, Objects<network::Interface>(object, "interfaces", ParseInterface));
  return route;
}

json::object FormatRule(const network::AdmissionRule& rule) {
  json::object object{{"from_port", rule.from_port}, {"to_port", rule.to_port}};
  if (const auto* block = std::get_if<network::Cidr>(&rule.source))
    object["cidr"] = block->ToString();
  else
    object["group"] = std::get<network::GroupId>(rule.source).id;
  return object;
}

json::object FormatInterface(const network::Interface& interface) {
  return {{"id", interface.id},
          {"host_address", interface.host_address.ToString()},
          {"private_address", interface.private_address.ToString()},
          {"owner", interface.owner},
          {"groups", ToJsonArray(interface.groups)}};
}

std::string_view StateName(RouteState state) {
  for (const auto& [known, name] : kStates)
    if (known == state) return name;
  return "closed";
}

json::object FormatRoute(const Route& route) {
  json::object object{{"instance", route.instance.str()},
                      {"name", route.name},
                      {"listen_address", route.listen_address.ToString()},
                      {"port", route.port},
                      {"backend_socket_dir", route.backend_socket_dir},
                      {"backend_port", route.backend_port},
                      {"server_tls", route.server_tls},
                      {"epoch", static_cast<std::int64_t>(route.epoch)},
                      {"state", StateName(route.state)},
                      {"force_tls", route.force_tls},
                      {"proof", route.proof == network::Proof::kAddress ? "address" : "owner"},
                      {"max_connections", route.max_connections}};
  if (!route.handover_socket.empty()) object["handover_socket"] = route.handover_socket;
  if (route.tls)
    object["tls"] = {{"certificate_file", route.tls->certificate_file},
                     {"key_file", route.tls->key_file}};
  json::array allow, interfaces;
  for (const auto& rule : route.allow) allow.push_back(FormatRule(rule));
  for (const auto& interface : route.interfaces) interfaces.push_back(FormatInterface(interface));
  object["allow"] = std::move(allow);
  object["interfaces"] = std::move(interfaces);
  return object;
}

}  // namespace

std::string Route::BackendPath() const {
  return fmt::format("{}/.s.PGSQL.{}", backend_socket_dir, backend_port);
}

json::object FormatRouteTable(const RouteTable& table) {
  json::array routes;
  for (const Route& route : table.routes) routes.push_back(FormatRoute(route));
  return {{"version", table.version}, {"routes", std::move(routes)}};
}

Result<ParsedTable> ParseRouteTable(const json::object& message) {
  ParsedTable parsed;
  TRY_ASSIGN(parsed.table.version, Number(message, "version", 0, INT64_MAX));
  const auto* routes = message.if_contains("routes");
  if (routes == nullptr || !routes->is_array()) return Fail(Bad("routes"));
  for (const json::value& element : routes->as_array()) {
    if (!element.is_object()) return Fail(Bad("routes"));
    // Without its name we could not tell which route to leave alone.
    TRY_ASSIGN(std::string instance, Text(element.as_object(), "instance"));
    if (auto route = ParseRoute(element.as_object()))
      parsed.table.routes.push_back(*std::move(route));
    else
      parsed.errors.push_back({InstanceId(std::move(instance)), route.error().what()});
  }
  return parsed;
}

json::object FormatAnswer(const ApplyAnswer& answer) {
  json::array errors;
  for (const RouteError& error : answer.errors)
    errors.push_back({{"instance", error.instance.str()}, {"error", error.error}});
  return {{"applied", answer.applied}, {"errors", std::move(errors)}};
}

Result<ApplyAnswer> ParseAnswer(const json::object& message) {
  if (message.contains("error"))
    return Fail(Code::kInvalid, "the gateway refused the table: " + JsonString(message, "error"));
  ApplyAnswer answer;
  TRY_ASSIGN(answer.applied, Number(message, "applied", 0, INT64_MAX));
  TRY_ASSIGN(
      answer.errors,
      Objects<RouteError>(message, "errors", [](const json::object& object) -> Result<RouteError> {
        TRY_ASSIGN(std::string instance, Text(object, "instance"));
        return RouteError{InstanceId(std::move(instance)), JsonString(object, "error")};
      }));
  return answer;
}

json::object FormatStatistics(const Statistics& statistics) {
  json::object all;
  for (const auto& [instance, counts] : statistics)
    all[instance.str()] = {{"open", counts.open},
                           {"accepted", counts.accepted},
                           {"refused", counts.refused},
                           {"held", counts.held},
                           {"handed_over", counts.handed_over}};
  return {{"statistics", std::move(all)}};
}

Result<Statistics> ParseStatistics(const json::object& message) {
  if (!message.contains("statistics")) return Fail(Bad("statistics"));
  Statistics statistics;
  for (const auto& member : JsonObject(message, "statistics")) {
    if (!member.value().is_object()) return Fail(Bad("statistics"));
    const json::object& counts = member.value().as_object();
    statistics[InstanceId(std::string(member.key()))] = {
        JsonInt(counts, "open"), JsonInt(counts, "accepted"), JsonInt(counts, "refused"),
        JsonInt(counts, "held"), JsonInt(counts, "handed_over")};
  }
  return statistics;
}

}  // namespace howdah::gateway
