// The node's processes. A process is this node's if it works in the node's data directory:
// PostgreSQL's processes all do, whatever their session (each backend makes its own), and nobody
// else has a reason to. That holds across restarts of Howdah, and for orphans of a postmaster that
// was killed.
#include <fmt/format.h>
#include <signal.h>

#include <algorithm>
#include <charconv>

#include "postgres/node.h"
#include "preload/libraries.h"

namespace howdah::postgres {
namespace {

constexpr Duration kLookAgain = std::chrono::milliseconds(15);
constexpr std::size_t kMaxSocketPath = 107;

bool IsWithin(std::string_view directory, const std::string& data) {
  if (directory.ends_with(" (deleted)")) directory.remove_suffix(10);
  return directory == data || directory.starts_with(data + "/");
}

bool HasPid(const system::ProcessInfo& process, pid_t pid) {
  return process.identity.pid == pid;
}

// A postmaster that we started is the leader of its session, and was given the data directory.
bool LooksLikePostmaster(const system::ProcessInfo& process, const std::string& data) {
  return process.session == process.identity.pid &&
         process.command.find("postgres -D " + data + " -c config_file=") != std::string::npos;
}

std::optional<pid_t> ParsePid(std::string_view text) {
  pid_t pid = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), pid);
  if (error != std::errc() || end == text.data() || pid <= 1) return std::nullopt;
  return pid;
}

// By its title (BackendInitialize and PerformAuthentication set it), or because it is so young that
// it still has its postmaster's.
bool IsLoggingIn(const system::ProcessInfo& process, const std::vector<system::ProcessInfo>& all) {
  std::string_view title = process.command;
  while (title.ends_with(' ')) title.remove_suffix(1);
  for (const std::string_view stage : {" initializing", " authentication", " startup"}) {
    if (title.ends_with(stage)) return true;
  }
  return std::ranges::any_of(all, [&](const system::ProcessInfo& parent) {
    return parent.identity.pid == process.parent && parent.command == process.command;
  });
}

}  // namespace

std::vector<system::ProcessInfo> Node::OwnProcesses() {
  std::vector<system::ProcessInfo> own;
  for (system::ProcessInfo& process : needs_.processes.List()) {
    if (process.state == 'Z') continue;
    const bool is_initdb =
        process.command.find("initdb -D " + paths_.NewData() + " ") != std::string::npos;
    if (is_initdb || IsWithin(process.working_directory, paths_.Data()) ||
        IsWithin(process.working_directory, paths_.NewData())) {
      own.push_back(std::move(process));
    }
  }
  // While it is being executed, neither its directory nor its command can be relied on; but it is
  // there, and a fence must not miss it.
  const bool listed = std::ranges::any_of(
      own, [&](const system::ProcessInfo& process) { return process.identity == spawned_; });
  if (spawned_ && !listed && !needs_.processes.AwaitExit(*spawned_, 0s)) {
    own.push_back({.identity = *spawned_, .session = spawned_->pid});
  }
  return own;
}

void Node::AwaitLogins(Duration limit) {
  constexpr Duration kLookAgainSoon = 10ms;
  const MonotonicTime deadline = needs_.clock.Monotonic() + limit;
  while (needs_.clock.Monotonic() < deadline) {
    const auto own = OwnProcesses();
    const auto login = std::ranges::find_if(
        own, [&](const system::ProcessInfo& process) { return IsLoggingIn(process, own); });
    if (login == own.end()) return;
    needs_.processes.AwaitExit(login->identity, kLookAgainSoon);
  }
}

Result<std::optional<system::ProcessIdentity>> Node::FindPostmaster() {
  TRY_ASSIGN(const Life life, Look());
  return life.postmaster;
}

Result<Life> Node::Look() {
  const auto own = OwnProcesses();
  if (own.empty()) return Life();
  const auto pid_file = needs_.disk.Read(paths_.PidFile());
  if (!pid_file && pid_file.error().code() != Code::kNotFound) return Fail(pid_file.error());
  const auto pid = pid_file ? ParsePid(*pid_file) : std::nullopt;
  for (const system::ProcessInfo& process : own) {
    if (pid && HasPid(process, *pid)) return Life{.postmaster = process.identity, .anything = true};
  }
  // Just started, the file not yet written.
  for (const system::ProcessInfo& process : own) {
    if (process.identity == spawned_ || LooksLikePostmaster(process, paths_.Data())) {
      return Life{.postmaster = process.identity, .anything = true};
    }
  }
  return Life{.postmaster = std::nullopt, .anything = true};
}

system::SpawnSpec Node::ServerSpec() const {
  system::SpawnSpec spec{
      .argv = {engine_.Program("postgres"), "-D", paths_.Data(), "-c",
               "config_file=" + paths_.ConfigFile(), "-c", "hba_file=" + paths_.HbaFile(), "-c",
               "ident_file=" + paths_.IdentFile()},
      .env = {{"PATH", "/usr/bin:/bin"}, {"LANG", "C.UTF-8"}, {"TZ", "UTC"}},
      .working_directory = paths_.Data(),
      .output_path = paths_.ServerOutput()};
  if (!paths_.handover_library.empty()) {
    spec.env["LD_PRELOAD"] = paths_.handover_library;
    spec.env[std::string(preload::kHandoverSocketVariable)] = paths_.HandoverSocket();
  }
  return spec;
}

// No process of this node is left. PostgreSQL would still refuse to start if the pid in the file
// were taken: by somebody else (after a reboot), or by the dead postmaster itself that init has not
// yet reaped. Otherwise the file stays, for PostgreSQL's own check of the shared memory that it
// names.
Result<> Node::RemoveStalePidFile() {
  const auto pid_file = needs_.disk.Read(paths_.PidFile());
  const auto pid = pid_file ? ParsePid(*pid_file) : std::nullopt;
  if (!pid) return {};
  const auto all = needs_.processes.List();
  const bool taken = needs_.processes.Identify(*pid).has_value() ||
                     std::ranges::any_of(all, [&](const auto& each) { return HasPid(each, *pid); });
  return taken ? needs_.disk.RemoveTree(paths_.PidFile()) : Result<>();
}

Result<> Node::PrepareStart() {
  TRY_ASSIGN(const bool rejoining, IsRejoining());
  if (rejoining) {
    return Fail(Code::kFailedState, paths_.Data() + " is half way through a rejoin (I18)");
  }
  TRY_ASSIGN(const std::string version, needs_.disk.Read(paths_.Data() + "/PG_VERSION"));
  if (version != fmt::format("{}\n", engine_.version.major)) {
    return Fail(Code::kFailedState,
                fmt::format("the data directory is of PostgreSQL {}, the engine is {}",
                            version.substr(0, version.find('\n')), engine_.version.Format()));
  }
  if (paths_.HandoverSocket().size() > kMaxSocketPath) {
    return Fail(Code::kInvalid, "the path of the socket is too long: " + paths_.HandoverSocket());
  }
  TRY(needs_.disk.MakeDirectories(paths_.socket_dir));
  TRY(needs_.disk.MakeDirectories(paths_.HandoverDir()));
  TRY(needs_.disk.MakeDirectories(paths_.LogDir() + "/error"));
  TRY(needs_.disk.RemoveTree(paths_.Socket()));
  TRY(needs_.disk.RemoveTree(paths_.Socket() + ".lock"));
  TRY(needs_.disk.RemoveTree(paths_.HandoverSocket()));
  TRY(needs_.disk.RemoveTree(paths_.HandoverSocket() + ".lock"));
  TRY(RemoveStalePidFile());
  // One start's own words, so that LastWords() does not speak of an earlier one.
  return needs_.disk.RemoveTree(paths_.ServerOutput());
}

Result<system::ProcessIdentity> Node::Start() {
  TRY_ASSIGN(const auto running, FindPostmaster());
  if (running) return *running;
  TRY(ClearOrphans(10s));
  TRY(PrepareStart());
  TRY_ASSIGN(spawned_, needs_.processes.Spawn(ServerSpec()));
  return *spawned_;
}

Result<bool> Node::SaysReady() {
  constexpr int kStatusLine = 8;
  TRY_ASSIGN(const std::string text, needs_.disk.Read(paths_.PidFile()));
  std::size_t begin = 0;
  for (int line = 1; line < kStatusLine; ++line) {
    begin = text.find('\n', begin);
    if (begin == std::string::npos) return false;
    ++begin;
  }
  return text.compare(begin, 5, "ready") == 0;
}

Result<Readiness> Node::CheckReadiness(Duration limit) {
  TRY_ASSIGN(const auto running, FindPostmaster());
  if (!running) return Readiness::kDown;
  const auto connection = Connect(limit);
  if (connection) return Readiness::kReady;
  if (connection.error().code() == Code::kPermission) return Fail(connection.error());
  return Readiness::kStarting;
}

Result<> Node::AwaitReady(Duration limit) {
  const MonotonicTime deadline = needs_.clock.Monotonic() + limit;
  TRY_ASSIGN(const auto running, FindPostmaster());
  if (!running) return Fail(Code::kFailedState, "the server does not run: " + LastWords());
  for (;;) {
    const auto connection = Connect(1s);
    if (connection) return {};
    if (connection.error().code() == Code::kPermission) return Fail(connection.error());
    if (needs_.processes.AwaitExit(*running, kLookAgain)) {
      return Fail(Code::kFailedState, "the server ended while it started: " + LastWords());
    }
    if (needs_.clock.Monotonic() >= deadline) {
      return Fail(Code::kTimeout, "the server is not ready: " + connection.error().what());
    }
  }
}

Result<> Node::Stop(StopMode mode, Duration limit) {
  const MonotonicTime deadline = needs_.clock.Monotonic() + limit;
  TRY_ASSIGN(const auto running, FindPostmaster());
  if (running) {
    TRY(needs_.processes.Signal(*running, mode == StopMode::kFast ? SIGINT : SIGQUIT));
    if (!needs_.processes.AwaitExit(*running, limit)) {
      needs_.log.Warning("{}: the server did not stop in {}; it is killed", paths_.root,
                         FormatDuration(limit));
    }
  }
  // The log collector ends by itself a moment after the postmaster.
  for (const system::ProcessInfo& process : OwnProcesses()) {
    const Duration left = deadline - needs_.clock.Monotonic();
    needs_.processes.AwaitExit(process.identity, std::clamp<Duration>(left, 0s, 1s));
  }
  return Fence(10s);
}

Result<int> Node::KillOwnProcesses(Duration limit) {
  const MonotonicTime deadline = needs_.clock.Monotonic() + limit;
  int killed = 0;
  // Again until none is left: a postmaster may fork between our look and its death.
  for (auto own = OwnProcesses(); !own.empty(); own = OwnProcesses()) {
    if (needs_.clock.Monotonic() >= deadline) {
      return Fail(Code::kTimeout,
                  fmt::format("{} processes of {} do not die", own.size(), paths_.Data()));
    }
    for (const system::ProcessInfo& process : own) {
      TRY(needs_.processes.Signal(process.identity, SIGKILL));
    }
    for (const system::ProcessInfo& process : own) {
      const Duration left = deadline - needs_.clock.Monotonic();
      if (needs_.processes.AwaitExit(process.identity, std::max<Duration>(left, 0s))) ++killed;
    }
  }
  return killed;
}

Result<> Node::Fence(Duration limit) {
  TRY(KillOwnProcesses(limit));
  return {};
}

Result<int> Node::ClearOrphans(Duration limit) {
  TRY_ASSIGN(const auto running, FindPostmaster());
  if (running) {
    return Fail(Code::kFailedState,
                fmt::format("the postmaster (pid {}) lives: nothing is an orphan", running->pid));
  }
  return KillOwnProcesses(limit);
}

Result<> Node::Reload() {
  TRY_ASSIGN(const auto running, FindPostmaster());
  if (!running) return Fail(Code::kFailedState, "the server does not run");
  // SIGHUP ends a postmaster that has not set its handlers yet; with its pid in the file it has.
  for (int look = 0; look < 100; ++look) {
    const auto pid_file = needs_.disk.Read(paths_.PidFile());
    const auto pid = pid_file ? ParsePid(*pid_file) : std::nullopt;
    if (pid == running->pid) return needs_.processes.Signal(*running, SIGHUP);
    if (needs_.processes.AwaitExit(*running, kLookAgain)) break;
  }
  return Fail(Code::kUnavailable, "the server has not begun to read its configuration");
}

// The last lines of what the server said, for a person: from the collector's newest file, or from
// before there was a collector.
std::string Node::LastWords() {
  static constexpr std::size_t kMost = 1000;
  const auto tail = [this](const std::string& path) {
    const auto info = needs_.disk.Inspect(path);
    const std::uint64_t size = info ? info->size_bytes : 0;
    return needs_.disk.ReadAt(path, size - std::min<std::uint64_t>(size, kMost), kMost)
        .value_or("");
  };
  std::string text = tail(paths_.ServerOutput());
  const std::string directory = paths_.LogDir() + "/error";
  const auto files = needs_.disk.List(directory);
  if (files && !files->empty()) text += tail(directory + "/" + files->back());
  return text.size() > kMost ? text.substr(text.size() - kMost) : text;
}

}  // namespace howdah::postgres
