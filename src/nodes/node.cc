#include "nodes/node.h"

#include <fmt/format.h>

#include <array>
#include <utility>

#include "base/json.h"

namespace howdah::nodes {

namespace {

template <typename Enum, std::size_t N>
using Names = std::array<std::pair<Enum, std::string_view>, N>;

constexpr Names<Role, 4> kRoles = {{{Role::kPrimary, "primary"},
                                    {Role::kStandby, "standby"},
                                    {Role::kRecruit, "recruit"},
                                    {Role::kFenced, "fenced"}}};
constexpr Names<Power, 3> kPowers = {
    {{Power::kRunning, "running"}, {Power::kStopped, "stopped"}, {Power::kAbsent, "absent"}}};
constexpr Names<DataPath, 2> kDataPaths = {
    {{DataPath::kAuto, "auto"}, {DataPath::kRelay, "relay"}}};
constexpr Names<TlsPlace, 3> kTlsPlaces = {
    {{TlsPlace::kAuto, "auto"}, {TlsPlace::kServer, "server"}, {TlsPlace::kGateway, "gateway"}}};
constexpr Names<State, 9> kStates = {{{State::kUnknown, "unknown"},
                                      {State::kAbsent, "absent"},
                                      {State::kPreparing, "preparing"},
                                      {State::kStarting, "starting"},
                                      {State::kRunning, "running"},
                                      {State::kStopped, "stopped"},
                                      {State::kFailed, "failed"},
                                      {State::kDown, "down"},
                                      {State::kFenced, "fenced"}}};

template <typename Enum, std::size_t N>
std::string_view NameOf(const Names<Enum, N>& names, Enum value) {
  for (const auto& [known, name] : names) {
    if (known == value) return name;
  }
  return "unknown";
}

template <typename Enum, std::size_t N>
Result<Enum> ValueOf(const Names<Enum, N>& names, std::string_view name) {
  for (const auto& [value, known] : names) {
    if (known == name) return value;
  }
  return Fail(Code::kCorrupt, fmt::format("node document: unknown word '{}'", name));
}

}  // namespace

std::string_view RoleName(Role role) {
  return NameOf(kRoles, role);
}
std::string_view StateName(State state) {
  return NameOf(kStates, state);
}

std::string_view PowerName(Power power) {
  return NameOf(kPowers, power);
}
Result<Power> ParsePower(std::string_view name) {
  return ValueOf(kPowers, name);
}

Result<DataPath> ParseDataPath(std::string_view name) {
  return ValueOf(kDataPaths, name);
}
Result<TlsPlace> ParseTlsPlace(std::string_view name) {
  return ValueOf(kTlsPlaces, name);
}

namespace {

json::object FormatEndpoint(const Endpoint& endpoint) {
  return {{"host_address", endpoint.host_address},
          {"private_address", endpoint.private_address},
          {"force_tls", endpoint.force_tls},
          {"data_path", NameOf(kDataPaths, endpoint.data_path)},
          {"tls", NameOf(kTlsPlaces, endpoint.tls)}};
}

// Nodes of an earlier version have none: they are relayed to until the control plane says more.
Result<Endpoint> ParseEndpoint(const json::object& object) {
  Endpoint endpoint{.host_address = JsonString(object, "host_address"),
                    .private_address = JsonString(object, "private_address"),
                    .force_tls = JsonBool(object, "force_tls")};
  if (object.empty()) return endpoint;
  TRY_ASSIGN(endpoint.data_path, ParseDataPath(JsonString(object, "data_path")));
  TRY_ASSIGN(endpoint.tls, ParseTlsPlace(JsonString(object, "tls")));
  return endpoint;
}

}  // namespace

std::string Format(const Desired& desired) {
  json::object settings;
  for (const auto& [name, value] : desired.settings) settings[name] = value;
  const json::object bootstrap{{"stamp", desired.bootstrap.stamp},
                               {"master_user", desired.bootstrap.master_user},
                               {"master_verifier", desired.bootstrap.master_verifier},
                               {"database", desired.bootstrap.database}};
  return json::serialize(json::object{{"id", desired.id.str()},
                                      {"instance", desired.instance.str()},
                                      {"zone", desired.zone},
                                      {"version", desired.version},
                                      {"role", NameOf(kRoles, desired.role)},
                                      {"power", NameOf(kPowers, desired.power)},
                                      {"epoch", desired.epoch},
                                      {"primary", desired.primary.str()},
                                      {"token", desired.token},
                                      {"waits_for", desired.waits_for},
                                      {"storage_gib", desired.storage_gib},
                                      {"read_only", desired.read_only},
                                      {"settings", settings},
                                      {"restarts", desired.restarts},
                                      {"revive", desired.revive},
                                      {"checkpoint", desired.checkpoint},
                                      {"bootstrap", bootstrap},
                                      {"endpoint", FormatEndpoint(desired.endpoint)},
                                      {"sealed_password", desired.sealed_password}});
}

Result<Desired> ParseDesired(std::string_view text) {
  TRY_ASSIGN(const json::object object, ParseJsonObject(text));
  Desired desired;
  desired.id = NodeId(JsonString(object, "id"));
  desired.instance = InstanceId(JsonString(object, "instance"));
  desired.zone = JsonString(object, "zone");
  desired.version = JsonString(object, "version");
  TRY_ASSIGN(desired.role, ValueOf(kRoles, JsonString(object, "role")));
  TRY_ASSIGN(desired.power, ValueOf(kPowers, JsonString(object, "power")));
  desired.epoch = JsonInt(object, "epoch", 1);
  desired.primary = NodeId(JsonString(object, "primary"));
  desired.token = JsonString(object, "token");
  desired.waits_for = JsonString(object, "waits_for");
  desired.storage_gib = JsonInt(object, "storage_gib", 20);
  desired.read_only = JsonBool(object, "read_only");
  for (const auto& [name, value] : JsonObject(object, "settings")) {
    if (value.is_string()) desired.settings[std::string(name)] = std::string(value.get_string());
  }
  desired.restarts = JsonInt(object, "restarts");
  desired.revive = JsonInt(object, "revive");
  desired.checkpoint = JsonInt(object, "checkpoint");
  const json::object bootstrap = JsonObject(object, "bootstrap");
  desired.bootstrap = {.stamp = JsonInt(bootstrap, "stamp"),
                       .master_user = JsonString(bootstrap, "master_user"),
                       .master_verifier = JsonString(bootstrap, "master_verifier"),
                       .database = JsonString(bootstrap, "database")};
  TRY_ASSIGN(desired.endpoint, ParseEndpoint(JsonObject(object, "endpoint")));
  desired.sealed_password = JsonString(object, "sealed_password");
  return desired;
}

std::string Format(const Observed& observed) {
  return json::serialize(json::object{{"state", NameOf(kStates, observed.state)},
                                      {"detail", observed.detail},
                                      {"pid", observed.pid},
                                      {"seeded", observed.seeded},
                                      {"in_recovery", observed.in_recovery},
                                      {"effective_token", observed.effective_token},
                                      {"connects_as", observed.connects_as},
                                      {"streaming_token", observed.streaming_token},
                                      {"silent_ms", observed.silent_ms},
                                      {"proven_token", observed.proven_token},
                                      {"restarts", observed.restarts},
                                      {"bootstrap_stamp", observed.bootstrap_stamp},
                                      {"settings_hash", observed.settings_hash},
                                      {"starts", observed.starts},
                                      {"epoch", observed.epoch},
                                      {"revive", observed.revive},
                                      {"checkpoint", observed.checkpoint},
                                      {"unresponsive", observed.unresponsive},
                                      {"unresponsive_ms", observed.unresponsive_ms},
                                      {"recruited", observed.recruited},
                                      {"received_lsn", observed.received_lsn},
                                      {"replayed_lsn", observed.replayed_lsn},
                                      {"shutdown_lsn", observed.shutdown_lsn},
                                      {"timeline", observed.timeline},
                                      {"rejoined", observed.rejoined},
                                      {"set_aside_bytes", observed.set_aside_bytes},
                                      {"data_path", observed.data_path},
                                      {"tls", observed.tls},
                                      {"commit_guard", observed.commit_guard},
                                      {"storage", ToJson(observed.storage)}});
}

Result<Observed> ParseObserved(std::string_view text) {
  TRY_ASSIGN(const json::object object, ParseJsonObject(text));
  Observed observed;
  TRY_ASSIGN(observed.state, ValueOf(kStates, JsonString(object, "state")));
  observed.detail = JsonString(object, "detail");
  observed.pid = JsonInt(object, "pid");
  observed.seeded = JsonBool(object, "seeded");
  observed.in_recovery = JsonBool(object, "in_recovery");
  observed.effective_token = JsonString(object, "effective_token");
  observed.connects_as = JsonString(object, "connects_as");
  observed.streaming_token = JsonString(object, "streaming_token");
  observed.silent_ms = JsonInt(object, "silent_ms");
  observed.proven_token = JsonString(object, "proven_token");
  observed.restarts = JsonInt(object, "restarts");
  observed.bootstrap_stamp = JsonInt(object, "bootstrap_stamp");
  observed.settings_hash = JsonString(object, "settings_hash");
  observed.starts = JsonInt(object, "starts");
  observed.epoch = JsonInt(object, "epoch");
  observed.revive = JsonInt(object, "revive");
  observed.checkpoint = JsonInt(object, "checkpoint");
  observed.unresponsive = JsonString(object, "unresponsive");
  observed.unresponsive_ms = JsonInt(object, "unresponsive_ms");
  observed.recruited = JsonBool(object, "recruited");
  observed.received_lsn = JsonInt(object, "received_lsn");
  observed.replayed_lsn = JsonInt(object, "replayed_lsn");
  observed.shutdown_lsn = JsonInt(object, "shutdown_lsn");
  observed.timeline = JsonInt(object, "timeline");
  observed.rejoined = JsonString(object, "rejoined");
  observed.set_aside_bytes = JsonInt(object, "set_aside_bytes");
  observed.data_path = JsonString(object, "data_path");
  observed.tls = JsonString(object, "tls");
  observed.commit_guard = JsonString(object, "commit_guard");
  TRY_ASSIGN(observed.storage, StorageFromJson(JsonObject(object, "storage")));
  return observed;
}

std::string HashOf(const std::map<std::string, std::string>& settings) {
  // FNV-1a: only to see a difference, never to trust.
  std::uint64_t hash = 14695981039346656037ULL;
  const auto mix = [&hash](std::string_view text) {
    for (const char c : text) {
      hash ^= static_cast<unsigned char>(c);
      hash *= 1099511628211ULL;
    }
    hash ^= 0xff;
    hash *= 1099511628211ULL;
  };
  for (const auto& [name, value] : settings) {
    mix(name);
    mix(value);
  }
  return fmt::format("{:016x}", hash);
}

std::string DesiredKey(const NodeId& node) {
  return fmt::format("/nodes/{}/desired", node.str());
}
std::string ObservedKey(const NodeId& node) {
  return fmt::format("/nodes/{}/observed", node.str());
}

}  // namespace howdah::nodes
