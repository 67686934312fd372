// See fake_processes.h.
#include "system/fake/fake_processes.h"

#include <signal.h>

#include <utility>

namespace howdah::system {

namespace {

bool Ends(int signal) {
  static constexpr int kEnding[] = {SIGTERM, SIGINT, SIGQUIT, SIGABRT, SIGKILL};
  for (const int ending : kEnding) {
    if (signal == ending) return true;
  }
  return false;
}

std::string Join(const std::vector<std::string>& argv) {
  std::string joined;
  for (const std::string& argument : argv) joined += (joined.empty() ? "" : " ") + argument;
  return joined;
}

}  // namespace

Result<ProcessIdentity> FakeProcesses::Spawn(const SpawnSpec& spec) {
  if (spec.argv.empty()) return Fail(Code::kInvalid, "no program to start");
  ProcessInfo info;
  SpawnHandler handler;
  {
    const std::lock_guard lock(mutex_);
    info.identity = {.pid = next_pid_++, .start_ticks = next_ticks_++};
    handler = on_spawn_;
  }
  if (handler) TRY(handler(spec, info.identity));
  const std::lock_guard lock(mutex_);
  info.parent = 1;
  info.session = info.identity.pid;
  info.state = 'S';
  info.command = Join(spec.argv);
  info.working_directory = spec.working_directory;
  spawned_.push_back(spec);
  table_[info.identity.pid] = Entry{.info = info};
  return info.identity;
}

Result<RunOutcome> FakeProcesses::Run(const SpawnSpec& spec, Duration) {
  if (spec.argv.empty()) return Fail(Code::kInvalid, "no program to start");
  RunHandler handler;
  {
    const std::lock_guard lock(mutex_);
    handler = on_run_;
  }
  return handler ? handler(spec) : RunOutcome{};
}

Result<ProcessIdentity> FakeProcesses::Identify(pid_t pid) {
  const std::lock_guard lock(mutex_);
  const auto found = table_.find(pid);
  if (found == table_.end() || found->second.info.state == 'Z') {
    return Fail(Code::kNotFound, "no process " + std::to_string(pid));
  }
  return found->second.info.identity;
}

bool FakeProcesses::AliveLocked(const ProcessIdentity& process) const {
  const auto found = table_.find(process.pid);
  return found != table_.end() && found->second.info.identity == process &&
         found->second.info.state != 'Z';
}

bool FakeProcesses::IsAlive(const ProcessIdentity& process) {
  const std::lock_guard lock(mutex_);
  return AliveLocked(process);
}

Result<> FakeProcesses::Signal(const ProcessIdentity& process, int signal) {
  const std::lock_guard lock(mutex_);
  if (!AliveLocked(process)) return {};
  signals_.emplace_back(process.pid, signal);
  const bool ignored = table_[process.pid].ignores_signals && signal != SIGKILL;
  if (Ends(signal) && !ignored) table_.erase(process.pid);
  return {};
}

bool FakeProcesses::AwaitExit(const ProcessIdentity& process, Duration) {
  return !IsAlive(process);
}

std::vector<ProcessInfo> FakeProcesses::List() {
  const std::lock_guard lock(mutex_);
  std::vector<ProcessInfo> processes;
  for (const auto& [pid, entry] : table_) processes.push_back(entry.info);
  return processes;
}

void FakeProcesses::OnRun(RunHandler handler) {
  const std::lock_guard lock(mutex_);
  on_run_ = std::move(handler);
}

void FakeProcesses::OnSpawn(SpawnHandler handler) {
  const std::lock_guard lock(mutex_);
  on_spawn_ = std::move(handler);
}

ProcessIdentity FakeProcesses::Add(ProcessInfo info) {
  const std::lock_guard lock(mutex_);
  if (info.identity.pid == 0) info.identity.pid = next_pid_++;
  if (info.identity.start_ticks == 0) info.identity.start_ticks = next_ticks_++;
  if (info.state == '?') info.state = 'S';
  const ProcessIdentity identity = info.identity;
  table_[identity.pid] = Entry{.info = std::move(info)};
  return identity;
}

void FakeProcesses::End(pid_t pid) {
  const std::lock_guard lock(mutex_);
  table_.erase(pid);
}

void FakeProcesses::IgnoreSignals(pid_t pid) {
  const std::lock_guard lock(mutex_);
  table_[pid].ignores_signals = true;
}

std::vector<std::pair<pid_t, int>> FakeProcesses::signals() const {
  const std::lock_guard lock(mutex_);
  return signals_;
}

std::vector<SpawnSpec> FakeProcesses::spawned() const {
  const std::lock_guard lock(mutex_);
  return spawned_;
}

}  // namespace howdah::system
