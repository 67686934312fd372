#include "backup/job.h"

#include <algorithm>
#include <optional>
#include <thread>
#include <vector>

namespace howdah::backup {

void Job::Cancel() {
  const std::lock_guard lock(mutex_);
  cancelled_ = true;
  changed_.notify_all();
}

Result<> Job::GoOn() const {
  if (!cancelled_) return {};
  return Fail(Code::kUnavailable, "cancelled");
}

void Job::Pause(Duration pause) {
  if (pause <= Duration(0)) return;
  std::unique_lock lock(mutex_);
  changed_.wait_for(lock, pause, [this] { return cancelled_.load(); });
}

Result<> RunCrew(unsigned threads,
                 const std::function<Result<>(unsigned, const std::atomic<bool>& stop)>& work) {
  std::atomic<bool> stop = false;
  std::mutex mutex;
  std::optional<Error> first;
  {
    std::vector<std::jthread> crew;
    for (unsigned i = 0; i < threads; ++i) {
      crew.emplace_back([&, i] {
        const Result<> result = work(i, stop);
        if (result) return;
        stop = true;
        const std::lock_guard lock(mutex);
        if (!first) first = result.error();
      });
    }
  }
  return first ? Fail(*std::move(first)) : Result<>();
}

unsigned DefaultThreads() {
  return std::max(2U, std::thread::hardware_concurrency() / 2);
}

}  // namespace howdah::backup
