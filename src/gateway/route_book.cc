// The rule of epochs; see route_book.h.
#include "gateway/route_book.h"

#include <fmt/format.h>

#include <algorithm>

namespace howdah::gateway {

std::vector<RouteError> RouteBook::Apply(const ParsedTable& parsed) {
  std::vector<RouteError> errors = parsed.errors;
  std::map<InstanceId, Route> next;
  for (const Route& route : parsed.table.routes) {
    if (auto why = Refuse(route, next)) {
      errors.push_back({route.instance, *std::move(why)});
    } else {
      Remember(route);
      next[route.instance] = route;
    }
  }
  for (const RouteError& error : errors) {
    const auto before = routes_.find(error.instance);
    if (before != routes_.end()) next.insert(*before);
  }
  routes_ = std::move(next);
  return errors;
}

std::optional<std::string> RouteBook::Refuse(const Route& route,
                                             const std::map<InstanceId, Route>& next) {
  if (next.contains(route.instance)) return "the table names this instance twice";
  const bool taken = std::ranges::any_of(next, [&](const auto& other) {
    return other.second.listen_address == route.listen_address && other.second.port == route.port;
  });
  if (taken)
    return fmt::format("{}:{} belongs to another instance of the table",
                       route.listen_address.ToString(), route.port);
  const auto fence = fences_.find(route.instance);
  if (fence == fences_.end()) return std::nullopt;
  const auto& [epoch, opened_backend, opened_handover] = fence->second;
  if (route.epoch < epoch)
    return fmt::format("epoch {} is older than {}, which was here already", route.epoch, epoch);
  const bool another_backend = !opened_backend.empty() && route.BackendPath() != opened_backend;
  // Handover may come and go within an epoch, but not lead to another server.
  const bool another_handover = !opened_handover.empty() && !route.handover_socket.empty() &&
                                route.handover_socket != opened_handover;
  if (route.epoch == epoch && route.state == RouteState::kOpen &&
      (another_backend || another_handover))
    return fmt::format("epoch {} was open already with another primary", epoch);
  return std::nullopt;
}

void RouteBook::Remember(const Route& route) {
  Fence& fence = fences_[route.instance];
  if (route.epoch > fence.epoch) fence = {route.epoch, "", ""};
  if (route.state != RouteState::kOpen) return;
  fence.opened_backend = route.BackendPath();
  if (!route.handover_socket.empty()) fence.opened_handover = route.handover_socket;
}

}  // namespace howdah::gateway
