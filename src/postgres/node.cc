// The node's files and its running server. Its processes are in node_process.cc.
#include "postgres/node.h"

#include <fmt/format.h>
#include <signal.h>

#include <algorithm>

#include "postgres/config.h"
#include "postgres/quote.h"
#include "postgres/wal_end.h"

namespace howdah::postgres {
namespace {

constexpr std::string_view kFollowsNobody = "# Written by Howdah: this node follows nobody.\n";

// Looking again at something that a server is about to do; the wait ends early if the server dies.
constexpr Duration kLookAgain = std::chrono::milliseconds(15);

std::string PassFileText(const std::string& password) {
  std::string escaped;
  for (const char c : password) {
    if (c == ':' || c == '\\') escaped += '\\';
    escaped += c;
  }
  return fmt::format("*:*:*:{}:{}\n", kReplicationUser, escaped);
}

std::string StandbyConfig(const NodePaths& paths, const StandbySource& source) {
  const std::string conninfo = fmt::format(
      "host={} port={} user={} application_name={} passfile={} sslmode=disable gssencmode=disable "
      "connect_timeout=5",
      QuoteConninfoValue(source.socket_dir), kSocketPort, kReplicationUser,
      QuoteConninfoValue(source.application_name), QuoteConninfoValue(paths.PassFile()));
  return fmt::format(
      "# Written by Howdah: where this standby streams from.\n"
      "primary_conninfo = {}\nprimary_slot_name = {}\nrecovery_target_timeline = 'latest'\n",
      QuoteConfigValue(conninfo), QuoteConfigValue(source.slot_name));
}

}  // namespace

Node::Node(NodePaths paths, Engine engine, std::string admin_password, Needs needs)
    : paths_(std::move(paths)),
      engine_(std::move(engine)),
      admin_password_(std::move(admin_password)),
      needs_(needs) {}

Result<bool> Node::IsInitialized() {
  TRY_ASSIGN(const bool rejoining, IsRejoining());
  if (rejoining) return false;
  return needs_.disk.Exists(paths_.Data() + "/PG_VERSION");
}

Result<bool> Node::IsRejoining() {
  return needs_.disk.Exists(paths_.RejoinMarker());
}

Result<> Node::Initialize(Duration limit) {
  TRY_ASSIGN(const bool initialized, IsInitialized());
  if (initialized) return {};
  TRY_ASSIGN(const bool occupied, needs_.disk.Exists(paths_.Data()));
  if (occupied) {
    return Fail(Code::kFailedState,
                paths_.Data() + " is there but is no data directory; it is left alone");
  }
  TRY(KillOwnProcesses(10s));  // an initdb that outlived us
  TRY(needs_.disk.MakeDirectories(paths_.root));
  Result<> made = RunInitdb("en_US.UTF-8", limit);
  if (!made && made.error().code() == Code::kNotFound) made = RunInitdb("C.UTF-8", limit);
  TRY(made);
  TRY(needs_.disk.SyncTree(paths_.NewData()));
  return needs_.disk.Rename(paths_.NewData(), paths_.Data());
}

// kNotFound: the machine has no such locale.
Result<> Node::RunInitdb(std::string_view locale, Duration limit) {
  const std::string password_file = paths_.root + "/initdb.pass";
  TRY(needs_.disk.RemoveTree(paths_.NewData()));
  TRY(needs_.disk.WriteDurably(password_file, admin_password_ + "\n", 0600));
  const auto outcome = needs_.processes.Run(
      {.argv = {engine_.Program("initdb"), "-D", paths_.NewData(), "--username",
                std::string(kAdminUser), "--pwfile", password_file, "--data-checksums",
                "--encoding", "UTF8", "--locale", std::string(locale), "--lc-messages", "C",
                "--auth", "scram-sha-256", "--no-sync"},
       .env = {{"PATH", "/usr/bin:/bin"}, {"LC_ALL", "C"}, {"TZ", "UTC"}},
       .working_directory = paths_.root,
       .output_path = ""},
      limit);
  TRY(needs_.disk.RemoveTree(password_file));
  TRY(outcome);
  if (outcome->exit_code == 0) return {};
  const bool no_locale = outcome->output.find("invalid locale") != std::string::npos;
  return Fail(no_locale ? Code::kNotFound : Code::kFailedState,
              fmt::format("initdb failed: {}", outcome->output.substr(0, 2000)));
}

Result<bool> Node::WriteIfChanged(const std::string& path, std::string_view contents,
                                  unsigned mode) {
  const auto old = needs_.disk.Read(path);
  if (old && *old == contents) return false;
  if (!old && old.error().code() != Code::kNotFound) return Fail(old.error());
  TRY(needs_.disk.WriteDurably(path, contents, mode));
  return true;
}

Result<bool> Node::WriteConfiguration(std::string_view config, std::string_view hba) {
  TRY(needs_.disk.MakeDirectories(paths_.Config()));
  TRY_ASSIGN(const bool config_changed, WriteIfChanged(paths_.ConfigFile(), config, 0600));
  TRY_ASSIGN(const bool hba_changed, WriteIfChanged(paths_.HbaFile(), hba, 0600));
  TRY(WriteIfChanged(paths_.IdentFile(), "", 0600));
  return config_changed || hba_changed;
}

Result<bool> Node::ConfigureStandby(const StandbySource& source) {
  TRY(needs_.disk.MakeDirectories(paths_.Config()));
  TRY_ASSIGN(const bool pass_changed,
             WriteIfChanged(paths_.PassFile(), PassFileText(source.password), 0600));
  TRY_ASSIGN(const bool source_changed,
             WriteIfChanged(paths_.StandbyFile(), StandbyConfig(paths_, source), 0600));
  // What this node waited for when it was a primary is not what it shall wait for now.
  TRY_ASSIGN(const bool sync_changed, WriteIfChanged(paths_.SyncFile(), SyncConfig(""), 0600));
  TRY_ASSIGN(const bool is_standby, needs_.disk.Exists(paths_.StandbySignal()));
  if (!is_standby) TRY(needs_.disk.WriteDurably(paths_.StandbySignal(), "", 0600));
  return pass_changed || source_changed || sync_changed || !is_standby;
}

Result<bool> Node::ConfigureAlone() {
  TRY(needs_.disk.MakeDirectories(paths_.Config()));
  TRY_ASSIGN(const bool had_password, needs_.disk.Exists(paths_.PassFile()));
  if (had_password) TRY(needs_.disk.RemoveTree(paths_.PassFile()));
  TRY_ASSIGN(const bool source_changed, WriteIfChanged(paths_.StandbyFile(), kFollowsNobody, 0600));
  TRY_ASSIGN(const bool sync_changed, WriteIfChanged(paths_.SyncFile(), SyncConfig(""), 0600));
  TRY_ASSIGN(const bool is_standby, needs_.disk.Exists(paths_.StandbySignal()));
  if (!is_standby) TRY(needs_.disk.WriteDurably(paths_.StandbySignal(), "", 0600));
  return had_password || source_changed || sync_changed || !is_standby;
}

Result<> Node::ConfigureRecovery(const RecoveryGoal& goal) {
  TRY(needs_.disk.MakeDirectories(paths_.Config()));
  TRY_ASSIGN(const std::string text, RenderRecovery(goal));
  TRY(WriteIfChanged(paths_.SyncFile(), SyncConfig(""), 0600));
  TRY(WriteIfChanged(paths_.StandbyFile(), text, 0600));
  return needs_.disk.WriteDurably(paths_.RecoverySignal(), "", 0600);
}

Result<bool> Node::HasSource() {
  const auto text = needs_.disk.Read(paths_.StandbyFile());
  if (!text && text.error().code() == Code::kNotFound) return false;
  if (!text) return Fail(text.error());
  if (text->find("primary_conninfo") != std::string::npos) return true;
  return needs_.disk.Exists(paths_.PassFile());
}

Result<bool> Node::ConfigurePrimary() {
  bool changed = false;
  for (const std::string& path :
       {paths_.StandbySignal(), paths_.StandbyFile(), paths_.PassFile()}) {
    TRY_ASSIGN(const bool exists, needs_.disk.Exists(path));
    if (!exists) continue;
    TRY_ASSIGN(const auto running, FindPostmaster());
    if (running) {
      return Fail(Code::kFailedState, "a running standby is promoted, not configured as primary");
    }
    TRY(needs_.disk.RemoveTree(path));
    changed = true;
  }
  return changed;
}

Result<ControlData> Node::ReadControl() {
  // The server writes the file in place: a torn read has a wrong checksum, and the next one is
  // whole.
  for (int attempt = 0;; ++attempt) {
    TRY_ASSIGN(const std::string bytes, needs_.disk.Read(paths_.ControlFile()));
    auto data = ParseControlFile(bytes);
    if (data || data.error().code() != Code::kCorrupt || attempt == 3) return data;
  }
}

Result<Lsn> Node::ReadShutdownEnd() {
  TRY_ASSIGN(const ControlData control, ReadControl());
  if (control.state != ClusterState::kShutDown) return Lsn();
  return EndOfRecord(needs_.disk, paths_.Wal(), control.timeline, control.checkpoint);
}

Result<> Node::Remove() {
  TRY_ASSIGN(const auto running, FindPostmaster());
  if (running) return Fail(Code::kFailedState, "the server still runs");
  TRY(KillOwnProcesses(10s));
  TRY(needs_.disk.RemoveTree(paths_.socket_dir));
  return needs_.disk.RemoveTree(paths_.root);
}

ConnectOptions Node::AdminOptions(std::string database) const {
  return {.socket_dir = paths_.socket_dir,
          .user = std::string(kAdminUser),
          .database = std::move(database),
          .password = admin_password_,
          .interrupt = needs_.interrupt};
}

Result<Connection> Node::Connect(Duration limit) const {
  auto connection = Connection::Open(AdminOptions(), needs_.clock, limit);
  if (connection || connection.error().code() != Code::kNotFound) return connection;
  return Connection::Open(AdminOptions("postgres"), needs_.clock, limit);
}

Result<ProbeOutcome> Node::Probe(Duration limit) const {
  return ProbeCommit(AdminOptions(), needs_.clock, limit);
}

std::string Node::SyncConfig(std::string_view application_name) const {
  return fmt::format(
      "# Written by Howdah: the standby that commits wait for.\n"
      "synchronous_standby_names = {}\n",
      QuoteConfigValue(SynchronousStandbyNames(application_name)));
}

Result<> Node::SetSynchronousStandby(std::string_view application_name, Duration limit) {
  const MonotonicTime deadline = needs_.clock.Monotonic() + limit;
  TRY_ASSIGN(const auto postmaster, FindPostmaster());
  TRY(WriteIfChanged(paths_.SyncFile(), SyncConfig(application_name), 0600));
  if (!postmaster) return Fail(Code::kFailedState, "the server does not run");
  // Also where the file was right already: a crash may have come between writing and reloading.
  TRY(Reload());
  const std::string wanted = SynchronousStandbyNames(application_name);
  for (;;) {
    const Duration left = deadline - needs_.clock.Monotonic();
    if (left <= Duration::zero()) {
      return Fail(Code::kTimeout, "the server did not take up the synchronous standby in time");
    }
    TRY_ASSIGN(Connection connection, Connect(left));
    TRY_ASSIGN(const Rows rows, connection.Execute("SHOW synchronous_standby_names", left));
    if (rows.Text(0, "synchronous_standby_names") == wanted) return {};
    if (needs_.processes.AwaitExit(*postmaster, kLookAgain)) {
      return Fail(Code::kFailedState, "the server died");
    }
  }
}

Result<> Node::Promote(Duration limit) {
  TRY_ASSIGN(Connection connection, Connect(limit));
  TRY(connection.Execute(
      "SELECT CASE WHEN pg_catalog.pg_is_in_recovery() THEN pg_catalog.pg_promote(false) END",
      limit));
  return {};
}

}  // namespace howdah::postgres
