// PosixProcesses::Spawn. The grandchild says its pid and then waits for our word before it execs:
// so we read its start time while it certainly lives, and the identity we return is never a guess.
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>

#include "system/real/launch.h"
#include "system/real/posix_processes.h"
#include "system/real/proc_files.h"

namespace howdah::system {

namespace {

// One whole int, or fewer bytes at the end of the stream.
std::size_t ReadInt(int fd, int& value) {
  std::size_t used = 0;
  auto* bytes = reinterpret_cast<char*>(&value);
  while (used < sizeof value) {
    const ssize_t got = ::read(fd, bytes + used, sizeof value - used);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) break;
    used += static_cast<std::size_t>(got);
  }
  return used;
}

[[noreturn]] void ForkAgain(const Launch& launch, int channel) {
  const pid_t grandchild = ::_Fork();
  if (grandchild < 0) ::_exit(errno & 0xff);
  if (grandchild > 0) ::_exit(0);
  launch.CloseOthers(channel);
  const int self = ::getpid();
  int go = 0;
  if (::send(channel, &self, sizeof self, MSG_NOSIGNAL) != sizeof self) ::_exit(127);
  if (ReadInt(channel, go) != sizeof go) ::_exit(127);
  launch.Become(channel);
}

// Forks child and grandchild, and reaps the child, which leaves at once.
Result<> ForkTwice(const Launch& launch, int theirs) {
  pid_t child = 0;
  {
    const SignalsBlocked blocked;
    child = ::_Fork();
    if (child == 0) ForkAgain(launch, theirs);
  }
  if (child < 0) return Fail(ErrnoError("fork", errno));
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  if (WIFEXITED(status) && WEXITSTATUS(status) != 0) {
    return Fail(ErrnoError("fork", WEXITSTATUS(status)));
  }
  return {};
}

Result<FileDescriptor> OpenOutput(const std::string& path) {
  const char* name = path.empty() ? "/dev/null" : path.c_str();
  FileDescriptor file(::open(name, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY, 0600));
  if (!file.valid()) return Fail(ErrnoError(std::string("open ") + name, errno));
  return file;
}

}  // namespace

Result<ProcessIdentity> PosixProcesses::Spawn(const SpawnSpec& spec) {
  TRY_ASSIGN(FileDescriptor output, OpenOutput(spec.output_path));
  TRY_ASSIGN(const Launch launch, Launch::Prepare(spec, std::move(output)));
  int pair[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0) {
    return Fail(ErrnoError("socketpair", errno));
  }
  const FileDescriptor ours(pair[0]);
  FileDescriptor theirs = LiftDescriptor(FileDescriptor(pair[1]));
  TRY(ForkTwice(launch, theirs.get()));
  theirs.Close();
  ProcessIdentity identity;
  if (ReadInt(ours.get(), identity.pid) != sizeof identity.pid) {
    return Fail(Code::kInternal, "start " + spec.argv.front() + ": the child died before exec");
  }
  TRY_ASSIGN(const ProcStat stat, ReadProcStat(identity.pid));
  identity.start_ticks = stat.start_ticks;
  const int go = 1;
  if (::send(ours.get(), &go, sizeof go, MSG_NOSIGNAL) != sizeof go) {
    return Fail(ErrnoError("start " + spec.argv.front(), errno));
  }
  int why = 0;
  if (ReadInt(ours.get(), why) == sizeof why) {
    return Fail(ErrnoError("start " + spec.argv.front(), why));
  }
  return identity;
}

}  // namespace howdah::system
