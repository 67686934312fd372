// The commit guard, the server's side: the library that servers load so that a client never reads
// success where its commit's wait for the standby was cut short (H1, H2), and the proof that it
// does so on an engine. What the library does: preload/commit_guard.cc.
#pragma once

#include <map>
#include <mutex>
#include <string>

#include "base/log.h"
#include "base/result.h"
#include "postgres/catalogue.h"
#include "postgres/connection.h"
#include "system/clock.h"
#include "system/disk.h"
#include "system/entropy.h"
#include "system/processes.h"

namespace howdah::postgres {

Result<std::string> InstallCommitGuard(system::Disk& disk, const std::string& home);

// Success: this server has loaded the guard of this program. kUnsupported: it has not.
Result<> CheckCommitGuard(Connection& admin, Duration limit);

// One host's engines. Each is tried once, on a scratch server that waits for a standby that does
// not exist: a commit is cut short there, with every notice and log line switched off, and the
// client must lose its connection, and the server must live on. What has passed is remembered in
// HOME/lib, for this library and this very engine; what has failed, until this program ends.
// Any thread; others wait while one proves.
class CommitGuards {
 public:
  struct Needs {
    system::Disk& disk;
    system::Processes& processes;
    const system::Clock& clock;
    system::Entropy& entropy;
    const Log& log;
  };
  CommitGuards(std::string home, Needs needs) : home_(std::move(home)), needs_(needs) {}

  // The library with which this engine's servers are to start, or why they start without one.
  Result<std::string> For(const Engine& engine);

 private:
  Result<std::string> Find(const Engine& engine);
  Result<> Prove(const Engine& engine, const std::string& library);

  const std::string home_;
  const Needs needs_;
  std::mutex mutex_;
  std::map<std::string, Result<std::string>> known_;  // by directory of the engine
};

}  // namespace howdah::postgres
