// Reads /proc: what a process is, as the kernel tells it. A process may vanish between two reads;
// that is kNotFound, not a fault.
#pragma once

#include <string>
#include <vector>

#include "system/processes.h"

namespace howdah::system {

struct ProcStat {
  char state = '?';
  pid_t parent = 0;
  pid_t session = 0;
  std::uint64_t start_ticks = 0;
  // Dead for our purposes: it runs no code any more, whether or not its parent has noticed.
  bool dead() const { return state == 'Z' || state == 'X' || state == 'x'; }
};

// The text of /proc/PID/stat. The command (field 2) may hold spaces and parentheses, so fields
// are counted from the last ')'.
Result<ProcStat> ParseProcStat(std::string_view text);
Result<ProcStat> ReadProcStat(pid_t pid);
Result<ProcessInfo> ReadProcessInfo(pid_t pid);
// The pids of all processes that belong to our effective user.
std::vector<pid_t> OwnPids();

}  // namespace howdah::system
