// Commands that the command line runs on the caller's terminal: they inherit stdin, stdout, stderr
// and the environment, unlike what system/processes.h starts, which must outlive us.
#pragma once

#include <sys/types.h>

#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "system/real/file_descriptor.h"

namespace howdah::cli {

using EnvironmentChanges = std::vector<std::pair<std::string, std::string>>;

// Becomes the program (found through PATH); returns only when that failed.
Error Become(const std::vector<std::string>& argv, const EnvironmentChanges& changes);

// SIGINT, SIGTERM, SIGHUP and SIGQUIT, blocked in this process from now on and read from a
// descriptor instead.
class SignalsToForward {
 public:
  static Result<SignalsToForward> Block();
  int descriptor() const { return descriptor_.get(); }

 private:
  system::FileDescriptor descriptor_;
};

// One child in the foreground, to which signals are passed on. Lives on one thread.
class ForegroundChild {
 public:
  // A command that cannot be run ends with 127 or 126, as in a shell.
  static Result<ForegroundChild> Start(const std::vector<std::string>& argv,
                                       const EnvironmentChanges& changes, SignalsToForward signals);

  int exit_descriptor() const { return exit_.get(); }  // readable when the child has ended
  int signal_descriptor() const { return signals_.descriptor(); }  // readable: a signal waits
  // Passes one waiting signal on. What a terminal sends to the whole group is not sent twice.
  void ForwardSignal() const;
  // The exit code of the ended child: 128 + signal where a signal ended it.
  int Reap() const;

 private:
  ForegroundChild() = default;
  pid_t pid_ = 0;
  system::FileDescriptor exit_;
  SignalsToForward signals_;
};

}  // namespace howdah::cli
