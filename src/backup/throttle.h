// How much of its time a backup may work, so that the workload keeps at least nine tenths of its
// throughput: decided by how long commits take, and how many there are. Pure: who measures commits
// and who waits are others. One thread.
#pragma once

#include <optional>

#include "base/time.h"

namespace howdah::backup {

// What the others' commits are like.
struct Commits {
  Duration time{};        // of one
  double per_second = 0;  // 0: too few to tell
};

struct ThrottleLimits {
  double slowdown = 1.1;        // of a commit, that a backup may cause
  Duration grace = 300us;       // commits that are quicker by so little are as quick
  double least_rate = 0.93;     // of the usual number of commits
  double first_share = 0.2;     // where others commit: nobody is hit before the first look
  double least_share = 0.05;    // a backup must end some day
  Duration longest_pause = 1s;  // so that a better time is seen
  int patience = 20;            // looks at the least share before slow commits count as normal
};

class Throttle {
 public:
  explicit Throttle(ThrottleLimits limits = {}) : limits_(limits) {}

  // What is usual, from before the backup.
  void SetUsual(const Commits& commits);
  // What it is like now; nullopt: nobody commits. Called in even intervals.
  void Observe(const std::optional<Commits>& commits);
  // How long to pause after having worked for so long.
  Duration PauseAfter(Duration worked) const;
  double share() const { return share_; }

 private:
  bool AreSlow(const Commits& commits) const;

  ThrottleLimits limits_;
  std::optional<Commits> usual_;
  double share_ = 1;
  int at_least_ = 0;  // looks since the share is at its least
};

}  // namespace howdah::backup
