// The decision how much room a node has left, pure: numbers and time in, the state out.
//
// Two limits count, each with marks of its own: what the instance was allocated, and the file
// system that holds the node. A node goes read-only while there still is a reserve (`full`), and is
// stopped before that reserve is gone (`held`), because a session may switch writing on again and
// because PostgreSQL must never meet the end of the disk: a checkpoint that fails is a crash, and a
// crash without room is one for ever.
#pragma once

#include <cstdint>

#include "base/time.h"
#include "nodes/storage.h"

namespace howdah::host {

inline constexpr std::uint64_t kMiB = 1024ULL * 1024;
inline constexpr std::uint64_t kGiB = 1024 * kMiB;

// Bytes left at which a state begins.
struct StorageMarks {
  std::uint64_t low = 0;
  std::uint64_t full = 0;
  std::uint64_t held = 0;
};
StorageMarks MarksOfAllocation(std::uint64_t allocated_bytes);
StorageMarks MarksOfDisk(std::uint64_t total_bytes);

// One limit as it is now.
struct StorageLimit {
  StorageMarks marks;
  std::uint64_t left = 0;
  std::uint64_t shrinks_per_second = 0;
};

// What was decided about one limit, and when.
struct StorageStanding {
  nodes::StorageState state = nodes::StorageState::kNormal;
  MonotonicTime since;
};

// How long a node stays read-only or stopped at least, so that it does not swing with every file.
inline constexpr Duration kStorageDwell = 10s;

// Worse at once, better only with room to spare.
StorageStanding JudgeStorage(const StorageStanding& before, const StorageLimit& limit,
                             MonotonicTime now);

// When to look again: the nearer the reserve, the sooner. A look at the file system costs nothing,
// a walk through the directory costs `took`, and is never more than a small part of the time.
Duration NextLook(const StorageLimit& limit);
Duration NextWalk(const StorageLimit& limit, Duration took);

// How fast something shrinks, over at least a second: a new WAL segment is no trend.
class StorageTrend {
 public:
  void Note(MonotonicTime now, std::uint64_t left);
  std::uint64_t per_second() const { return per_second_; }

 private:
  bool begun_ = false;
  MonotonicTime at_{};
  std::uint64_t left_ = 0;
  std::uint64_t per_second_ = 0;
};

}  // namespace howdah::host
