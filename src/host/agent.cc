#include "host/agent.h"

#include <algorithm>
#include <vector>

namespace howdah::host {

namespace {

constexpr Duration kWatchSlice = 200ms;  // how long a stop may have to wait
constexpr Duration kStopLimit = 60s;

// "/nodes/<id>/desired" to <id>; empty for other keys.
std::string NodeOfDesiredKey(std::string_view key) {
  constexpr std::string_view kSuffix = "/desired";
  if (!key.starts_with(nodes::kNodesPrefix) || !key.ends_with(kSuffix)) return "";
  key.remove_prefix(nodes::kNodesPrefix.size());
  key.remove_suffix(kSuffix.size());
  return std::string(key);
}

}  // namespace

Agent::Agent(GatewayKeeper::Options gateway, const Needs& needs)
    : needs_(needs), gateway_(std::move(gateway), needs), backups_(needs) {}

Agent::~Agent() {
  thread_.request_stop();
  if (thread_.joinable()) thread_.join();
  keepers_.clear();
}

void Agent::Start() {
  gateway_.Start();
  backups_.Start();
  thread_ = std::jthread([this](std::stop_token stop) { Run(stop); });
}

void Agent::Run(std::stop_token stop) {
  while (!stop.stop_requested()) {
    if (Result<> done = Follow(stop); !done) {
      needs_.log.Warning("agent: {}; looking at everything again", done.error().what());
    }
  }
}

// Every node that should be here has a keeper. Returns the revision of this look.
Result<store::Revision> Agent::KeepAll() {
  TRY_ASSIGN(const store::Listing listing, needs_.store.List(nodes::kNodesPrefix));
  const std::lock_guard lock(mutex_);
  std::erase_if(keepers_, [](const auto& keeper) { return keeper.second->IsFinished(); });
  for (const store::Document& document : listing.documents) {
    const NodeId node(NodeOfDesiredKey(document.key));
    if (node.empty()) continue;
    std::unique_ptr<NodeKeeper>& keeper = keepers_[node];
    if (keeper) continue;
    keeper = std::make_unique<NodeKeeper>(
        node, needs_,
        [this](const NodeId& id, const Fitness& fitness) { gateway_.SetFit(id, fitness); });
    keeper->Start();
  }
  return listing.revision;
}

std::map<InstanceId, std::int64_t> Agent::CountSessions() {
  std::map<InstanceId, std::int64_t> counts;
  const std::lock_guard lock(mutex_);
  for (const auto& [node, keeper] : keepers_) {
    const auto [instance, sessions] = keeper->Sessions();
    if (!instance.empty()) counts[instance] = sessions;
  }
  return counts;
}

Result<> Agent::Follow(std::stop_token stop) {
  TRY_ASSIGN(const store::Revision revision, KeepAll());
  gateway_.Wake();
  backups_.Wake();
  TRY_ASSIGN(const std::unique_ptr<store::Watch> watch, needs_.store.WatchFrom("/", revision + 1));
  while (!stop.stop_requested()) {
    TRY_ASSIGN(const std::vector<store::Change> changes, watch->Next(kWatchSlice));
    bool routes = false;
    bool nodes = false;
    bool backups = false;
    for (const store::Change& change : changes) {
      routes = routes || change.key.starts_with(nodes::kRoutesPrefix);
      backups = backups || change.key.starts_with(nodes::kBackupTasksPrefix);
      const NodeId node(NodeOfDesiredKey(change.key));
      if (node.empty()) continue;
      nodes = true;
      const std::lock_guard lock(mutex_);
      if (const auto keeper = keepers_.find(node); keeper != keepers_.end()) {
        if (change.value) {
          keeper->second->Wake(*change.value);
        } else {
          keeper->second->Wake();
        }
      }
    }
    if (nodes) TRY(KeepAll());
    if (routes) gateway_.Wake();
    if (backups) backups_.Wake();
  }
  return {};
}

Result<> Agent::StopEverything() {
  thread_.request_stop();
  if (thread_.joinable()) thread_.join();
  {
    const std::lock_guard lock(mutex_);
    keepers_.clear();  // joins every keeper: nothing starts a server any more
  }
  backups_.Stop();
  gateway_.StopGateway();
  TRY_ASSIGN(const store::Listing listing, needs_.store.List(nodes::kNodesPrefix));
  std::vector<nodes::Desired> all;
  for (const store::Document& document : listing.documents) {
    if (NodeOfDesiredKey(document.key).empty()) continue;
    TRY_ASSIGN(nodes::Desired desired, nodes::ParseDesired(document.value));
    all.push_back(std::move(desired));
  }
  std::ranges::sort(all, {}, [](const nodes::Desired& desired) {
    return desired.role == nodes::Role::kPrimary ? 0 : 1;
  });
  for (const nodes::Desired& desired : all) {
    postgres::Node node(needs_.layout.NodeAt(desired.zone, desired.id), postgres::Engine{}, "",
                        {.disk = needs_.disk,
                         .processes = needs_.processes,
                         .clock = needs_.clock,
                         .log = needs_.log});
    TRY(node.Stop(postgres::StopMode::kFast, kStopLimit));
  }
  return {};
}

}  // namespace howdah::host
