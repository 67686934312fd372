#include "cli/daemon.h"

#include <fmt/format.h>
#include <poll.h>
#include <pwd.h>
#include <unistd.h>

#include <map>

namespace howdah::cli {
namespace {

constexpr Duration kStartLimit = 60s;
constexpr Duration kHealthLimit = 5s;
constexpr Duration kPoll = 50ms;
constexpr const char* kServiceUser = "howdah";

std::expected<std::string, Failure> ThisProgram() {
  // The path, not /proc/self/exe: a person reads it in ps, and a rebuilt program is found again.
  std::string path(4096, '\0');
  const ssize_t size = readlink("/proc/self/exe", path.data(), path.size());
  if (size <= 0) return Failed(Failure{.what = "cannot find this program's own file"});
  path.resize(static_cast<std::size_t>(size));
  return path;
}

// What a daemon may need of the caller's environment; the rest (credentials among it) stays out.
std::map<std::string, std::string> DaemonEnvironment(const Environment& environment) {
  std::map<std::string, std::string> kept;
  for (const char* name :
       {"PATH", "HOME", "LANG", "LC_ALL", "TZ", "XDG_RUNTIME_DIR", "TMPDIR", "HOWDAH_LISTEN"}) {
    if (auto value = environment(name)) kept[name] = *value;
  }
  return kept;
}

// Directories that root makes belong to the user to whom the daemon drops.
void GiveToServiceUser(const std::string& path) {
  if (geteuid() != 0) return;
  const passwd* user = getpwnam(kServiceUser);  // NOLINT(concurrency-mt-unsafe): one thread
  if (user == nullptr) return;
  [[maybe_unused]] const int ignored = chown(path.c_str(), user->pw_uid, user->pw_gid);
}

std::string LogTail(const Context& context) {
  auto text = context.programs.disk->Read(context.home.ServeLogPath());
  if (!text) return "";
  while (text->ends_with('\n')) text->pop_back();
  return text->substr(text->find_last_of('\n') + 1);
}

std::expected<system::ProcessIdentity, Failure> StartDaemon(const Context& context) {
  CLI_ASSIGN(const std::string program, ThisProgram());
  for (const auto& directory : {context.home.path(), context.home.LogDirectory()}) {
    const auto exists = context.programs.disk->Exists(directory);
    if (exists && *exists) continue;
    if (auto made = context.programs.disk->MakeDirectories(directory); !made) {
      return Failed("cannot make " + directory, made.error(), "choose another home with --home");
    }
    GiveToServiceUser(directory);
  }
  // An address that a dead daemon left would be mistaken for the new one's.
  if (auto gone = context.programs.disk->RemoveTree(context.home.EndpointPath()); !gone) {
    return Failed("cannot prepare " + context.home.path(), gone.error());
  }
  auto started = context.programs.processes->Spawn({
      .argv = {program, "serve", "--home", context.home.path()},
      .env = DaemonEnvironment(context.environment),
      .working_directory = "/",
      .output_path = context.home.ServeLogPath(),
  });
  if (!started) return Failed("cannot start the daemon", started.error());
  return *started;
}

std::expected<Session, Failure> AwaitDaemon(const Context& context,
                                            const system::ProcessIdentity& daemon) {
  const MonotonicTime deadline = context.programs.clock->Monotonic() + kStartLimit;
  while (true) {
    const bool alive = context.programs.processes->IsAlive(daemon);
    const auto address = ReadDaemonAddress(context);
    if (address && IsHealthy(address->url, kHealthLimit)) return Session::Open(context);
    Failure failure{
        .what = "the daemon did not start",
        .where = context.home.ServeLogPath(),
        .why = LogTail(context),
        .help = fmt::format("see the log, or run '{} serve' to watch it start", context.self)};
    if (!alive) return Failed(std::move(failure));
    if (context.programs.clock->Monotonic() > deadline) {
      failure.exit_code = kExitTimedOut;
      return Failed(std::move(failure));
    }
    context.terminal.Now("starting the daemon");
    PauseBetweenPolls(kPoll);
  }
}

}  // namespace

void PauseBetweenPolls(Duration duration) {
  // poll() without descriptors is a wait that a signal can end.
  poll(nullptr, 0,
       static_cast<int>(std::chrono::ceil<std::chrono::milliseconds>(duration).count()));
}

std::expected<Session, Failure> EnsureDaemon(const Context& context) {
  if (const auto address = ReadDaemonAddress(context);
      address && IsHealthy(address->url, kHealthLimit)) {
    return Session::Open(context);
  }
  CLI_ASSIGN(const auto daemon, StartDaemon(context));
  CLI_ASSIGN(auto session, AwaitDaemon(context, daemon));
  context.terminal.Step(
      fmt::format("daemon started, pid {}, log {}", daemon.pid, context.home.ServeLogPath()));
  return session;
}

}  // namespace howdah::cli
