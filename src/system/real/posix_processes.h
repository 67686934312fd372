// Processes of this machine: fork and exec, pidfd, /proc.
// Spawn forks twice, so what it starts belongs to init at once: we never have a zombie of it, and
// need no SIGCHLD handler. Run has a direct child and waits for exactly that pid, so it disturbs
// nobody else's children. Stateless; safe from any thread.
#pragma once

#include "system/processes.h"

namespace howdah::system {

class PosixProcesses final : public Processes {
 public:
  Result<ProcessIdentity> Spawn(const SpawnSpec& spec) override;
  Result<RunOutcome> Run(const SpawnSpec& spec, Duration limit) override;
  Result<ProcessIdentity> Identify(pid_t pid) override;
  bool IsAlive(const ProcessIdentity& process) override;
  Result<> Signal(const ProcessIdentity& process, int signal) override;
  bool AwaitExit(const ProcessIdentity& process, Duration limit) override;
  std::vector<ProcessInfo> List() override;
};

}  // namespace howdah::system
