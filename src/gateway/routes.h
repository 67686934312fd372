// Routes: what the gateway listens on, whom it admits, where it leads, and in which epoch. The form
// on the wire is docs/formats/gateway-routes.md; a route that is not exactly right is an error and
// never half understood, because what it leaves out could be a restriction.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/ids.h"
#include "base/json.h"
#include "network/admission.h"

namespace howdah::gateway {

enum class RouteState { kOpen, kHeld, kClosed };

struct TlsFiles {
  std::string certificate_file;
  std::string key_file;  // 0600
  auto operator<=>(const TlsFiles&) const = default;
};

inline constexpr int kDefaultMaxConnections = 5000;

struct Route {
  InstanceId instance;
  std::string name;  // for people
  network::Ipv4 listen_address;
  std::uint16_t port = 5432;
  std::string backend_socket_dir;
  std::uint16_t backend_port = 5432;
  // Where the primary takes over clients' own sockets (handover.h); empty: relay only.
  std::string handover_socket;
  bool server_tls = false;  // PostgreSQL ends TLS itself, for sockets that it took over
  std::uint64_t epoch = 0;
  RouteState state = RouteState::kClosed;
  std::optional<TlsFiles> tls;
  bool force_tls = false;
  network::Proof proof = network::Proof::kAddressAndOwner;
  int max_connections = kDefaultMaxConnections;
  std::vector<network::AdmissionRule> allow;
  std::vector<network::Interface> interfaces;
  bool operator==(const Route&) const = default;

  // TLS is left to PostgreSQL: only with the client's own socket can it do that.
  bool TlsInServer() const { return server_tls && !handover_socket.empty(); }
  // PostgreSQL's name for its Unix socket.
  std::string BackendPath() const;
};

struct RouteTable {
  std::int64_t version = 0;
  std::vector<Route> routes;
};

struct RouteError {
  InstanceId instance;
  std::string error;
  bool operator==(const RouteError&) const = default;
};

// A table as read, with the routes that could not be read.
struct ParsedTable {
  RouteTable table;
  std::vector<RouteError> errors;
};

struct ApplyAnswer {
  std::int64_t applied = 0;
  std::vector<RouteError> errors;
};

struct RouteStatistics {
  std::int64_t open = 0;         // connections that the gateway holds now
  std::int64_t accepted = 0;     // since the gateway started
  std::int64_t refused = 0;      // by security groups or the connection limit, since the start
  std::int64_t held = 0;         // waiting now
  std::int64_t handed_over = 0;  // whose socket went to PostgreSQL, since the gateway started
  bool operator==(const RouteStatistics&) const = default;
};
using Statistics = std::map<InstanceId, RouteStatistics>;

json::object FormatRouteTable(const RouteTable& table);
Result<ParsedTable> ParseRouteTable(const json::object& message);
json::object FormatAnswer(const ApplyAnswer& answer);
Result<ApplyAnswer> ParseAnswer(const json::object& message);
json::object FormatStatistics(const Statistics& statistics);
Result<Statistics> ParseStatistics(const json::object& message);

}  // namespace howdah::gateway
