// Takes, restores and verifies backups by hand, for measurements (bench/backup.py): what the host
// agent does otherwise. Says in one line of JSON what it did. The master key is fixed: this is no
// way to keep anything.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <iostream>

#include "backup/restore.h"
#include "backup/take.h"
#include "backup/verify.h"
#include "repository/open.h"
#include "system/real/os_entropy.h"
#include "system/real/posix_disk.h"
#include "system/real/real_clock.h"

namespace howdah::backup {
namespace {

struct Options {
  std::string repository, instance = "db-BENCH", backup, directory;
  std::string socket_dir, user, database = "postgres";
  unsigned threads = 0;
  bool full = false, delta = false;
};

double Seconds(Duration duration) {
  return std::chrono::duration<double>(duration).count();
}

class Tool {
 public:
  Tool(const Options& options, repository::Repository& repository, system::Entropy& entropy)
      : options_(options),
        keyring_(std::string(32, 'k'), entropy),
        keys_(repository, keyring_, entropy),
        needs_{repository, keys_, entropy, disk_, clock_, log_} {}

  Result<std::string> Take() {
    TakeRequest request{.id = options_.backup, .instance = InstanceId(options_.instance)};
    request.server.socket_dir = options_.socket_dir;
    request.server.user = options_.user;
    request.server.database = options_.database;
    request.threads = options_.threads;
    request.full = options_.full;
    const MonotonicTime begin = clock_.Monotonic();
    TRY_ASSIGN(const Manifest manifest, TakeBackup(request, needs_, job_));
    return fmt::format(R"({{"seconds":{:.3f},"size":{},"stored":{},"base":"{}","bad_pages":{}}})",
                       Since(begin), manifest.size_bytes, manifest.stored_bytes, manifest.base,
                       manifest.bad_page_count);
  }

  Result<std::string> Restore() {
    const MonotonicTime begin = clock_.Monotonic();
    TRY_ASSIGN(const RestoreOutcome outcome,
               RestoreBackup({.instance = InstanceId(options_.instance),
                              .backup = options_.backup,
                              .directory = options_.directory,
                              .delta = options_.delta,
                              .threads = options_.threads},
                             needs_, job_));
    return fmt::format(R"({{"seconds":{:.3f},"size":{},"written":{}}})", Since(begin),
                       outcome.manifest.size_bytes, outcome.written_bytes);
  }

  Result<std::string> Verify() {
    const MonotonicTime begin = clock_.Monotonic();
    TRY_ASSIGN(const VerifyOutcome outcome,
               VerifyBackups({.instance = InstanceId(options_.instance),
                              .backup = options_.backup,
                              .threads = options_.threads},
                             needs_, job_));
    for (const std::string& damage : outcome.damages) std::cerr << damage << "\n";
    return fmt::format(R"({{"seconds":{:.3f},"backups":{},"damages":{}}})", Since(begin),
                       outcome.backups.size(), outcome.damage_count);
  }

 private:
  double Since(MonotonicTime begin) const { return Seconds(clock_.Monotonic() - begin); }

  const Options& options_;
  system::PosixDisk disk_;
  system::RealClock clock_;
  Log log_;
  vault::Keyring keyring_;
  repository::Keys keys_;
  Needs needs_;
  Job job_;
};

Result<std::string> Run(const CLI::App& app, const Options& options) {
  system::OsEntropy entropy;
  system::PosixDisk disk;
  TRY_ASSIGN(
      const auto repository,
      repository::OpenRepository(
          options.repository, [](const std::string&) { return std::nullopt; }, disk, entropy));
  Tool tool(options, *repository, entropy);
  if (app.got_subcommand("take")) return tool.Take();
  if (app.got_subcommand("restore")) return tool.Restore();
  return tool.Verify();
}

int Main(int argc, char** argv) {
  Options options;
  CLI::App app("base backups by hand");
  app.require_subcommand(1);
  CLI::App* take = app.add_subcommand("take");
  CLI::App* restore = app.add_subcommand("restore");
  CLI::App* verify = app.add_subcommand("verify");
  for (CLI::App* command : {take, restore, verify}) {
    command->add_option("--repository", options.repository)->required();
    command->add_option("--instance", options.instance);
    command->add_option("--threads", options.threads);
    command->add_option("--backup", options.backup)->required(command != verify);
  }
  take->add_option("--socket", options.socket_dir)->required();
  take->add_option("--user", options.user)->required();
  take->add_option("--database", options.database);
  take->add_flag("--full", options.full);
  restore->add_option("--directory", options.directory)->required();
  restore->add_flag("--delta", options.delta);
  CLI11_PARSE(app, argc, argv);
  const Result<std::string> outcome = Run(app, options);
  (outcome ? std::cout : std::cerr) << (outcome ? *outcome : outcome.error().what()) << "\n";
  return outcome ? 0 : 1;
}

}  // namespace
}  // namespace howdah::backup

int main(int argc, char** argv) {
  return howdah::backup::Main(argc, argv);
}
