// Where connections to an instance's endpoint go, and who may make them. Derived by the control
// plane from instance, high-availability record and security groups; pushed to the gateway by the
// host agent, which also keeps it while the control plane is away.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/ids.h"
#include "base/result.h"

namespace howdah::nodes {

// One way in: a range of source addresses, or the members of a security group.
struct Allow {
  std::string cidr;
  std::string group;
  std::int64_t from_port = 0;
  std::int64_t to_port = 65535;
  bool operator==(const Allow&) const = default;
};

// A network interface that belongs to an allowed group, or lies in an allowed range.
struct Member {
  std::string id;
  std::string private_address;
  std::string host_address;
  std::int64_t owner = 0;  // the user to whom the interface was given
  std::vector<std::string> groups;
  bool operator==(const Member&) const = default;
};

struct Route {
  InstanceId instance;
  std::string identifier;    // the DB instance identifier, for messages
  std::string host_address;  // where the gateway listens
  std::string private_address;
  std::int64_t port = 5432;
  NodeId primary;
  std::int64_t epoch = 1;
  bool open = false;  // closed: refuses with "not available"; open: the host's agent still holds
                      // connections while the primary is not fit to answer (H4)
  bool force_tls = false;
  std::vector<Allow> allow;
  std::vector<Member> members;
  bool operator==(const Route&) const = default;
};

std::string Format(const Route& route);
Result<Route> ParseRoute(std::string_view text);

inline constexpr std::string_view kRoutesPrefix = "/routes/";
std::string RouteKey(const InstanceId& instance);

// What the gateway has made of it: "/routes-observed/<instance>".
struct RouteObserved {
  std::string address;  // where it listens now; empty: nowhere
  std::int64_t port = 0;
  std::int64_t epoch = 0;
  bool open = false;
  std::string error;  // why the route is not as it should be; the rest is of the last that was
  bool operator==(const RouteObserved&) const = default;
};
std::string Format(const RouteObserved& observed);
Result<RouteObserved> ParseRouteObserved(std::string_view text);
inline constexpr std::string_view kRoutesObservedPrefix = "/routes-observed/";
std::string RouteObservedKey(const InstanceId& instance);

}  // namespace howdah::nodes
