#include "cli/doctor.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>

#include "aws/generated/howdah.h"
#include "base/json.h"
#include "cli/backup_health.h"
#include "cli/commands.h"
#include "cli/session.h"
#include "system/real/file_descriptor.h"

namespace howdah::cli {

namespace api = aws::howdah_api;

namespace {

// The longest name that Howdah makes below its home for a socket: a node's directory and
// PostgreSQL's own name in it.
constexpr std::string_view kLongestSocket = "/run/n-0123456789/h/.s.PGSQL.5432";

Finding CheckHome(const Context& context) {
  const std::string& home = context.home.path();
  const auto info = context.programs.disk->Inspect(home);
  if (!info && info.error().code() == Code::kNotFound) {
    return {.check = "home", .found = home + " does not exist yet; the first start makes it"};
  }
  if (!info) {
    return {.check = "home",
            .health = Health::kFailure,
            .found = info.error().what(),
            .why = "everything that Howdah keeps is in its home",
            .help = "run as the home's owner, or choose another with --home"};
  }
  constexpr unsigned kOthers = 077;
  if ((info->mode & kOthers) != 0) {
    return {.check = "home",
            .health = Health::kWarning,
            .found = fmt::format("{} has mode {:o}", home, info->mode),
            .why = "other users can look into it; files with secrets are 0600 all the same",
            .help = fmt::format("chmod 700 {}", ShellQuote(home))};
  }
  return {.check = "home", .found = fmt::format("{}, private", home)};
}

Finding CheckSpace(const Context& context) {
  std::string path = context.home.path();
  auto space = context.programs.disk->Space(path);
  while (!space && path.size() > 1) {
    path = path.substr(0, std::max<std::size_t>(path.find_last_of('/'), 1));
    space = context.programs.disk->Space(path);
  }
  if (!space) return {.check = "space", .health = Health::kWarning, .found = space.error().what()};
  constexpr std::uint64_t kGib = 1ULL << 30;
  constexpr std::uint64_t kEnough = 2 * kGib;
  Finding finding{.check = "space",
                  .found = fmt::format("{:.1f} GiB free at {}",
                                       static_cast<double>(space->free_bytes) / kGib, path)};
  if (space->free_bytes < kEnough) {
    finding.health = Health::kWarning;
    finding.why = "a database whose disk is full stops; storage sizes are not reserved yet";
    finding.help = "free some space, or choose a home on another disk with --home";
  }
  return finding;
}

std::vector<Finding> CheckEngines(const Context& context) {
  if (!context.programs.list_engines) return {};
  const auto engines = context.programs.list_engines(context.home.path());
  if (!engines) {
    return {{.check = "engines", .health = Health::kFailure, .found = engines.error().what()}};
  }
  if (engines->empty()) {
    return {{.check = "engines",
             .health = Health::kFailure,
             .found = "there is none",
             .why = "an instance needs exactly the PostgreSQL version that it asks for",
             .help = fmt::format("{} engine install 14.17", context.self)}};
  }
  std::vector<Finding> findings;
  for (const auto& engine : *engines) {
    Finding finding{.check = "engine " + engine.version,
                    .found = fmt::format("{} ({})", engine.path, engine.source)};
    if (engine.end_of_life) {
      finding.health = Health::kWarning;
      finding.why = "this major version is past its community end of life: nobody mends it";
      finding.help = "plan the upgrade to a supported major version";
    }
    findings.push_back(std::move(finding));
    if (engine.old_tls.empty()) continue;
    findings.push_back({.check = "TLS of engine " + engine.version,
                        .health = Health::kWarning,
                        .found = engine.old_tls + ", which is past its end of life",
                        .why = "so TLS ends in the gateway, and connections with TLS are relayed",
                        .help = "nothing is unsafe; for the fast path with TLS use an engine of "
                                "the distribution, or tag the instance howdah:tls=server"});
  }
  return findings;
}

std::optional<std::string> FindProgram(const Context& context, const std::string& name) {
  const std::string path = context.environment("PATH").value_or("/usr/local/bin:/usr/bin:/bin");
  for (std::size_t begin = 0; begin <= path.size();) {
    const std::size_t end = std::min(path.find(':', begin), path.size());
    const std::string candidate = path.substr(begin, end - begin) + "/" + name;
    if (access(candidate.c_str(), X_OK) == 0) return candidate;
    begin = end + 1;
  }
  return std::nullopt;
}

Finding CheckProgram(const Context& context, const std::string& name, const std::string& why,
                     const std::string& help) {
  if (const auto path = FindProgram(context, name)) return {.check = name, .found = *path};
  return {
      .check = name, .health = Health::kWarning, .found = "not in PATH", .why = why, .help = help};
}

// Whether this user may listen on the loopback network beyond 127.0.0.1, as endpoints do.
Finding CheckLoopback() {
  const system::FileDescriptor fd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  inet_pton(AF_INET, "127.0.1.1", &address.sin_addr);
  if (bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) {
    return {.check = "addresses", .found = "private addresses a.b.c.d can be 127.b.c.d here"};
  }
  return {.check = "addresses",
          .health = Health::kFailure,
          .found = ErrnoError("bind 127.0.1.1", errno).what(),
          .why = "the loopback driver gives each instance an address in 127.0.0.0/8",
          .help = "use a kernel whose loopback interface has all of 127.0.0.0/8"};
}

// PostgreSQL's dynamic shared memory are files there; without it no server starts. As root the
// daemon is another user, so the mode counts and not only what root may do.
Finding CheckSharedMemory() {
  struct stat info{};
  const bool open_to_all = stat("/dev/shm", &info) == 0 && (info.st_mode & S_IWOTH) != 0;
  if (open_to_all && access("/dev/shm", W_OK | X_OK) == 0) {
    return {.check = "shared memory", .found = "/dev/shm can be written"};
  }
  return {.check = "shared memory",
          .health = Health::kFailure,
          .found = "/dev/shm cannot be written by everybody",
          .why = "PostgreSQL does not start without it",
          .help = "mount -t tmpfs -o mode=1777 tmpfs /dev/shm"};
}

Finding CheckPort() {
  const system::FileDescriptor fd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(4566);
  inet_pton(AF_INET, "127.0.0.1", &address.sin_addr);
  const int on = 1;
  setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) {
    return {.check = "port", .found = fmt::format("{} is free", kDefaultListen)};
  }
  return {.check = "port",
          .health = Health::kWarning,
          .found = fmt::format("{} is taken by another program", kDefaultListen),
          .why = "a daemon started now would not get its default address",
          .help = "serve --listen 127.0.0.1:PORT"};
}

Finding CheckDaemon(const Context& context, bool& runs) {
  const auto address = ReadDaemonAddress(context);
  runs = address && IsHealthy(address->url, 5s);
  if (runs) return {.check = "daemon", .found = "answers at " + address->url};
  return {.check = "daemon",
          .health = Health::kWarning,
          .found = address ? "does not answer at " + address->url : "has not run with this home",
          .why = address ? "databases and the gateway live on without it, but nothing watches them"
                         : "",
          .help = context.self + " serve"};
}

// Instances whose clients are relayed for another reason than somebody's wish or TLS.
std::vector<Finding> CheckDataPaths(const api::GetStatusResponse& status) {
  std::vector<Finding> findings;
  for (const api::InstanceStatus& instance : status.instances) {
    const std::string path = instance.data_path.value_or("");
    if (!path.starts_with("relay: ")) continue;
    findings.push_back({.check = "data path of " + instance.db_instance_identifier.value_or("?"),
                        .health = Health::kWarning,
                        .found = path,
                        .why =
                            "PostgreSQL could serve its clients itself, at the speed of a direct "
                            "connection",
                        .help = "reboot the instance if it was started by an older version"});
  }
  return findings;
}

// Multi-AZ instances whose server does not keep a cancelled commit from looking like a success.
std::vector<Finding> CheckCommitGuards(const api::GetStatusResponse& status) {
  std::vector<Finding> findings;
  for (const api::InstanceStatus& instance : status.instances) {
    const std::string guard = instance.commit_guard.value_or("");
    if (!guard.starts_with("off") || !instance.multi_az.value_or(false)) continue;
    findings.push_back(
        {.check = "commit guard of " + instance.db_instance_identifier.value_or("?"),
         .health = Health::kWarning,
         .found = guard,
         .why = "a commit that is cancelled while it waits for the standby is answered as a "
                "success, and a failover can lose it",
         .help = "reboot the instance if it was started by an older version"});
  }
  return findings;
}

std::vector<Finding> CheckInstances(const Context& context) {
  const auto session = Session::Open(context);
  if (!session) return {};
  const auto status = session->Call<api::GetStatus>({});
  if (!status) return {};
  std::vector<Finding> findings = CheckDataPaths(*status);
  for (auto& finding : CheckCommitGuards(*status)) findings.push_back(std::move(finding));
  for (auto& finding : CheckBackups(*status)) findings.push_back(std::move(finding));
  return findings;
}

// What is not there yet, said where a person looks.
std::vector<Finding> CheckPromises() {
  return {
      {.check = "limits",
       .health = Health::kWarning,
       .found = "the class sizes PostgreSQL but does not fence CPU and memory yet",
       .why = "an instance can use more of this host than its class says",
       .help = "keep the sum of the classes below what this host has"},
      {.check = "zones",
       .health = Health::kWarning,
       .found = "zones are directories of this host",
       .why = "on one disk, Multi-AZ guards against a broken process, not against a broken disk",
       .help = "put a zone on another disk: serve --zone us-west-2b=/mnt/disk2"},
  };
}

std::string_view Mark(Health health) {
  switch (health) {
    case Health::kOk:
      return "ok";
    case Health::kWarning:
      return "warn";
    case Health::kFailure:
      return "FAIL";
  }
  return "?";
}

std::string FindingsText(const std::vector<Finding>& findings) {
  std::vector<std::vector<std::string>> rows;
  for (const auto& finding : findings) {
    rows.push_back({std::string(Mark(finding.health)), finding.check, finding.found});
    if (!finding.why.empty()) rows.push_back({"", "", "why:  " + finding.why});
    if (!finding.help.empty()) rows.push_back({"", "", "help: " + finding.help});
  }
  return Columns(rows);
}

}  // namespace

Finding CheckSocketPaths(const std::string& home) {
  constexpr std::size_t kLimit = sizeof(sockaddr_un::sun_path);
  const std::size_t longest = home.size() + kLongestSocket.size() + 1;
  if (longest <= kLimit) {
    return {.check = "socket paths",
            .found = fmt::format("{} of {} bytes at the longest", longest, kLimit)};
  }
  return {.check = "socket paths",
          .health = Health::kFailure,
          .found = fmt::format("{} bytes, and the kernel allows {}", longest, kLimit),
          .why = "PostgreSQL listens on Unix sockets below the home",
          .help = fmt::format("choose a home whose path has at most {} bytes",
                              kLimit - kLongestSocket.size() - 1)};
}

std::vector<Finding> Examine(const Context& context) {
  bool runs = false;
  std::vector<Finding> findings = {CheckDaemon(context, runs), CheckHome(context),
                                   CheckSocketPaths(context.home.path()), CheckSpace(context),
                                   CheckLoopback()};
  findings.push_back(CheckSharedMemory());
  if (!runs) findings.push_back(CheckPort());
  for (auto& finding : CheckEngines(context)) findings.push_back(std::move(finding));
  if (runs) {
    for (auto& finding : CheckInstances(context)) findings.push_back(std::move(finding));
  }
  findings.push_back(
      CheckProgram(context, "psql", "'howdah psql' runs it", "apt-get install postgresql-client"));
  findings.push_back(
      CheckProgram(context, "npm", "'howdah engine install' needs it", "apt-get install npm"));
  for (auto& finding : CheckPromises()) findings.push_back(std::move(finding));
  return findings;
}

Outcome Doctor(const Context& context) {
  const auto findings = Examine(context);
  int exit_code = kExitDone;
  json::array list;
  for (const auto& finding : findings) {
    if (finding.health == Health::kFailure) exit_code = kExitFailed;
    list.push_back(json::object{{"Check", finding.check},
                                {"Health", Mark(finding.health)},
                                {"Found", finding.found},
                                {"Why", finding.why},
                                {"Help", finding.help}});
  }
  context.terminal.Result(context.json ? json::serialize(json::object{{"Checks", std::move(list)}})
                                       : FindingsText(findings));
  return exit_code;
}

}  // namespace howdah::cli
