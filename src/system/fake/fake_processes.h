// A table of processes that a test scripts. Nothing runs: a spawned process lives until it is
// signalled (TERM, INT, QUIT, ABRT, KILL end it unless its test says that it ignores them; KILL
// always does) or until the test ends it. AwaitExit never waits. Safe from any thread.
#pragma once

#include <functional>
#include <map>
#include <mutex>

#include "system/processes.h"

namespace howdah::system {

class FakeProcesses final : public Processes {
 public:
  using RunHandler = std::function<Result<RunOutcome>(const SpawnSpec&)>;
  using SpawnHandler = std::function<Result<>(const SpawnSpec&, const ProcessIdentity&)>;

  Result<ProcessIdentity> Spawn(const SpawnSpec& spec) override;
  Result<RunOutcome> Run(const SpawnSpec& spec, Duration limit) override;
  Result<ProcessIdentity> Identify(pid_t pid) override;
  bool IsAlive(const ProcessIdentity& process) override;
  Result<> Signal(const ProcessIdentity& process, int signal) override;
  bool AwaitExit(const ProcessIdentity& process, Duration limit) override;
  std::vector<ProcessInfo> List() override;

  // What Run answers; without it, exit code 0 and no output.
  void OnRun(RunHandler handler);
  // Called before a spawned process appears; its error is Spawn's.
  void OnSpawn(SpawnHandler handler);
  // A process that somebody else started.
  ProcessIdentity Add(ProcessInfo info);
  void End(pid_t pid);
  void IgnoreSignals(pid_t pid);  // all but SIGKILL
  std::vector<std::pair<pid_t, int>> signals() const;
  std::vector<SpawnSpec> spawned() const;

 private:
  struct Entry {
    ProcessInfo info;
    bool ignores_signals = false;
  };
  bool AliveLocked(const ProcessIdentity& process) const;

  mutable std::mutex mutex_;
  std::map<pid_t, Entry> table_;
  pid_t next_pid_ = 1000;
  std::uint64_t next_ticks_ = 1;
  RunHandler on_run_;
  SpawnHandler on_spawn_;
  std::vector<std::pair<pid_t, int>> signals_;
  std::vector<SpawnSpec> spawned_;
};

}  // namespace howdah::system
