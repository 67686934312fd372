// Starting a program from a threaded program: everything is prepared before the fork, and between
// fork and exec only async-signal-safe calls are made.
#pragma once

#include <signal.h>
#include <sys/types.h>

#include <string>
#include <vector>

#include "system/processes.h"
#include "system/real/file_descriptor.h"

namespace howdah::system {

// A program about to be started. Must outlive the fork; the child reads it in its copy of memory.
class Launch {
 public:
  // `output` becomes stdout and stderr. kInvalid: argv is empty, or a text holds a NUL.
  static Result<Launch> Prepare(const SpawnSpec& spec, FileDescriptor output);

  // In the child only, before it waits for anybody: lets go of every descriptor but those that it
  // needs itself. What it would hold on to otherwise are our locks, and our end of `report`, whose
  // closing is how it learns that we died.
  void CloseOthers(int report) const;

  // In the child only. Becomes the program, in a session of its own; on failure sends errno over
  // `report` and leaves. `report` is closed by a successful exec.
  [[noreturn]] void Become(int report) const;

 private:
  std::vector<std::string> arguments_;
  std::vector<std::string> environment_;
  std::vector<char*> argv_;  // pointers into the above: vectors move, their elements stay
  std::vector<char*> envp_;
  std::string working_directory_;
  FileDescriptor input_;
  FileDescriptor output_;
};

// The same descriptor at a number above stderr, so that dup2 onto 0 to 2 never overwrites it.
FileDescriptor LiftDescriptor(FileDescriptor low);

// Blocks every signal of this thread while it lives: a forked child then cannot run our handlers
// before it has reset them.
class SignalsBlocked {
 public:
  SignalsBlocked();
  ~SignalsBlocked();
  SignalsBlocked(const SignalsBlocked&) = delete;
  SignalsBlocked& operator=(const SignalsBlocked&) = delete;

 private:
  sigset_t before_{};
};

}  // namespace howdah::system
