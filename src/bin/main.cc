// Where the objects that all commands need are built by hand and given to the command line.
#include <fmt/chrono.h>
#include <fmt/format.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <cstdio>
#include <string>
#include <vector>

#include "bin/backups.h"
#include "bin/engine_cache.h"
#include "bin/privileges.h"
#include "bin/serve.h"
#include "cli/main_face.h"
#include "gateway/gateway.h"
#include "postgres/install.h"
#include "system/real/os_entropy.h"
#include "system/real/posix_disk.h"
#include "system/real/posix_processes.h"
#include "system/real/real_clock.h"

namespace howdah::bin {

namespace {

Log StderrLog(const system::Clock& clock, LogLevel least) {
  return Log([&clock, least](LogLevel level, std::string_view line) {
    if (level < least) return;
    // One write a line: lines of several threads never mix.
    const std::string text =
        fmt::format("{} {} {}\n", FormatIso8601(clock.Now()), LogLevelName(level), line);
    std::fwrite(text.data(), 1, text.size(), stderr);
  });
}

std::vector<std::string> Environment() {
  std::vector<std::string> environment;
  for (char** entry = environ; *entry != nullptr; ++entry) environment.emplace_back(*entry);
  return environment;
}

Result<std::string> Install(const std::string& version, const std::string& home, system::Disk& disk,
                            system::Processes& processes, system::Entropy& entropy) {
  TRY(EnsureHomeFor(home));
  utsname machine{};
  if (uname(&machine) != 0) return Fail(Code::kInternal, "uname failed");
  TRY_ASSIGN(const postgres::Engine engine,
             postgres::InstallEngine(
                 version,
                 {.home = home,
                  .environment = postgres::InstallEnvironment(Environment()),
                  .architecture = machine.machine,
                  .on_step = [](std::string_view step) { fmt::print(stderr, "  {}\n", step); }},
                 disk, processes, entropy));
  TRY(ShareEngines(home));
  return engine.bin_dir;
}

}  // namespace

int Main(int argc, char** argv) {
  system::RealClock clock;
  system::OsEntropy entropy;
  system::PosixDisk disk;
  system::PosixProcesses processes;

  cli::Programs programs;
  programs.clock = &clock;
  programs.disk = &disk;
  programs.processes = &processes;
  programs.serve = [&](const cli::ServeOptions& options) {
    const Log log = StderrLog(clock, options.verbose ? LogLevel::kDebug : LogLevel::kInfo);
    return Serve(options, log);
  };
  programs.gateway = [&](const cli::GatewayOptions& options) {
    const Log log = StderrLog(clock, LogLevel::kInfo);
    const Result<> done =
        gateway::Run({.control_socket_path = options.control, .threads = options.threads}, log);
    if (!done) log.Error("gateway: {}", done.error().what());
    return done ? 0 : 1;
  };
  programs.verify_backups = [&](const cli::VerifyInput& input, const auto& say) {
    return VerifyBackups(input, say, StderrLog(clock, LogLevel::kWarning));
  };
  programs.restore_wal = [&](const cli::RestoreWalOptions& options) {
    return RestoreWal(options, StderrLog(clock, LogLevel::kInfo));
  };
  programs.install_engine = [&](const std::string& version, const std::string& home) {
    return Install(version, home, disk, processes, entropy);
  };
  programs.list_engines = [&](const std::string& home) -> Result<std::vector<cli::EngineInfo>> {
    TRY_ASSIGN(const std::vector<postgres::Engine> engines,
               postgres::FindEngines(disk, processes, home));
    const std::chrono::year_month_day today(std::chrono::floor<std::chrono::days>(clock.Now()));
    std::vector<cli::EngineInfo> infos;
    for (const postgres::Engine& engine : engines) {
      infos.push_back({.version = engine.version.Format(),
                       .path = engine.bin_dir,
                       .source = std::string(postgres::EngineSourceName(engine.source)),
                       .end_of_life = postgres::IsPastEndOfLife(engine.version.major, today),
                       .old_tls = engine.TlsIsPastEndOfLife() ? engine.own_tls_library : ""});
    }
    return infos;
  };
  return cli::Main(argc, argv, programs);
}

}  // namespace howdah::bin

int main(int argc, char** argv) {
  return howdah::bin::Main(argc, argv);
}
