// Puts what the queue holds into the repository, in order, again and again until it stands there;
// and when there is nothing to put, makes few objects of many. One thread: Run(). What it writes
// is of one instance and one epoch.
#pragma once

#include <condition_variable>
#include <deque>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "archive/merge.h"
#include "archive/queue.h"
#include "archive/range.h"
#include "archive/reader.h"
#include "base/log.h"
#include "repository/keys.h"
#include "repository/repository.h"
#include "repository/sealed.h"
#include "system/entropy.h"

namespace howdah::archive {

struct WriterNeeds {
  repository::Repository& repository;
  repository::Keys& keys;
  system::Entropy& entropy;
  const system::Clock& clock;
  const Log& log;
};

class Writer {
 public:
  // An idle server's time is put down so often: what a listing alone says about time is no older.
  static constexpr Duration kMarkInterval = std::chrono::minutes(5);

  Writer(InstanceId instance, std::int64_t epoch, WriterNeeds needs, WalQueue& queue)
      : instance_(std::move(instance)),
        epoch_(epoch),
        needs_(needs),
        reader_(needs.repository, needs.keys),
        queue_(queue) {}

  void Run(std::stop_token stop);
  // What the epoch has in the repository already; before anything of it is queued. Any thread.
  Result<> Adopt(const std::vector<Range>& ranges);
  // Why it does not get on; empty: it does. Any thread.
  std::string Problem() const;
  void SetMarkInterval(Duration interval) { mark_interval_ = interval; }  // for tests, before Run()

 private:
  struct Merging {
    Merge merge;
    std::size_t read = 0;  // parts
    std::string bytes;
  };

  void Write(std::stop_token stop, const QueueItem& item);
  Result<> PutSealed(const std::string& name, const std::string& raw, const std::string& sealed);
  repository::DataKey Key();
  Result<repository::DataKey> KeyOfAdopted(const std::vector<Range>& ranges);
  void NoteRange(const Range& range);
  // One small step of upkeep; false: there is nothing to do.
  bool Upkeep();
  Result<bool> Mark();
  Result<bool> MergeStep();
  Result<bool> DeleteOne();
  bool WaitBeforeRetry(std::stop_token stop, Duration pause);
  void SetProblem(std::string problem);

  const InstanceId instance_;
  const std::int64_t epoch_;
  WriterNeeds needs_;
  Reader reader_;
  WalQueue& queue_;
  Duration mark_interval_ = kMarkInterval;

  mutable std::mutex mutex_;
  std::condition_variable_any changed_;
  std::string problem_;
  std::optional<repository::DataKey> key_;
  std::vector<Range> ranges_;  // of segments that are not whole in one object yet; and the mark
  std::deque<Range> needless_;
  bool may_merge_ = true;
  // Only on the thread.
  std::optional<Merging> merging_;
  std::optional<WallTime> marked_;  // the newest time in a name
  MonotonicTime upkeep_after_{};
};

}  // namespace howdah::archive
