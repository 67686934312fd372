// Measures one node's storage on a thread of its own, so that a slow disk or a large directory
// never delays the watch over its server, and says what was decided (storage.h). What cannot be
// measured is reported as that, and the last decision stays.
#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>

#include "host/storage.h"
#include "nodes/storage.h"
#include "system/clock.h"
#include "system/disk.h"

namespace howdah::host {

class StorageWatch {
 public:
  struct Needs {
    system::Disk& disk;
    const system::Clock& clock;
    std::function<void()> on_change;  // the report is another; called on the watch's thread
  };
  // `last`: what an earlier watch of this node reported.
  StorageWatch(Needs needs, const nodes::Storage& last);

  void Start();
  // Measures that directory, with so much allocated, from now on. The first call looks at the file
  // system before it returns: no server is started blindly.
  void Follow(const std::string& directory, std::uint64_t allocated_bytes);
  // Nothing has to be watched: the node is to be stopped or absent.
  void Rest();
  // In coarse steps, so that the store is not written all the time.
  nodes::Storage Report() const;

  // One measurement; returns when the next is due. For tests and the thread.
  Duration Pass();

 private:
  struct Target {
    std::string directory;
    std::uint64_t allocated = 0;
    bool operator==(const Target&) const = default;
  };
  struct Numbers {
    std::uint64_t used = 0;
    system::SpaceInfo space;
  };
  Result<Numbers> Measure(const Target& target, MonotonicTime now);
  bool WalkIsDue(MonotonicTime now, std::uint64_t disk_free) const;
  StorageLimit AllocationLimit(const Target& target) const;
  StorageLimit DiskLimit(const system::SpaceInfo& space) const;
  nodes::Storage Decide(const Target& target, const Numbers& numbers, MonotonicTime now);
  void Tell(nodes::Storage report, std::uint64_t scale);
  void Run(std::stop_token stop);

  const Needs needs_;

  std::mutex measuring_;  // held while one measures and decides; taken before mutex_
  StorageStanding allocation_;
  StorageStanding disk_;
  StorageTrend allocation_trend_;
  StorageTrend disk_trend_;
  std::uint64_t used_ = 0;
  std::uint64_t free_at_walk_ = 0;
  std::optional<MonotonicTime> walked_;
  Duration walk_interval_{};

  mutable std::mutex mutex_;
  std::condition_variable_any changed_;
  std::optional<Target> target_;
  bool target_is_new_ = false;
  nodes::Storage report_;
  std::jthread thread_;  // last: stops first
};

}  // namespace howdah::host
