#include "host/node_keeper.h"

#include <fmt/format.h>

#include <algorithm>

#include "postgres/base_backup.h"
#include "postgres/config.h"
#include "postgres/extensions.h"
#include "postgres/parameters.h"

namespace howdah::host {

namespace {

constexpr Duration kInitdbLimit = 120s;
constexpr Duration kStopLimit = 60s;
constexpr Duration kFenceLimit = 20s;
constexpr Duration kAdminLimit = 3s;
constexpr Duration kQuick = 50ms;      // something is about to become true
constexpr Duration kWatchful = 300ms;  // a primary with a standby
constexpr Duration kCalm = 2s;         // nothing is expected; the server's end wakes us anyway
constexpr Duration kAsleep = 30s;      // a stopped node: only a wish wakes it, and looking costs
constexpr int kStartsBeforeFailed = 5;

Duration BackOff(int failed) {
  return std::min<Duration>(Duration(250ms) * (1 << std::min(failed, 6)), 10s);
}

// What an earlier keeper of this node reported.
nodes::Observed LastReport(store::Store& store, const NodeId& node) {
  const Result<store::Document> stored = store.Get(nodes::ObservedKey(node));
  if (!stored) return {};
  return nodes::ParseObserved(stored->value).value_or(nodes::Observed{});
}

}  // namespace

NodeKeeper::NodeKeeper(NodeId id, const Needs& needs, SetFit set_fit)
    : id_(std::move(id)),
      needs_(needs),
      set_fit_(std::move(set_fit)),
      observed_(LastReport(needs.store, id_)),
      published_(nodes::Format(observed_)),
      storage_({.disk = needs.disk, .clock = needs.clock, .on_change = [this] { Wake(); }},
               observed_.storage) {}

// A copy under way is given up; the next keeper begins it anew.
NodeKeeper::~NodeKeeper() {
  stopping_ = true;
}

void NodeKeeper::Start() {
  storage_.Start();
  watcher_ = std::jthread([this](std::stop_token stop) { RunWatcher(stop); });
  thread_ = std::jthread([this](std::stop_token stop) { Run(stop); });
}

void NodeKeeper::Wake() {
  const std::lock_guard lock(mutex_);
  woken_ = true;
  changed_.notify_all();
}

bool NodeKeeper::IsFinished() const {
  const std::lock_guard lock(mutex_);
  return finished_;
}

std::pair<InstanceId, std::int64_t> NodeKeeper::Sessions() const {
  const std::lock_guard lock(mutex_);
  return {primary_of_, sessions_};
}

void NodeKeeper::Run(std::stop_token stop) {
  while (!stop.stop_requested() && !IsFinished()) {
    const Duration again = Pass();
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, stop, again, [this] { return woken_; });
    woken_ = false;
  }
}

// Turns the end of the server's process into a wake-up: a dead server is seen at once.
void NodeKeeper::RunWatcher(std::stop_token stop) {
  while (!stop.stop_requested()) {
    std::optional<system::ProcessIdentity> server;
    {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, stop, [this] { return watched_.has_value(); });
      server = watched_;
    }
    if (!server || !needs_.processes.AwaitExit(*server, 500ms)) continue;
    const std::lock_guard lock(mutex_);
    if (watched_ == server) watched_.reset();
    woken_ = true;
    changed_.notify_all();
  }
}

void NodeKeeper::WatchServer(std::optional<system::ProcessIdentity> server) {
  const std::lock_guard lock(mutex_);
  if (watched_ == server) return;
  watched_ = server;
  changed_.notify_all();
}

void NodeKeeper::Publish() {
  const std::string text = nodes::Format(observed_);
  if (text == published_) return;
  const Result<store::Revision> committed = needs_.store.Commit(
      {.compares = {}, .puts = {{nodes::ObservedKey(id_), text, ""}}, .deletes = {}});
  if (committed)
    published_ = text;
  else
    needs_.log.Warning("node {}: cannot report: {}", id_.str(), committed.error().what());
}

void NodeKeeper::Fit(bool fit) {
  Fitness fitness = path_;
  fitness.fit = fit;
  if (fitness == fit_ && adopted_) return;
  fit_ = fitness;
  set_fit_(id_, fitness);
}

Duration NodeKeeper::Pass() {
  const Result<store::Document> document = needs_.store.Get(nodes::DesiredKey(id_));
  if (!document) {
    const bool gone = document.error().code() == Code::kNotFound;
    if (gone) {
      const std::lock_guard lock(mutex_);
      finished_ = true;
    }
    return kCalm;
  }
  const Result<nodes::Desired> want = nodes::ParseDesired(document->value);
  if (!want) {
    needs_.log.Error("node {}: {}", id_.str(), want.error().what());
    return kCalm;
  }
  {
    const std::lock_guard lock(mutex_);
    primary_of_ = want->role == nodes::Role::kPrimary ? want->instance : InstanceId();
  }
  const Result<Duration> again = Pursue(*want);
  if (!again) NoteFailure(*want, again.error());
  adopted_ = true;
  Publish();
  return again ? *again : Duration(kWatchful);
}

void NodeKeeper::NoteFailure(const nodes::Desired& want, const Error& error) {
  // A peer that is not there yet, or a time-out, is waited for; the rest is for a person to know.
  const bool passing = error.code() == Code::kUnavailable || error.code() == Code::kTimeout ||
                       error.code() == Code::kConflict;
  if (observed_.detail != error.what()) {
    needs_.log.Warning("node {} ({}): {}", id_.str(), nodes::RoleName(want.role), error.what());
  }
  observed_.detail = error.what();
  if (!passing) observed_.state = nodes::State::kFailed;
}

Result<postgres::Node> NodeKeeper::MakeNode(const nodes::Desired& want) {
  if (password_.empty()) {
    TRY_ASSIGN(password_, needs_.keyring.Open(want.sealed_password, want.instance.str()));
  }
  postgres::Engine engine;
  if (want.power == nodes::Power::kRunning) {
    TRY_ASSIGN(const std::vector<postgres::Engine> engines, needs_.engines());
    TRY_ASSIGN(engine, postgres::FindEngine(engines, want.version));
  }
  postgres::NodePaths paths = needs_.layout.NodeAt(want.zone, id_);
  paths.handover_library = needs_.handover_library;
  return postgres::Node(std::move(paths), engine, password_,
                        {.disk = needs_.disk,
                         .processes = needs_.processes,
                         .clock = needs_.clock,
                         .log = needs_.log});
}

Result<Duration> NodeKeeper::Pursue(const nodes::Desired& want) {
  TRY_ASSIGN(postgres::Node node, MakeNode(want));
  switch (want.power) {
    case nodes::Power::kAbsent:
      return PursueAbsent(node);
    case nodes::Power::kStopped:
      return PursueStopped(node);
    case nodes::Power::kRunning:
      return PursueRunning(want, node);
  }
  return kCalm;
}

Result<Duration> NodeKeeper::PursueAbsent(postgres::Node& node) {
  if (observed_.state == nodes::State::kAbsent) return kCalm;
  storage_.Rest();
  Fit(false);
  admin_.reset();
  WatchServer(std::nullopt);
  TRY(node.Fence(kFenceLimit));
  TRY(node.Remove());
  TRY(needs_.disk.RemoveTree(node.paths().socket_dir));
  observed_ = {.state = nodes::State::kAbsent};
  return kCalm;
}

Result<Duration> NodeKeeper::PursueStopped(postgres::Node& node) {
  storage_.Rest();
  Fit(false);
  admin_.reset();
  WatchServer(std::nullopt);
  // Finding out that nothing runs means reading all of /proc: with many stopped nodes, not often.
  const bool was_stopped = adopted_ && observed_.state == nodes::State::kStopped;
  TRY(node.Stop(postgres::StopMode::kFast, kStopLimit));
  sessions_ = 0;
  observed_.state = nodes::State::kStopped;
  observed_.detail.clear();
  observed_.pid = 0;
  observed_.streaming_token.clear();
  observed_.proven_token.clear();
  return was_stopped ? kAsleep : kCalm;
}

Result<bool> NodeKeeper::Seed(const nodes::Desired& want, postgres::Node& node) {
  TRY_ASSIGN(const bool initialized, node.IsInitialized());
  if (initialized) {
    observed_.seeded = true;
    return true;
  }
  // H16: a data directory that was there once is never replaced by an empty one. A copy can be made
  // again, once nothing rests on it.
  TRY_ASSIGN(const bool dispensable, PrimaryDoesWithoutUs(want));
  if (observed_.seeded && !dispensable) {
    return Fail(Code::kCorrupt, fmt::format("the data directory {} is gone; nothing new is put in "
                                            "its place. Restore it, or delete the DB instance",
                                            node.paths().Data()));
  }
  TRY(RequireRoomToSeed(want));
  observed_.state = nodes::State::kPreparing;
  observed_.detail = want.role == nodes::Role::kPrimary ? "initdb" : "copying from the primary";
  Publish();
  if (want.role == nodes::Role::kPrimary) {
    TRY(node.Initialize(kInitdbLimit));
  } else {
    TRY(CopyFromPrimary(want, node));
  }
  observed_.seeded = true;
  return true;
}

Result<> NodeKeeper::CopyFromPrimary(const nodes::Desired& want, postgres::Node& node) {
  const postgres::BaseBackupOptions options{
      .socket_dir = needs_.layout.SocketDirectory(want.primary),
      .password = password_,
      .slot_name = SlotOf(id_),
      .on_progress = [this](std::uint64_t, std::uint64_t) {
        return !stopping_ && !storage_.Report().TakesNoWrites();
      }};
  const Result<postgres::BaseBackupOutcome> copied =
      postgres::TakeBaseBackup(node.paths(), options, needs_.disk, needs_.clock);
  // Half a copy is worth nothing, and may be what fills the disk.
  if (!copied && !stopping_) TRY(needs_.disk.RemoveTree(node.paths().NewData()));
  TRY_ASSIGN(const postgres::BaseBackupOutcome outcome, copied);
  needs_.log.Info("node {}: copied {} bytes from {}", id_.str(), outcome.bytes, want.primary.str());
  return {};
}

namespace {

// Where TLS must be and the gateway ends it, no client of a handed over socket may come in.
postgres::TcpClients TcpClientsOf(const nodes::Endpoint& endpoint, bool handover, bool tls) {
  if (!handover) return postgres::TcpClients::kNone;
  if (!endpoint.force_tls) return postgres::TcpClients::kAny;
  return tls ? postgres::TcpClients::kOnlyTls : postgres::TcpClients::kNone;
}

// From the first copy on: long before anybody may rest on the standby.
bool EnforcesCommits(const nodes::Desired& want) {
  const auto allowed = want.settings.find(std::string(postgres::kAllowAsyncCommit));
  return !want.token.empty() && (allowed == want.settings.end() || allowed->second != "1");
}

}  // namespace

Result<bool> NodeKeeper::Configure(const nodes::Desired& want, postgres::Node& node, bool running) {
  TRY_ASSIGN(const bool statements,
             postgres::HasLibrary(needs_.disk, node.engine(), "pg_stat_statements"));
  const postgres::Settings user(want.settings.begin(), want.settings.end());
  TRY_ASSIGN(const auto tls, PrepareTls(want, node));
  const bool handover = !node.paths().handover_library.empty();
  const Result<std::string> guard = CommitGuard(node.engine());
  const postgres::Settings settings = postgres::Overlay(
      user, postgres::ForcedSettings({.major = node.engine().version.major,
                                      .socket_dir = node.paths().socket_dir,
                                      .handover_dir = handover ? node.paths().HandoverDir() : "",
                                      .tls = tls,
                                      .log_dir = node.paths().LogDir(),
                                      .cluster_name = id_.str(),
                                      .storage_gib = static_cast<std::uint64_t>(want.storage_gib),
                                      .has_pg_stat_statements = statements,
                                      .commit_guard = guard.value_or(""),
                                      .enforce_synchronous_commit = EnforcesCommits(want),
                                      .read_only = IsReadOnly(want)}));
  TRY_ASSIGN(const std::string config, postgres::RenderConfig(settings));
  TRY_ASSIGN(bool changed, node.WriteConfiguration(config, postgres::RenderHba(TcpClientsOf(
                                                               want.endpoint, handover, !!tls))));
  changed = changed || std::exchange(certificate_is_new_, false);
  if (want.role == nodes::Role::kStandby) {
    TRY_ASSIGN(const bool source,
               node.ConfigureStandby({.socket_dir = needs_.layout.SocketDirectory(want.primary),
                                      .application_name = want.token,
                                      .slot_name = SlotOf(id_),
                                      .password = password_}));
    observed_.connects_as = want.token;
    changed = changed || source;
  } else if (!running) {
    TRY(node.ConfigurePrimary());
    observed_.connects_as.clear();
  }
  return changed;
}

Result<Duration> NodeKeeper::StartServer(const nodes::Desired& want, postgres::Node& node) {
  if (needs_.clock.Monotonic() < not_before_) return kWatchful;
  admin_.reset();
  sessions_ = 0;
  observed_.state = nodes::State::kStarting;
  observed_.streaming_token.clear();
  observed_.silent_ms = 0;
  observed_.proven_token.clear();
  observed_.effective_token.clear();
  observed_.pid = 0;
  Publish();
  needs_proof_ = want.role == nodes::Role::kPrimary && !want.waits_for.empty();
  Fit(false);  // before the server can answer anybody
  ++failed_starts_;
  not_before_ = needs_.clock.Monotonic() + BackOff(failed_starts_);
  TRY_ASSIGN(const system::ProcessIdentity server, node.Start());
  ++observed_.starts;
  observed_.pid = server.pid;
  observed_.restarts = want.restarts;
  WatchServer(server);
  needs_.log.Info("node {}: started PostgreSQL {} as {}, pid {}", id_.str(), want.version,
                  nodes::RoleName(want.role), server.pid);
  return kQuick;
}

Result<Duration> NodeKeeper::PursueRunning(const nodes::Desired& want, postgres::Node& node) {
  TRY(needs_.disk.MakeDirectories(node.paths().root, 0700));
  TRY(needs_.disk.MakeDirectories(node.paths().socket_dir, 0700));
  MeasureStorage(want, node);
  TRY(Seed(want, node));
  TRY_ASSIGN(std::optional<system::ProcessIdentity> server, node.FindPostmaster());
  if (server && !adopted_ && server->pid != observed_.pid) needs_proof_ = !want.waits_for.empty();
  if (server && want.restarts > observed_.restarts) {
    Fit(false);
    admin_.reset();
    TRY(node.Stop(postgres::StopMode::kFast, kStopLimit));
    failed_starts_ = 0;
    not_before_ = {};
    server.reset();
  }
  TRY_ASSIGN(const bool held, HoldForStorage(node, server.has_value()));
  if (held) return kWatchful;
  TRY_ASSIGN(const bool changed, Configure(want, node, server.has_value()));
  if (!server) {
    if (failed_starts_ >= kStartsBeforeFailed) {
      TRY_ASSIGN(const bool dispensable, PrimaryDoesWithoutUs(want));
      if (dispensable) {
        TRY(Reseed(want, node, "its server ends again and again"));
        return kQuick;
      }
      const Result<> why = node.AwaitReady(Duration(1));
      observed_.state = nodes::State::kFailed;
      observed_.detail = why ? "the server ends again and again" : why.error().what();
      Publish();
    }
    return StartServer(want, node);
  }
  observed_.pid = server->pid;
  WatchServer(server);
  if (changed) TRY(node.Reload());

  if (!admin_ || admin_->IsBroken()) {
    admin_.reset();
    const Result<bool> ready = node.SaysReady();
    if (!ready || !*ready) {
      observed_.state = nodes::State::kStarting;
      observed_.detail = "the server is starting";
      return kQuick;
    }
    Result<postgres::Connection> connection = node.Connect(kAdminLimit);
    if (!connection) {
      observed_.state = nodes::State::kStarting;
      observed_.detail = connection.error().what();
      return connection.error().code() == Code::kUnavailable ? kQuick : kWatchful;
    }
    admin_ = *std::move(connection);
  }
  TRY_ASSIGN(const postgres::Observation seen, LookInside(want));
  if (want.role == nodes::Role::kStandby) {
    TRY_ASSIGN(const bool lost, HasLostItsPlace(want, seen));
    if (lost) {
      TRY(Reseed(want, node, "the primary no longer has the WAL that it needs"));
      return kQuick;
    }
  }
  if (want.role == nodes::Role::kPrimary && !observed_.in_recovery) {
    TRY(Bootstrap(want));
    TRY(FollowSynchronousStandby(want, node));
    TRY(Prove(want, node));
    TRY(DropAbandonedSlots());
    TRY(EndWriters(want));
  }
  observed_.state = nodes::State::kRunning;
  observed_.detail.clear();
  observed_.settings_hash = nodes::HashOf(want.settings);
  failed_starts_ = 0;
  not_before_ = {};
  if (want.waits_for.empty() || observed_.proven_token == want.waits_for) needs_proof_ = false;
  ProveDataPath(want, node, *server);
  LookForGuard(node, *server);
  Fit(want.role == nodes::Role::kPrimary && !observed_.in_recovery && !needs_proof_);

  const bool unproven = !want.waits_for.empty() && observed_.proven_token != want.waits_for;
  if (unproven) return kQuick;
  if (IsReadOnly(want)) return kWatchful;
  return want.token.empty() ? kCalm : kWatchful;  // an identity: there is a standby to look out for
}

}  // namespace howdah::host
