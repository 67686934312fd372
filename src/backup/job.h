// Work that takes long and uses several threads: how far it is, that it shall stop, and the crew
// that does it.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>

#include "base/result.h"
#include "base/time.h"

namespace howdah::backup {

// The owner looks at it and may cancel; the work reports. Safe from any thread.
class Job {
 public:
  std::atomic<std::uint64_t> done_bytes = 0;
  std::atomic<std::uint64_t> total_bytes = 0;  // 0: not known yet

  void Cancel();
  bool IsCancelled() const { return cancelled_; }
  // kUnavailable once it is cancelled.
  Result<> GoOn() const;
  // Waits so long, or until it is cancelled.
  void Pause(Duration pause);

 private:
  std::atomic<bool> cancelled_ = false;
  std::mutex mutex_;
  std::condition_variable changed_;
};

// Runs `work(0) … work(threads - 1)`, each on a thread of its own, and returns when all have
// returned: the first error, if one had any. Each asks `stop` now and then, which is true once
// another has failed.
Result<> RunCrew(unsigned threads,
                 const std::function<Result<>(unsigned, const std::atomic<bool>& stop)>& work);

// Half of the processors, at least two.
unsigned DefaultThreads();

}  // namespace howdah::backup
