// See posix_processes.h. A pidfd is opened first and the identity checked after: from then on the
// descriptor, unlike the number, cannot come to mean another process.
#include "system/real/posix_processes.h"

#include <poll.h>

#include <algorithm>
#include <cerrno>

#include "system/real/file_descriptor.h"
#include "system/real/pidfd.h"
#include "system/real/proc_files.h"
#include "system/real/real_clock.h"

namespace howdah::system {

namespace {

bool IsThis(const ProcessIdentity& process) {
  const Result<ProcStat> stat = ReadProcStat(process.pid);
  return stat && !stat->dead() && stat->start_ticks == process.start_ticks;
}

// Nothing where the process is gone.
Result<FileDescriptor> OpenPidfd(const ProcessIdentity& process) {
  if (process.pid <= 0) return FileDescriptor();
  FileDescriptor pidfd(PidfdOpen(process.pid));
  if (!pidfd.valid() && errno != ESRCH) return Fail(ErrnoError("pidfd_open", errno));
  if (pidfd.valid() && !IsThis(process)) return FileDescriptor();
  return pidfd;
}

}  // namespace

Result<ProcessIdentity> PosixProcesses::Identify(pid_t pid) {
  const auto gone = [pid] { return Fail(Code::kNotFound, "no process " + std::to_string(pid)); };
  if (pid <= 0) return gone();
  const Result<ProcStat> stat = ReadProcStat(pid);
  if (!stat || stat->dead()) return gone();
  return ProcessIdentity{.pid = pid, .start_ticks = stat->start_ticks};
}

bool PosixProcesses::IsAlive(const ProcessIdentity& process) {
  return process.pid > 0 && IsThis(process);
}

Result<> PosixProcesses::Signal(const ProcessIdentity& process, int signal) {
  TRY_ASSIGN(const FileDescriptor pidfd, OpenPidfd(process));
  if (!pidfd.valid()) return {};
  if (PidfdSendSignal(pidfd.get(), signal) == 0 || errno == ESRCH) return {};
  return Fail(ErrnoError("signal process " + std::to_string(process.pid), errno));
}

bool PosixProcesses::AwaitExit(const ProcessIdentity& process, Duration limit) {
  const RealClock clock;
  const MonotonicTime deadline = clock.Monotonic() + limit;
  const Result<FileDescriptor> pidfd = OpenPidfd(process);
  if (!pidfd) return !IsAlive(process);
  while (pidfd->valid()) {
    const auto left =
        std::chrono::ceil<std::chrono::milliseconds>(deadline - clock.Monotonic()).count();
    pollfd wait{pidfd->get(), POLLIN, 0};
    const int timeout_ms = static_cast<int>(std::clamp<std::int64_t>(left, 0, 60'000));
    if (::poll(&wait, 1, timeout_ms) > 0) return true;
    if (left <= 0) return false;
  }
  return true;
}

std::vector<ProcessInfo> PosixProcesses::List() {
  std::vector<ProcessInfo> processes;
  for (const pid_t pid : OwnPids()) {
    if (Result<ProcessInfo> info = ReadProcessInfo(pid)) processes.push_back(*std::move(info));
  }
  std::ranges::sort(processes, {}, [](const ProcessInfo& info) { return info.identity.pid; });
  return processes;
}

}  // namespace howdah::system
