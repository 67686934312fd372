#include "host/storage.h"

#include <algorithm>

namespace howdah::host {

namespace {

using nodes::StorageState;

// How far ahead the present speed is looked: about what it takes to stop the writers.
constexpr std::uint64_t kForesightSeconds = 1;

StorageState Worsen(const StorageLimit& limit) {
  const std::uint64_t ahead = limit.shrinks_per_second * kForesightSeconds;
  if (limit.left < limit.marks.held) return StorageState::kHeld;
  if (limit.left < std::max(limit.marks.full, limit.marks.held + ahead)) return StorageState::kFull;
  if (limit.left < limit.marks.low) return StorageState::kLow;
  return StorageState::kNormal;
}

// Room to spare: half as much again as where the state began; a stopped server needs that it does
// not have to be stopped again at once.
bool MayLeave(StorageState state, const StorageLimit& limit) {
  const StorageMarks& marks = limit.marks;
  switch (state) {
    case StorageState::kHeld:
      return limit.left >= marks.held + (marks.full - marks.held) / 2;
    case StorageState::kFull:
      return limit.left >= marks.full + marks.full / 2;
    case StorageState::kLow:
      return limit.left >= marks.low + marks.low / 4;
    default:
      return true;
  }
}

std::uint64_t AboveFull(const StorageLimit& limit) {
  return limit.left > limit.marks.full ? limit.left - limit.marks.full : 0;
}

// The time in which so many bytes can be written at that speed.
Duration TimeToWrite(std::uint64_t bytes, std::uint64_t per_second) {
  return std::chrono::milliseconds(bytes / (per_second / 1000));
}

}  // namespace

StorageMarks MarksOfAllocation(std::uint64_t allocated_bytes) {
  const std::uint64_t full = std::clamp(allocated_bytes / 50, 256 * kMiB, 4 * kGiB);
  return {.low = std::max(allocated_bytes / 10, 2 * full), .full = full, .held = full / 4};
}

StorageMarks MarksOfDisk(std::uint64_t total_bytes) {
  const std::uint64_t full = std::clamp(total_bytes / 20, 96 * kMiB, kGiB);
  return {.low = 2 * full, .full = full, .held = full / 3};
}

StorageStanding JudgeStorage(const StorageStanding& before, const StorageLimit& limit,
                             MonotonicTime now) {
  const StorageState worst = Worsen(limit);
  if (worst > before.state) return {.state = worst, .since = now};
  const bool holds = before.state >= StorageState::kFull && now - before.since < kStorageDwell;
  if (worst == before.state || holds || !MayLeave(before.state, limit)) return before;
  // Down by one state at a time, as far as there is room to spare for each.
  StorageStanding next = before;
  while (next.state > worst && MayLeave(next.state, limit)) {
    next.state = static_cast<StorageState>(static_cast<int>(next.state) - 1);
  }
  next.since = now;
  return next;
}

Duration NextLook(const StorageLimit& limit) {
  return std::clamp<Duration>(TimeToWrite(AboveFull(limit), 2 * kGiB), 100ms, 2s);
}

Duration NextWalk(const StorageLimit& limit, Duration took) {
  const Duration least = std::max<Duration>(1s, 20 * took);
  return std::max(least, std::min<Duration>(TimeToWrite(AboveFull(limit), 200 * kMiB), 30s));
}

void StorageTrend::Note(MonotonicTime now, std::uint64_t left) {
  if (begun_ && now - at_ < 1s) return;
  if (begun_) {
    const auto took = static_cast<std::uint64_t>((now - at_).count());
    per_second_ =
        left < left_ ? (left_ - left) * 1000 / std::max<std::uint64_t>(took / 1000, 1) : 0;
  }
  begun_ = true;
  at_ = now;
  left_ = left;
}

}  // namespace howdah::host
