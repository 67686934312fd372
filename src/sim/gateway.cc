#include "sim/gateway.h"

#include "nodes/route.h"

namespace howdah::sim {

namespace {

constexpr Duration kIdle = 2s;
constexpr std::string_view kDirectory = "/run/";

}  // namespace

MonotonicTime Gateway::SetFit(const NodeId& node, bool fit, MonotonicTime now) {
  const auto known = fit_.find(node);
  if (known != fit_.end() && known->second == fit) return now;
  fit_[node] = fit;
  Wake(now);
  return alive_ ? next_ : now;
}

void Gateway::ForgetKeeper() {
  fit_.clear();
  next_ = MonotonicTime{};
}

void Gateway::Kill(MonotonicTime back_at) {
  alive_ = false;
  back_at_ = back_at;
}

// One that was under way for long: nobody waits for its answer any more.
void Gateway::GiveOldTable() {
  if (!alive_ || !old_) return;
  [[maybe_unused]] const auto errors = book_.Apply(*old_);
  blind_.clear();
  for (const gateway::Route& route : old_->table.routes) blind_[route.instance] = route;
}

std::uint64_t Gateway::epoch() const {
  const auto& routes = mutant_ == Mutant::kGatewayForgetsEpochs ? blind_ : book_.routes();
  const auto route = routes.find(instance_);
  return route == routes.end() ? 0 : route->second.epoch;
}

std::optional<NodeId> Gateway::Leads() const {
  const auto& routes = mutant_ == Mutant::kGatewayForgetsEpochs ? blind_ : book_.routes();
  const auto route = routes.find(instance_);
  if (!alive_ || route == routes.end() || route->second.state != gateway::RouteState::kOpen)
    return std::nullopt;
  return NodeId(route->second.backend_socket_dir.substr(kDirectory.size()));
}

bool Gateway::Carries(const Session& session) const {
  if (!session.relayed) return true;  // its server has it
  return alive_ && session.gateway == life_ && session.epoch >= epoch();
}

Session Gateway::Open(const NodeId& node, std::int64_t incarnation, bool relayed) const {
  return {.node = node,
          .incarnation = incarnation,
          .epoch = epoch(),
          .gateway = life_,
          .relayed = relayed};
}

void Gateway::Pass(MonotonicTime now) {
  if (!alive_ && now >= back_at_) {
    alive_ = true;
    ++life_;
    book_ = gateway::RouteBook();
    if (!written_down_.empty()) {
      book_ = gateway::RouteBook::Parse(ParseJsonObject(written_down_).value()).value();
    }
    next_ = now;
  }
  if (!alive_ || now < next_) return;
  next_ = now + kIdle;
  if (const std::optional<gateway::ParsedTable> table = Build()) Apply(*table);
}

std::optional<gateway::ParsedTable> Gateway::Build() {
  gateway::ParsedTable table;
  const Result<store::Listing> routes = store_.List(nodes::kRoutesPrefix);
  if (!routes) return std::nullopt;
  for (const store::Document& document : routes->documents) {
    const nodes::Route route = nodes::ParseRoute(document.value).value();
    const auto fit = fit_.find(route.primary);
    const bool is_fit = fit != fit_.end() && fit->second;
    gateway::Route made{.instance = route.instance,
                        .name = route.identifier,
                        .listen_address = network::Ipv4::Parse(route.host_address).value(),
                        .port = static_cast<std::uint16_t>(route.port),
                        .backend_socket_dir = std::string(kDirectory) + route.primary.str(),
                        .epoch = static_cast<std::uint64_t>(route.epoch)};
    made.state = !route.open ? gateway::RouteState::kClosed
                 : is_fit    ? gateway::RouteState::kOpen
                             : gateway::RouteState::kHeld;
    table.table.routes.push_back(std::move(made));
  }
  return table;
}

void Gateway::Apply(const gateway::ParsedTable& table) {
  const std::vector<gateway::RouteError> errors = book_.Apply(table);
  written_down_ = json::serialize(book_.Format());
  blind_.clear();
  for (const gateway::Route& route : table.table.routes) blind_[route.instance] = route;
  // The last of an epoch that is over; one of the same epoch is not older.
  if (epoch() > last_epoch_) {
    if (last_epoch_ != 0) old_ = last_;
    last_epoch_ = epoch();
  }
  if (epoch() == last_epoch_) last_ = table;
  Report(table, errors);
}

void Gateway::Report(const gateway::ParsedTable& table,
                     const std::vector<gateway::RouteError>& errors) {
  std::map<std::string, std::string> reports;
  for (const gateway::Route& route : table.table.routes) {
    reports[nodes::RouteObservedKey(route.instance)] =
        nodes::Format(nodes::RouteObserved{.address = route.listen_address.ToString(),
                                           .port = route.port,
                                           .epoch = static_cast<std::int64_t>(route.epoch),
                                           .open = route.state == gateway::RouteState::kOpen});
  }
  for (const gateway::RouteError& error : errors) {
    reports[nodes::RouteObservedKey(error.instance)] =
        nodes::Format(nodes::RouteObserved{.error = error.error});
  }
  const Result<store::Listing> stored = store_.List(nodes::kRoutesObservedPrefix);
  if (!stored) return;
  store::Transaction transaction;
  for (const store::Document& document : stored->documents) {
    const auto report = reports.find(document.key);
    if (report == reports.end()) {
      transaction.deletes.push_back(document.key);
    } else if (report->second == document.value) {
      reports.erase(report);
    }
  }
  for (const auto& [key, text] : reports) transaction.puts.push_back({key, text, ""});
  if (transaction.puts.empty() && transaction.deletes.empty()) return;
  if (!store_.Commit(transaction)) next_ = {};
}

}  // namespace howdah::sim
