// See commit_guard.h.
#include "postgres/commit_guard.h"

#include <fmt/format.h>

#include "postgres/config.h"
#include "postgres/library_file.h"
#include "postgres/node.h"
#include "postgres/observe.h"
#include "preload/libraries.h"

namespace howdah::postgres {
namespace {

constexpr Duration kInitdbLimit = 120s;
constexpr Duration kStartLimit = 30s;
constexpr Duration kQuestionLimit = 10s;

Settings ScratchSettings(const NodePaths& paths, int major, const std::string& library) {
  Settings settings = ForcedSettings({.major = major,
                                      .socket_dir = paths.socket_dir,
                                      .handover_dir = "",
                                      .tls = {},
                                      .log_dir = paths.LogDir(),
                                      .cluster_name = "proof",
                                      .commit_guard = library,
                                      .enforce_synchronous_commit = true});
  const Settings scratch = {
      {"autovacuum", "off"},
      {"client_min_messages", "error"},
      {"fsync", "off"},
      {"huge_pages", "off"},
      {"log_min_messages", "panic"},
      {"logging_collector", "off"},
      {"max_connections", "10"},
      {"shared_buffers", "512"},
      {"synchronous_standby_names", SynchronousStandbyNames("howdah_nobody")}};
  for (const auto& [name, value] : scratch) settings.insert_or_assign(name, value);
  return settings;
}

Result<> StartScratch(Node& node, const std::string& library) {
  TRY(node.Initialize(kInitdbLimit));
  TRY_ASSIGN(const std::string config,
             RenderConfig(ScratchSettings(node.paths(), node.engine().version.major, library)));
  TRY(node.WriteConfiguration(config, RenderHba(TcpClients::kNone)));
  TRY(node.Start());
  return node.AwaitReady(kStartLimit);
}

// Just started, a server does not let its commits wait yet (H7).
Result<> AwaitWaitingCommits(const Node& node, const system::Clock& clock) {
  const MonotonicTime deadline = clock.Monotonic() + kQuestionLimit;
  for (;;) {
    const auto probe = ProbeCommit(node.AdminOptions("postgres"), clock, 500ms);
    if (probe && !probe->acknowledged) return {};
    if (clock.Monotonic() >= deadline) {
      return Fail(Code::kUnsupported, "its commits do not wait for a standby");
    }
  }
}

// A commit inside DO, so that statement_timeout cuts its wait short: the same road inside
// PostgreSQL as a cancel's, and one connection is enough to go it.
Result<> CutACommitShort(Connection& client) {
  TRY(client.Execute("SET synchronous_commit = off; SET statement_timeout = '200ms'",
                     kQuestionLimit));
  const auto answer =
      client.Execute("DO $$ BEGIN CREATE TABLE public.proof (); COMMIT; END $$", kQuestionLimit);
  if (answer) {
    return Fail(Code::kUnsupported, "it answers success for a commit that no standby confirmed");
  }
  if (!client.SqlState().empty() || !client.IsBroken() || answer.error().code() == Code::kTimeout) {
    return Fail(Code::kUnsupported,
                "a commit that is cut short does not end its session: " + answer.error().what());
  }
  return {};
}

Result<bool> SeesTheCommit(Connection& other) {
  TRY_ASSIGN(
      const Rows rows,
      other.Execute("SELECT to_regclass('public.proof') IS NOT NULL AS seen", kQuestionLimit));
  return rows.Text(0, "seen") == "t";
}

Result<> AwaitTheCommit(Connection& other, const system::Clock& clock) {
  const MonotonicTime deadline = clock.Monotonic() + kQuestionLimit;
  for (;;) {
    TRY_ASSIGN(const bool seen, SeesTheCommit(other));
    if (seen) return {};
    if (clock.Monotonic() >= deadline) {
      return Fail(Code::kUnsupported,
                  "a commit that was cut short is not there when nobody is waited for any more");
    }
  }
}

Result<> ProveOn(Node& node, const std::string& library, const system::Clock& clock) {
  TRY(StartScratch(node, library));
  TRY(AwaitWaitingCommits(node, clock));
  TRY_ASSIGN(Connection client, node.Connect(kQuestionLimit));
  TRY(CheckCommitGuard(client, kQuestionLimit));
  TRY(CutACommitShort(client));
  Result<Connection> other = node.Connect(kQuestionLimit);
  if (!other) {
    return Fail(Code::kUnsupported, "its server does not survive: " + other.error().what());
  }
  TRY_ASSIGN(const bool seen, SeesTheCommit(*other));
  if (seen) {
    return Fail(Code::kUnsupported, "others see a commit that was cut short before its standby");
  }
  TRY(node.SetSynchronousStandby("", kQuestionLimit));
  return AwaitTheCommit(*other, clock);
}

}  // namespace

Result<std::string> InstallCommitGuard(system::Disk& disk, const std::string& home) {
  return InstallLibrary(disk, home, "howdah-commit-guard", preload::CommitGuardLibrary());
}

// A setting that nobody can set: what is only a placeholder is not in pg_settings.
Result<> CheckCommitGuard(Connection& admin, Duration limit) {
  TRY_ASSIGN(const Rows rows,
             admin.Execute("SELECT setting FROM pg_catalog.pg_settings WHERE name = "
                           "'howdah.commit_guard' AND context = 'internal'",
                           limit));
  if (rows.empty()) return Fail(Code::kUnsupported, "the server was started without it");
  if (rows.Text(0, "setting") != preload::CommitGuardVersion()) {
    return Fail(Code::kUnsupported, "the server was started with an older one");
  }
  return {};
}

Result<std::string> CommitGuards::For(const Engine& engine) {
  const std::lock_guard lock(mutex_);
  const auto known = known_.find(engine.bin_dir);
  if (known != known_.end()) return known->second;
  Result<std::string> library = Find(engine);
  if (!library) {
    needs_.log.Warning("commit guard: PostgreSQL {}: {}", engine.version.Format(),
                       library.error().what());
  }
  return known_.emplace(engine.bin_dir, std::move(library)).first->second;
}

Result<std::string> CommitGuards::Find(const Engine& engine) {
  TRY_ASSIGN(const std::string library, InstallCommitGuard(needs_.disk, home_));
  TRY_ASSIGN(const std::string program, needs_.disk.Read(engine.Program("postgres")));
  const std::string record =
      fmt::format("{}/lib/commit-guard-{}.proven", home_, engine.version.Format());
  const std::string proven = fmt::format(
      "guard {}\nengine {}\n", ShortDigest(preload::CommitGuardLibrary()), ShortDigest(program));
  if (const auto before = needs_.disk.Read(record); before && *before == proven) return library;
  TRY(Prove(engine, library));
  TRY(needs_.disk.WriteDurably(record, proven));
  needs_.log.Info("commit guard: proven on PostgreSQL {}", engine.version.Format());
  return library;
}

Result<> CommitGuards::Prove(const Engine& engine, const std::string& library) {
  const std::string password = system::RandomHex(needs_.entropy, 32);
  const NodePaths paths{.root = fmt::format("{}/lib/proof-{}", home_, engine.version.Format()),
                        .socket_dir = fmt::format("{}/run/p{}", home_, engine.version.Format()),
                        .handover_library = ""};
  Node node(paths, engine, password,
            {.disk = needs_.disk,
             .processes = needs_.processes,
             .clock = needs_.clock,
             .log = needs_.log});
  // An earlier proof may have been cut short.
  TRY(node.Fence(10s));
  TRY(node.Remove());
  const Result<> proven = ProveOn(node, library, needs_.clock);
  TRY(node.Fence(10s));
  TRY(node.Remove());
  return proven ? proven : Fail(proven.error().During("proving it on a scratch server"));
}

}  // namespace howdah::postgres
