// See launch.h.
#include "system/real/launch.h"

#include <fcntl.h>
#include <linux/close_range.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

namespace howdah::system {

namespace {

bool HasNul(const std::string& text) {
  return text.find('\0') != std::string::npos;
}

std::vector<char*> Pointers(std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  for (std::string& text : texts) pointers.push_back(text.data());
  pointers.push_back(nullptr);
  return pointers;
}

void ResetSignals() {
  struct sigaction action{};
  action.sa_handler = SIG_DFL;
  for (int signal = 1; signal < NSIG; ++signal) sigaction(signal, &action, nullptr);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
}

}  // namespace

FileDescriptor LiftDescriptor(FileDescriptor low) {
  if (low.get() > STDERR_FILENO || !low.valid()) return low;
  return FileDescriptor(::fcntl(low.get(), F_DUPFD_CLOEXEC, STDERR_FILENO + 1));
}

SignalsBlocked::SignalsBlocked() {
  sigset_t all;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before_);
}

SignalsBlocked::~SignalsBlocked() {
  pthread_sigmask(SIG_SETMASK, &before_, nullptr);
}

Result<Launch> Launch::Prepare(const SpawnSpec& spec, FileDescriptor output) {
  Launch launch;
  launch.arguments_ = spec.argv;
  for (const auto& [name, value] : spec.env) launch.environment_.push_back(name + "=" + value);
  launch.working_directory_ = spec.working_directory;
  if (spec.argv.empty()) return Fail(Code::kInvalid, "no program to start");
  for (const auto* texts : {&launch.arguments_, &launch.environment_}) {
    for (const std::string& text : *texts) {
      if (HasNul(text)) return Fail(Code::kInvalid, "an argument or variable holds a NUL");
    }
  }
  launch.argv_ = Pointers(launch.arguments_);
  launch.envp_ = Pointers(launch.environment_);
  launch.input_ = LiftDescriptor(FileDescriptor(::open("/dev/null", O_RDONLY | O_CLOEXEC)));
  launch.output_ = LiftDescriptor(std::move(output));
  if (!launch.input_.valid() || !launch.output_.valid()) {
    return Fail(ErrnoError("open descriptors of " + spec.argv.front(), errno));
  }
  return launch;
}

void Launch::CloseOthers(int report) const {
  std::array<int, 3> kept = {input_.get(), output_.get(), report};
  std::ranges::sort(kept);
  int next = STDERR_FILENO + 1;
  for (const int each : kept) {
    if (each > next) ::close_range(next, each - 1, 0);
    next = each + 1;
  }
  ::close_range(next, ~0U, 0);
}

void Launch::Become(int report) const {
  ::setsid();
  ResetSignals();
  const bool ready = ::dup2(input_.get(), STDIN_FILENO) >= 0 &&
                     ::dup2(output_.get(), STDOUT_FILENO) >= 0 &&
                     ::dup2(output_.get(), STDERR_FILENO) >= 0 &&
                     ::close_range(STDERR_FILENO + 1, ~0U, CLOSE_RANGE_CLOEXEC) == 0 &&
                     ::chdir(working_directory_.c_str()) == 0;
  if (ready) ::execve(argv_[0], argv_.data(), envp_.data());
  const int why = errno;
  // A report that cannot be sent means that nobody waits for it any more.
  [[maybe_unused]] const ssize_t sent = ::write(report, &why, sizeof why);
  ::_exit(127);
}

}  // namespace howdah::system
