// The seam to processes. A process that lives longer than we do is named by (pid, start time): a
// pid alone may be somebody else's after a restart. Safe from any thread.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/time.h"

namespace howdah::system {

// Which process, beyond doubt: start_ticks is field 22 of /proc/PID/stat.
struct ProcessIdentity {
  pid_t pid = 0;
  std::uint64_t start_ticks = 0;
  bool operator==(const ProcessIdentity&) const = default;
};

struct SpawnSpec {
  std::vector<std::string> argv;           // argv[0] is the program's path
  std::map<std::string, std::string> env;  // the whole environment: nothing is inherited
  std::string working_directory = "/";
  std::string output_path;  // stdout and stderr are appended here; empty: /dev/null
};

struct ProcessInfo {
  ProcessIdentity identity;
  pid_t parent = 0;
  pid_t session = 0;
  char state = '?';               // as in /proc/PID/stat: R S D Z T …
  std::string command;            // argv joined by spaces
  std::string working_directory;  // empty where it cannot be read
};

struct RunOutcome {
  int exit_code = 0;   // 128 + signal where a signal ended it
  std::string output;  // stdout and stderr together, at most 1 MiB
};

class Processes {
 public:
  virtual ~Processes() = default;

  // Starts a process in a session of its own (setsid), with stdin from /dev/null, no inherited
  // descriptors, default signal handlers. It does not die with us.
  virtual Result<ProcessIdentity> Spawn(const SpawnSpec& spec) = 0;
  // Runs to its end and gathers output; past the deadline its whole session is killed: kTimeout.
  virtual Result<RunOutcome> Run(const SpawnSpec& spec, Duration limit) = 0;
  // The identity of a living process (a zombie is not alive); kNotFound where there is none.
  virtual Result<ProcessIdentity> Identify(pid_t pid) = 0;
  virtual bool IsAlive(const ProcessIdentity& process) = 0;
  // Sends a signal to exactly this process; one that is gone is no error.
  virtual Result<> Signal(const ProcessIdentity& process, int signal) = 0;
  // Waits until the process is gone (pidfd), at most `limit`; false on timeout.
  virtual bool AwaitExit(const ProcessIdentity& process, Duration limit) = 0;
  // All processes of our own user, from /proc.
  virtual std::vector<ProcessInfo> List() = 0;
};

}  // namespace howdah::system
