// The one entry of this room: main() builds the seams and the programs, and calls Main().
// Nothing of CLI11 is visible here.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "cli/options.h"
#include "system/clock.h"
#include "system/disk.h"
#include "system/processes.h"

namespace howdah::cli {

// One engine that can run here, for `howdah engine list` where no daemon can be asked.
struct EngineInfo {
  std::string version;  // "14.17"
  std::string path;     // the directory with bin/, or of the programs themselves
  std::string source;   // "distribution", "installed", …
  bool end_of_life = false;
  std::string old_tls;  // its TLS library, where that is past its end of life
};

// Which backups to look through, and what was found.
struct VerifyInput {
  std::string home;
  std::string repository;  // empty: HOME/backups
  std::string instance;    // a DbiResourceId; empty: all
};
struct VerifyResult {
  std::vector<std::string> backups;
  std::vector<std::string> damages;
  std::uint64_t damage_count = 0;
};

// What main() provides. The functions run on the caller's thread and may block; a function that is
// empty makes its command an error, not a crash.
struct Programs {
  std::function<int(const ServeOptions&)> serve;      // until SIGTERM or a shutdown; the exit code
  std::function<int(const GatewayOptions&)> gateway;  // likewise
  std::function<int(const RestoreWalOptions&)> restore_wal;
  // `say` is told how far it is.
  std::function<Result<VerifyResult>(const VerifyInput&,
                                     const std::function<void(std::string_view)>& say)>
      verify_backups;
  // Installs the engine under HOME/engines and returns its directory.
  std::function<Result<std::string>(const std::string& version, const std::string& home)>
      install_engine;
  // The engines of the distribution and of HOME/engines.
  std::function<Result<std::vector<EngineInfo>>(const std::string& home)> list_engines;
  // The seams; they outlive Main().
  system::Clock* clock = nullptr;
  system::Disk* disk = nullptr;
  system::Processes* processes = nullptr;
};

// Parses, runs one command, and returns the exit code of the process.
int Main(int argc, char** argv, const Programs& programs);

// Exit codes that scripts depend on.
inline constexpr int kExitDone = 0;
inline constexpr int kExitFailed = 1;
inline constexpr int kExitUsage = 2;
inline constexpr int kExitNotFound = 3;
inline constexpr int kExitTimedOut = 6;  // the deadline passed while the work goes on

}  // namespace howdah::cli
