// PosixProcesses::Run: to the end of the program itself, not of what it may have left running with
// the output still open.
#include <fcntl.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "system/real/launch.h"
#include "system/real/pidfd.h"
#include "system/real/posix_processes.h"
#include "system/real/proc_files.h"
#include "system/real/real_clock.h"

namespace howdah::system {

namespace {

constexpr std::size_t kMaximumOutput = 1 << 20;

struct Child {
  pid_t pid = 0;
  FileDescriptor pidfd;
  FileDescriptor output;
};

// Reads what is there; false at the end of the stream. What exceeds the limit is read and dropped,
// so that the program does not block on a full pipe.
bool Drain(int fd, std::string& output) {
  char buffer[16384];
  for (;;) {
    const ssize_t got = ::read(fd, buffer, sizeof buffer);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return errno == EAGAIN;
    if (got == 0) return false;
    const std::size_t room = kMaximumOutput - output.size();
    output.append(buffer, std::min(room, static_cast<std::size_t>(got)));
  }
}

void KillSession(pid_t session) {
  ::kill(session, SIGKILL);
  for (const pid_t pid : OwnPids()) {
    const Result<ProcStat> stat = ReadProcStat(pid);
    if (stat && stat->session == session) ::kill(pid, SIGKILL);
  }
}

int Reap(pid_t pid) {
  int status = 0;
  while (::waitpid(pid, &status, 0) < 0) {
    if (errno != EINTR) return -1;
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

Result<Child> Start(const SpawnSpec& spec) {
  int out[2];
  int report[2];
  if (::pipe2(out, O_CLOEXEC) != 0) return Fail(ErrnoError("pipe", errno));
  FileDescriptor output(out[0]);
  TRY_ASSIGN(Launch launch, Launch::Prepare(spec, FileDescriptor(out[1])));
  if (::pipe2(report, O_CLOEXEC) != 0) return Fail(ErrnoError("pipe", errno));
  const FileDescriptor ours(report[0]);
  FileDescriptor theirs = LiftDescriptor(FileDescriptor(report[1]));
  Child child;
  {
    const SignalsBlocked blocked;
    child.pid = ::_Fork();
    if (child.pid == 0) launch.Become(theirs.get());
  }
  if (child.pid < 0) return Fail(ErrnoError("fork", errno));
  theirs.Close();
  int why = 0;
  ssize_t got = 0;
  while ((got = ::read(ours.get(), &why, sizeof why)) < 0 && errno == EINTR) {
  }
  if (got == sizeof why) {
    Reap(child.pid);
    return Fail(ErrnoError("start " + spec.argv.front(), why));
  }
  child.pidfd = FileDescriptor(PidfdOpen(child.pid));
  if (!child.pidfd.valid()) {
    const int number = errno;
    KillSession(child.pid);
    Reap(child.pid);
    return Fail(ErrnoError("pidfd_open", number));
  }
  ::fcntl(output.get(), F_SETFL, O_NONBLOCK);
  child.output = std::move(output);
  return child;
}

// True when the program ended before the deadline.
bool Gather(Child& child, MonotonicTime deadline, std::string& output) {
  const RealClock clock;
  for (;;) {
    const auto left =
        std::chrono::ceil<std::chrono::milliseconds>(deadline - clock.Monotonic()).count();
    if (left <= 0) return false;
    pollfd waits[2] = {{child.pidfd.get(), POLLIN, 0}, {child.output.get(), POLLIN, 0}};
    const int timeout_ms = static_cast<int>(std::min<std::int64_t>(left, 60'000));
    if (::poll(waits, 2, timeout_ms) < 0 && errno != EINTR) return false;
    if (child.output.valid() && !Drain(child.output.get(), output)) child.output.Close();
    if (waits[0].revents != 0) {
      if (child.output.valid()) Drain(child.output.get(), output);
      return true;
    }
  }
}

}  // namespace

Result<RunOutcome> PosixProcesses::Run(const SpawnSpec& spec, Duration limit) {
  const MonotonicTime deadline = RealClock().Monotonic() + limit;
  TRY_ASSIGN(Child child, Start(spec));
  RunOutcome outcome;
  const bool ended = Gather(child, deadline, outcome.output);
  if (!ended) KillSession(child.pid);
  outcome.exit_code = Reap(child.pid);
  if (!ended) {
    return Fail(Code::kTimeout, spec.argv.front() + " did not end within " + FormatDuration(limit));
  }
  if (outcome.exit_code < 0) {
    return Fail(Code::kInternal, spec.argv.front() + ": its exit status was lost");
  }
  return outcome;
}

}  // namespace howdah::system
