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
  ForgetLongGone();
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
  const auto& [epoch, opened_backend, opened_handover, gone] = fence->second;
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
  if (route.epoch > fence.epoch) fence = {.epoch = route.epoch};
  if (route.state != RouteState::kOpen) return;
  fence.opened_backend = route.BackendPath();
  if (!route.handover_socket.empty()) fence.opened_handover = route.handover_socket;
}

void RouteBook::ForgetLongGone() {
  ++tables_;
  std::map<std::uint64_t, std::vector<InstanceId>> gone;
  std::size_t count = 0;
  for (auto& [instance, fence] : fences_) {
    if (routes_.contains(instance)) {
      fence.gone = 0;
      continue;
    }
    if (fence.gone == 0) fence.gone = tables_;
    gone[fence.gone].push_back(instance);
    ++count;
  }
  for (const auto& [since, instances] : gone) {
    for (const InstanceId& instance : instances)
      if (count > kMaxGone) count -= fences_.erase(instance);
  }
}

json::object RouteBook::Format() const {
  json::array epochs;
  for (const auto& [instance, fence] : fences_)
    epochs.push_back({{"instance", instance.str()},
                      {"epoch", fence.epoch},
                      {"backend", fence.opened_backend},
                      {"handover", fence.opened_handover}});
  return {{"epochs", std::move(epochs)}};
}

Result<RouteBook> RouteBook::Parse(const json::object& epochs) {
  RouteBook book;
  const auto* list = epochs.if_contains("epochs");
  if (list == nullptr || !list->is_array()) return Fail(Code::kInvalid, "'epochs' is no list");
  for (const json::value& value : list->as_array()) {
    if (!value.is_object()) return Fail(Code::kInvalid, "an entry of 'epochs' is no object");
    const json::object& entry = value.as_object();
    const std::string instance = JsonString(entry, "instance");
    const std::int64_t epoch = JsonInt(entry, "epoch", -1);
    if (instance.empty() || epoch < 0)
      return Fail(Code::kInvalid, "an entry of 'epochs' has no instance or no epoch");
    book.fences_[InstanceId(instance)] = {.epoch = static_cast<std::uint64_t>(epoch),
                                          .opened_backend = JsonString(entry, "backend"),
                                          .opened_handover = JsonString(entry, "handover")};
  }
  return book;
}

}  // namespace howdah::gateway
