// Keeps a backup out of the workload's way: commits something small now and then, on a connection
// of its own, and lets the throttle decide by how long that took. Where nobody else commits, nobody
// is in the way.
#pragma once

#include <condition_variable>
#include <mutex>
#include <optional>
#include <thread>

#include "backup/throttle.h"
#include "postgres/connection.h"
#include "system/clock.h"

namespace howdah::backup {

class Pacer {
 public:
  // `primary`: a superuser's way to it. Where it cannot be asked, there are no pauses.
  Pacer(postgres::ConnectOptions primary, const system::Clock& clock);
  ~Pacer();

  // Finds out what is usual; before the backup begins.
  void Learn();
  // Looks at commits from here on, on a thread of its own.
  void Start();
  // How long to pause after having worked for so long. Any thread.
  Duration PauseAfter(Duration worked) const;

 private:
  // Nothing where nobody else commits, or the server does not answer.
  std::optional<Commits> Look();
  Result<Duration> TimeCommit();
  // That write, by others, since the last call.
  Result<std::int64_t> CountCommits();
  void Run();

  const postgres::ConnectOptions primary_;
  const system::Clock& clock_;
  std::optional<postgres::Connection> connection_;
  std::int64_t commits_ = 0;  // of all, when last looked
  MonotonicTime counted_{};
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  bool ended_ = false;
  Throttle throttle_;
  std::jthread thread_;
};

}  // namespace howdah::backup
