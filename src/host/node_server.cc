// The keeper and its server: makes the data directory, configures, starts, and keeps a primary or a
// standby that runs. What it looks at inside is in node_inside.cc.
#include <fmt/format.h>

#include <algorithm>

#include "host/node_keeper.h"
#include "postgres/base_backup.h"
#include "postgres/config.h"
#include "postgres/extensions.h"
#include "postgres/parameters.h"

namespace howdah::host {

namespace {

constexpr Duration kInitdbLimit = 120s;
constexpr Duration kAdminLimit = 1s;
constexpr Duration kPoll = 5ms;        // a promotion is under way: every moment counts
constexpr Duration kQuick = 50ms;      // something is about to become true
constexpr Duration kWatchful = 300ms;  // a primary with a standby
constexpr Duration kCalm = 2s;         // nothing is expected; the server's end wakes us anyway
constexpr int kStartsBeforeFailed = 5;

Duration BackOff(int failed) {
  return std::min<Duration>(Duration(250ms) * (1 << std::min(failed, 6)), 10s);
}

}  // namespace

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
    if (observed_.seeded) observed_.rejoined = "copy";
  }
  observed_.seeded = true;
  return true;
}

Result<> NodeKeeper::CopyFromPrimary(const nodes::Desired& want, postgres::Node& node) {
  copying_ = "copying from the primary";
  const Result<postgres::BaseBackupOutcome> copied =
      postgres::TakeBaseBackup(node.paths(), CopyOptions(want), needs_.disk, needs_.clock);
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
  const std::string hba = restoring_
                              ? postgres::RenderRecoveryHba()
                              : postgres::RenderHba(TcpClientsOf(want.endpoint, handover, !!tls));
  TRY_ASSIGN(bool changed, node.WriteConfiguration(config, hba));
  changed = std::exchange(certificate_is_new_, false) || changed;
  if (want.role == nodes::Role::kStandby) {
    TRY_ASSIGN(const bool source,
               node.ConfigureStandby({.socket_dir = needs_.layout.SocketDirectory(want.primary),
                                      .application_name = want.token,
                                      .slot_name = SlotOf(id_),
                                      .password = password_}));
    observed_.connects_as = want.token;
    changed = changed || source;
  } else if (want.role == nodes::Role::kPrimary && !running) {
    TRY(node.ConfigurePrimary());
    observed_.connects_as.clear();
  }
  return changed;
}

NodeKeeper::Again NodeKeeper::StartInPlace(const nodes::Desired& want, postgres::Node& node) {
  TRY_ASSIGN(const bool held, HoldForStorage(node, false));
  if (held) return kWatchful;
  TRY(Configure(want, node, false));
  if (failed_starts_ >= kStartsBeforeFailed) {
    TRY_ASSIGN(const bool dispensable, PrimaryDoesWithoutUs(want));
    if (dispensable) {
      TRY(Reseed(want, node, "its server ends again and again"));
      return std::nullopt;
    }
    const std::string why = node.LastWords();
    observed_.state = nodes::State::kFailed;
    observed_.detail = why.empty() ? "the server ends again and again" : why;
    Publish();
  }
  return StartServer(want, node);
}

NodeKeeper::Again NodeKeeper::StartServer(const nodes::Desired& want, postgres::Node& node) {
  if (needs_.clock.Monotonic() < not_before_) return kWatchful;
  ForgetServer();
  observed_.state = nodes::State::kStarting;
  observed_.shutdown_lsn = 0;
  Publish();
  needs_proof_ = want.role == nodes::Role::kPrimary && !want.waits_for.empty();
  Fit(false);  // before the server can answer anybody
  ++failed_starts_;
  not_before_ = needs_.clock.Monotonic() + BackOff(failed_starts_);
  TRY_ASSIGN(const system::ProcessIdentity server, node.Start());
  ++observed_.starts;
  observed_.pid = server.pid;
  observed_.restarts = want.restarts;
  observed_.revive = std::max(observed_.revive, want.revive);
  server_ = server;
  WatchServer(server);
  needs_.log.Info("node {}: started PostgreSQL {} as {}, pid {}", id_.str(), want.version,
                  nodes::RoleName(want.role), server.pid);
  return kQuick;
}

Result<bool> NodeKeeper::EnsureAdmin(postgres::Node& node) {
  if (admin_ && !admin_->IsBroken()) return true;
  admin_.reset();
  const Result<bool> ready = node.SaysReady();
  if (!ready || !*ready) return false;
  Result<postgres::Connection> connection = node.Connect(kAdminLimit);
  if (!connection) {
    observed_.detail = connection.error().what();
    return false;
  }
  admin_ = *std::move(connection);
  answered_ = true;
  return true;
}

// The server runs, and cannot be asked: it starts, it ends a recovery, or it is frozen.
NodeKeeper::Again NodeKeeper::Await(const nodes::Desired& want, postgres::Node& node,
                                    const Facts& facts) {
  TRY_ASSIGN(const bool held, HoldForStorage(node, true));
  if (held) return kWatchful;
  if (facts.server == Server::kStarting) {
    if (!answered_) {
      observed_.state = nodes::State::kStarting;
      observed_.detail = "the server is starting";
    }
    // The configuration may be what keeps it from answering.
    if (facts.directory != Directory::kStandby || want.role == nodes::Role::kStandby) {
      TRY(Reconfigure(want, node));
    }
  }
  const bool is_recruit =
      facts.directory == Directory::kStandby && want.role != nodes::Role::kStandby;
  return facts.promoting || is_recruit ? kPoll : kQuick;
}

Result<> NodeKeeper::Reconfigure(const nodes::Desired& want, postgres::Node& node) {
  TRY_ASSIGN(const bool changed, Configure(want, node, true));
  if (changed) TRY(node.Reload());
  return {};
}

NodeKeeper::Again NodeKeeper::Serve(const nodes::Desired& want, postgres::Node& node) {
  if (promoting_) TRY(NotePromotion(want, node));
  TRY_ASSIGN(const bool held, HoldForStorage(node, true));
  if (held) return kWatchful;
  TRY(Reconfigure(want, node));
  if (want.waits_for.empty()) {
    pulse_.Rest();
  } else {
    pulse_.Follow(*server_, node.AdminOptions());
  }
  if (!adopted_ && observed_.proven_token != want.waits_for) needs_proof_ = true;
  TRY(Bootstrap(want));
  TRY(FollowSynchronousStandby(want, node));
  TRY(Prove(want, node));
  TRY(DropAbandonedSlots());
  TRY(archive_.FollowPrimary(want, password_, *admin_));
  observed_.archived = archive_.Report(observed_.archived);
  TRY(EndWriters(want));
  FollowCheckpoints(want, node);
  NoteRunning(want);
  if (want.waits_for.empty() || observed_.proven_token == want.waits_for) needs_proof_ = false;
  ProveDataPath(want, node, *server_);
  LookForGuard(node, *server_);
  Fit(!needs_proof_);
  const bool unproven = !want.waits_for.empty() && observed_.proven_token != want.waits_for;
  if (unproven) return kQuick;
  if (IsReadOnly(want)) return kWatchful;
  return want.token.empty() ? kCalm : kWatchful;  // an identity: there is a standby to look out for
}

NodeKeeper::Again NodeKeeper::FollowPrimary(const nodes::Desired& want, postgres::Node& node) {
  Fit(false);
  TRY_ASSIGN(const bool held, HoldForStorage(node, true));
  if (held) return kWatchful;
  TRY(Reconfigure(want, node));
  peer_ = want.primary;
  TRY_ASSIGN(const bool lost, HasLostItsPlace(want, *seen_));
  if (lost) {
    TRY(Reseed(want, node, "the primary no longer has the WAL that it needs"));
    return std::nullopt;
  }
  TRY(DropAbandonedSlots());
  TRY(archive_.FollowStandby(want, *admin_));
  TRY(ClearOldData(want, node));
  NoteStandby();
  NoteRunning(want);
  ProveDataPath(want, node, *server_);  // it may be promoted: then clients come at once
  LookForGuard(node, *server_);
  return want.token.empty() ? kCalm : kWatchful;
}

void NodeKeeper::NoteRunning(const nodes::Desired& want) {
  observed_.state = nodes::State::kRunning;
  observed_.detail.clear();
  observed_.settings_hash = nodes::HashOf(want.settings);
  failed_starts_ = 0;
  not_before_ = {};
}

// While it streams, positions change all the time and say nothing; once the stream has ended they
// stand still and say how far this copy goes.
void NodeKeeper::NoteStandby() {
  observed_.recruited = false;
  observed_.timeline = postgres::ToNumber(seen_->timeline);
  const bool streams = seen_->receiver && seen_->receiver->status == "streaming";
  if (streams) return;
  observed_.received_lsn = static_cast<std::int64_t>(seen_->lsn.value());
  observed_.replayed_lsn = static_cast<std::int64_t>(seen_->replayed.value());
}

}  // namespace howdah::host
