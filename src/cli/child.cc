#include "cli/child.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>

namespace howdah::cli {
namespace {

constexpr int kCannotRun = 126;
constexpr int kNoSuchCommand = 127;

sigset_t ForwardedSignals() {
  sigset_t set;
  sigemptyset(&set);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGQUIT}) sigaddset(&set, signal);
  return set;
}

std::vector<char*> Pointers(const std::vector<std::string>& words) {
  std::vector<char*> pointers;
  pointers.reserve(words.size() + 1);
  // exec wants char* and writes to none of them.
  for (const auto& word : words) pointers.push_back(const_cast<char*>(word.c_str()));
  pointers.push_back(nullptr);
  return pointers;
}

// Our environment with the changes, as exec wants it.
std::vector<std::string> ChangedEnvironment(const EnvironmentChanges& changes) {
  std::vector<std::string> environment;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string text = *entry;
    bool changed = false;
    for (const auto& [name, value] : changes) changed |= text.starts_with(name + "=");
    if (!changed) environment.push_back(text);
  }
  for (const auto& [name, value] : changes) environment.push_back(name + "=" + value);
  return environment;
}

}  // namespace

Error Become(const std::vector<std::string>& argv, const EnvironmentChanges& changes) {
  const auto environment = ChangedEnvironment(changes);
  const auto arguments = Pointers(argv);
  execvpe(arguments[0], arguments.data(), Pointers(environment).data());
  return ErrnoError("run " + argv.front(), errno);
}

Result<SignalsToForward> SignalsToForward::Block() {
  SignalsToForward signals;
  const sigset_t forwarded = ForwardedSignals();
  if (const int error = pthread_sigmask(SIG_BLOCK, &forwarded, nullptr); error != 0) {
    return Fail(ErrnoError("block signals", error));
  }
  signals.descriptor_ =
      system::FileDescriptor(signalfd(-1, &forwarded, SFD_CLOEXEC | SFD_NONBLOCK));
  if (!signals.descriptor_.valid()) return Fail(ErrnoError("signalfd", errno));
  return signals;
}

Result<ForegroundChild> ForegroundChild::Start(const std::vector<std::string>& argv,
                                               const EnvironmentChanges& changes,
                                               SignalsToForward signals) {
  ForegroundChild child;
  child.signals_ = std::move(signals);
  child.pid_ = fork();
  if (child.pid_ < 0) return Fail(ErrnoError("fork", errno));
  if (child.pid_ == 0) {
    // We have one thread, so the child may do more than async-signal-safe calls.
    const sigset_t forwarded = ForwardedSignals();
    pthread_sigmask(SIG_UNBLOCK, &forwarded, nullptr);
    const Error error = Become(argv, changes);
    const std::string text = "howdah run: " + error.what() + "\n";
    [[maybe_unused]] const auto written = write(STDERR_FILENO, text.data(), text.size());
    _exit(error.code() == Code::kNotFound ? kNoSuchCommand : kCannotRun);
  }
  child.exit_ = system::FileDescriptor(static_cast<int>(syscall(SYS_pidfd_open, child.pid_, 0)));
  if (!child.exit_.valid()) return Fail(ErrnoError("pidfd_open", errno));
  return child;
}

void ForegroundChild::ForwardSignal() const {
  signalfd_siginfo info{};
  if (read(signals_.descriptor(), &info, sizeof info) != static_cast<ssize_t>(sizeof info)) return;
  const int signal = static_cast<int>(info.ssi_signo);
  // The kernel gives Ctrl-C and hang-up to every process of the terminal's foreground group.
  const bool from_terminal = info.ssi_code == SI_KERNEL;
  if (!from_terminal) kill(pid_, signal);
}

int ForegroundChild::Reap() const {
  int status = 0;
  while (waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
  }
  if (WIFSIGNALED(status)) return 128 + WTERMSIG(status);
  return WEXITSTATUS(status);
}

}  // namespace howdah::cli
