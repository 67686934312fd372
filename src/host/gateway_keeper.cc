#include "host/gateway_keeper.h"

#include <fmt/format.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>

#include "host/certificates.h"

namespace howdah::host {

namespace {

constexpr Duration kAnswerLimit = 5s;
constexpr Duration kSpawnLimit = 5s;
constexpr Duration kIdle = 2s;
constexpr Duration kRetry = 200ms;

gateway::RouteState StateOf(const nodes::Route& route, bool fit) {
  if (!route.open) return gateway::RouteState::kClosed;
  return fit ? gateway::RouteState::kOpen : gateway::RouteState::kHeld;
}

Result<network::AdmissionRule> ToRule(const nodes::Allow& allow) {
  network::AdmissionRule rule;
  rule.from_port = static_cast<std::uint16_t>(allow.from_port);
  rule.to_port = static_cast<std::uint16_t>(allow.to_port);
  if (!allow.group.empty()) {
    rule.source = network::GroupId{allow.group};
  } else {
    TRY_ASSIGN(rule.source, network::Cidr::Parse(allow.cidr));
  }
  return rule;
}

Result<network::Interface> ToInterface(const nodes::Member& member) {
  network::Interface interface{
      .id = member.id, .owner = static_cast<uid_t>(member.owner), .groups = member.groups};
  TRY_ASSIGN(interface.host_address, network::Ipv4::Parse(member.host_address));
  TRY_ASSIGN(interface.private_address, network::Ipv4::Parse(member.private_address));
  return interface;
}

}  // namespace

GatewayKeeper::GatewayKeeper(Options options, const Needs& needs)
    : options_(std::move(options)), needs_(needs) {}

GatewayKeeper::~GatewayKeeper() = default;

void GatewayKeeper::Start() {
  thread_ = std::jthread([this](std::stop_token stop) { Run(stop); });
}

void GatewayKeeper::Wake() {
  const std::lock_guard lock(mutex_);
  ++wanted_;
  changed_.notify_all();
}

Fitness GatewayKeeper::FitnessOf(const NodeId& primary) {
  const std::lock_guard lock(mutex_);
  const auto found = fit_.find(primary);
  return found == fit_.end() ? Fitness{} : found->second;
}

void GatewayKeeper::SetFit(const NodeId& primary, const Fitness& fitness) {
  std::unique_lock lock(mutex_);
  Fitness& known = fit_[primary];
  if (known == fitness) return;
  known = fitness;
  const std::int64_t mine = ++wanted_;
  changed_.notify_all();
  if (fitness.fit) return;
  // A gateway that cannot be reached is asked again with the whole table as soon as it can be.
  changed_.wait_for(lock, kAnswerLimit, [&] { return applied_ >= mine || !reachable_; });
}

gateway::Statistics GatewayKeeper::ReadStatistics() {
  std::unique_lock lock(mutex_);
  const std::int64_t before = statistics_count_;
  statistics_wanted_ = true;
  changed_.notify_all();
  changed_.wait_for(lock, 1s, [&] { return statistics_count_ != before || !reachable_; });
  return statistics_;
}

std::int64_t GatewayKeeper::Pid() {
  const std::lock_guard lock(mutex_);
  return pid_;
}

void GatewayKeeper::StopGateway() {
  thread_.request_stop();
  if (thread_.joinable()) thread_.join();
  if (pid_ == 0) return;
  const Result<system::ProcessIdentity> process =
      needs_.processes.Identify(static_cast<pid_t>(pid_));
  if (!process) return;
  if (Result<> sent = needs_.processes.Signal(*process, SIGTERM); !sent) return;
  if (!needs_.processes.AwaitExit(*process, kAnswerLimit)) {
    if (Result<> killed = needs_.processes.Signal(*process, SIGKILL); !killed) return;
    needs_.processes.AwaitExit(*process, kAnswerLimit);
  }
}

void GatewayKeeper::Run(std::stop_token stop) {
  std::string last_error;
  while (!stop.stop_requested()) {
    const Result<> done = PassOnce();
    if (!done && done.error().what() != last_error) {
      needs_.log.Warning("gateway: {}", done.error().what());
    }
    last_error = done ? "" : done.error().what();
    std::unique_lock lock(mutex_);
    reachable_ = done.has_value();
    if (!done) {
      client_.reset();
      changed_.notify_all();
      changed_.wait_for(lock, stop, kRetry, [] { return false; });
      continue;
    }
    changed_.wait_for(lock, stop, kIdle,
                      [this] { return wanted_ != applied_ || statistics_wanted_; });
  }
}

Result<> GatewayKeeper::PassOnce() {
  const bool fresh = !client_;
  TRY(EnsureConnected());
  std::int64_t wanted = 0;
  bool statistics_wanted = false;
  {
    const std::lock_guard lock(mutex_);
    wanted = wanted_;
    statistics_wanted = statistics_wanted_;
    statistics_wanted_ = false;
    if (!fresh && wanted == applied_ && !statistics_wanted) statistics_wanted = true;  // heartbeat
  }
  if (fresh || wanted != applied_) {
    TRY_ASSIGN(gateway::RouteTable table, BuildTable());
    table.version = wanted;
    TRY_ASSIGN(const gateway::ApplyAnswer answer, client_->Apply(table));
    TRY(Report(table, answer, broken_));
    const std::lock_guard lock(mutex_);
    applied_ = wanted;
    reachable_ = true;
    changed_.notify_all();
  }
  if (statistics_wanted) {
    TRY_ASSIGN(gateway::Statistics statistics, client_->ReadStatistics());
    const std::lock_guard lock(mutex_);
    statistics_ = std::move(statistics);
    ++statistics_count_;
    changed_.notify_all();
  }
  return {};
}

Result<> GatewayKeeper::EnsureConnected() {
  if (client_) return {};
  Result<gateway::RouteClient> client =
      gateway::RouteClient::Connect(needs_.layout.GatewaySocket(), kAnswerLimit);
  if (!client) {
    TRY(SpawnGateway());
    const MonotonicTime deadline = needs_.clock.Monotonic() + kSpawnLimit;
    while (!client && needs_.clock.Monotonic() < deadline) {
      std::unique_lock lock(mutex_);
      changed_.wait_for(lock, 10ms, [] { return false; });
      lock.unlock();
      client = gateway::RouteClient::Connect(needs_.layout.GatewaySocket(), kAnswerLimit);
    }
  }
  if (!client) return Fail(client.error().During("starting the gateway"));
  client_ = *std::move(client);
  const std::lock_guard lock(mutex_);
  pid_ = client_->gateway_pid();
  return {};
}

Result<> GatewayKeeper::SpawnGateway() {
  TRY(needs_.disk.MakeDirectories(needs_.layout.GatewayDirectory(), 0700));
  // One that lives but does not answer would keep the addresses: it goes first.
  {
    const std::lock_guard lock(mutex_);
    const auto old = pid_ == 0 ? Result<system::ProcessIdentity>(Fail(Code::kNotFound, ""))
                               : needs_.processes.Identify(static_cast<pid_t>(pid_));
    if (old) {
      TRY(needs_.processes.Signal(*old, SIGKILL));
      needs_.processes.AwaitExit(*old, kAnswerLimit);
    }
    pid_ = 0;
  }
  TRY_ASSIGN(const system::ProcessIdentity process,
             needs_.processes.Spawn(
                 {.argv = {options_.program, "gateway", "--control", needs_.layout.GatewaySocket()},
                  .env = {{"PATH", "/usr/bin:/bin"}, {"HOME", needs_.layout.home()}},
                  .output_path = needs_.layout.GatewayLog()}));
  needs_.log.Info("started the gateway, pid {}", process.pid);
  const std::lock_guard lock(mutex_);
  pid_ = process.pid;
  return {};
}

Result<gateway::RouteTable> GatewayKeeper::BuildTable() {
  gateway::RouteTable table;
  broken_.clear();
  TRY_ASSIGN(const store::Listing listing, needs_.store.List(nodes::kRoutesPrefix));
  for (const store::Document& document : listing.documents) {
    TRY_ASSIGN(const nodes::Route route, nodes::ParseRoute(document.value));
    Result<gateway::Route> made = ToGatewayRoute(route);
    if (made)
      table.routes.push_back(*std::move(made));
    else
      broken_[route.instance] = made.error().what();
  }
  TRY(RemoveStaleCertificates(table));
  return table;
}

Result<gateway::Route> GatewayKeeper::ToGatewayRoute(const nodes::Route& route) {
  const Fitness fitness = FitnessOf(route.primary);
  gateway::Route made{.instance = route.instance,
                      .name = route.identifier,
                      .port = static_cast<std::uint16_t>(route.port),
                      .backend_socket_dir = needs_.layout.SocketDirectory(route.primary),
                      .epoch = static_cast<std::uint64_t>(route.epoch),
                      .state = StateOf(route, fitness.fit),
                      .force_tls = route.force_tls,
                      .proof = options_.proof};
  TRY_ASSIGN(made.listen_address, network::Ipv4::Parse(route.host_address));
  TRY_ASSIGN(const CertificateFiles files,
             EnsureCertificate(needs_, needs_.layout.TlsDirectory(route.instance),
                               route.host_address, route.private_address));
  made.tls = {.certificate_file = files.certificate_file, .key_file = files.key_file};
  made.handover_socket = fitness.handover_socket;
  made.server_tls = fitness.server_tls;
  for (const nodes::Allow& allow : route.allow) {
    TRY_ASSIGN(network::AdmissionRule rule, ToRule(allow));
    made.allow.push_back(std::move(rule));
  }
  for (const nodes::Member& member : route.members) {
    TRY_ASSIGN(network::Interface interface, ToInterface(member));
    made.interfaces.push_back(std::move(interface));
  }
  return made;
}

// What belongs to no route any more. An instance that gets its endpoint back gets a new
// certificate.
Result<> GatewayKeeper::RemoveStaleCertificates(const gateway::RouteTable& table) {
  const Result<std::vector<std::string>> names = needs_.disk.List(needs_.layout.TlsRoot());
  if (!names && names.error().code() == Code::kNotFound) return {};
  if (!names) return Fail(names.error());
  for (const std::string& name : *names) {
    const InstanceId instance(name);
    const bool routed = broken_.contains(instance) ||
                        std::ranges::any_of(table.routes, [&](const gateway::Route& route) {
                          return route.instance == instance;
                        });
    if (!routed) TRY(needs_.disk.RemoveTree(needs_.layout.TlsDirectory(instance)));
  }
  return {};
}

Result<> GatewayKeeper::Report(const gateway::RouteTable& table, const gateway::ApplyAnswer& answer,
                               const std::map<InstanceId, std::string>& broken) {
  std::map<InstanceId, nodes::RouteObserved> reports;
  for (const gateway::Route& route : table.routes) {
    reports[route.instance] = {.address = route.listen_address.ToString(),
                               .port = route.port,
                               .epoch = static_cast<std::int64_t>(route.epoch),
                               .open = route.state == gateway::RouteState::kOpen};
  }
  TRY_ASSIGN(const store::Listing stored, needs_.store.List(nodes::kRoutesObservedPrefix));
  // A route that is refused leaves the former one in force, with its epoch.
  const auto refuse = [&](const InstanceId& instance, const std::string& why) {
    nodes::RouteObserved& report = reports[instance] = {};
    const auto former = std::ranges::find(stored.documents, nodes::RouteObservedKey(instance),
                                          &store::Document::key);
    if (former != stored.documents.end()) {
      report = nodes::ParseRouteObserved(former->value).value_or(nodes::RouteObserved{});
    }
    report.error = why;
  };
  for (const gateway::RouteError& error : answer.errors) refuse(error.instance, error.error);
  for (const auto& [instance, why] : broken) refuse(instance, why);

  store::Transaction transaction;
  std::map<std::string, std::string> known;
  for (const store::Document& document : stored.documents) known[document.key] = document.value;
  for (const auto& [instance, report] : reports) {
    const std::string key = nodes::RouteObservedKey(instance);
    const std::string text = nodes::Format(report);
    const auto found = known.find(key);
    if (found == known.end() || found->second != text) transaction.puts.push_back({key, text, ""});
    if (found != known.end()) known.erase(found);
  }
  for (const auto& [key, value] : known) transaction.deletes.push_back(key);
  if (transaction.puts.empty() && transaction.deletes.empty()) return {};
  TRY(needs_.store.Commit(transaction));
  return {};
}

}  // namespace howdah::host
