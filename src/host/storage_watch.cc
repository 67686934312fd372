#include "host/storage_watch.h"

#include <algorithm>

namespace howdah::host {

namespace {

using nodes::StorageState;

constexpr Duration kAfterError = 2s;
constexpr std::uint64_t kCoarse = 1000;  // a thousandth of the whole is worth a report
constexpr std::uint64_t kLeastStep = 16 * kMiB;

bool IsFar(std::int64_t a, std::int64_t b, std::uint64_t step) {
  return static_cast<std::uint64_t>(a < b ? b - a : a - b) >= step;
}

std::uint64_t Minus(std::uint64_t a, std::uint64_t b) {
  return a > b ? a - b : 0;
}

}  // namespace

// What an earlier watch decided stands until this one knows better.
StorageWatch::StorageWatch(Needs needs, const nodes::Storage& last)
    : needs_(std::move(needs)),
      used_(static_cast<std::uint64_t>(std::max<std::int64_t>(last.used_bytes, 0))),
      report_(last) {
  if (last.state == StorageState::kUnknown) return;
  (last.disk_is_short ? disk_ : allocation_) = {.state = last.state,
                                                .since = needs_.clock.Monotonic()};
}

void StorageWatch::Start() {
  thread_ = std::jthread([this](std::stop_token stop) { Run(stop); });
}

void StorageWatch::Follow(const std::string& directory, std::uint64_t allocated_bytes) {
  const Target target{.directory = directory, .allocated = allocated_bytes};
  bool is_first = false;
  {
    const std::lock_guard lock(mutex_);
    if (target_ == target) return;
    is_first = !target_;
  }
  if (is_first) {
    // Without the walk, which may take its time: that follows on the thread.
    const std::lock_guard measuring(measuring_);
    const Result<system::SpaceInfo> space = needs_.disk.Space(directory);
    const MonotonicTime now = needs_.clock.Monotonic();
    if (space) Tell(Decide(target, {.used = used_, .space = *space}, now), space->total_bytes);
  }
  const std::lock_guard lock(mutex_);
  target_ = target;
  target_is_new_ = true;
  changed_.notify_all();
}

void StorageWatch::Rest() {
  const std::lock_guard lock(mutex_);
  target_.reset();
}

nodes::Storage StorageWatch::Report() const {
  const std::lock_guard lock(mutex_);
  return report_;
}

void StorageWatch::Run(std::stop_token stop) {
  while (!stop.stop_requested()) {
    const Duration again = Pass();
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, stop, again, [this] { return target_is_new_; });
    target_is_new_ = false;
  }
}

Duration StorageWatch::Pass() {
  std::optional<Target> target;
  nodes::Storage last;
  {
    const std::lock_guard lock(mutex_);
    target = target_;
    last = report_;
  }
  if (!target) return kAfterError;
  const std::lock_guard measuring(measuring_);
  const MonotonicTime now = needs_.clock.Monotonic();
  const Result<Numbers> numbers = Measure(*target, now);
  if (!numbers) {
    last.error = "the storage cannot be measured: " + numbers.error().what();
    Tell(std::move(last), 0);
    return kAfterError;
  }
  Tell(Decide(*target, *numbers, now), std::min(target->allocated, numbers->space.total_bytes));
  return std::min({NextLook(DiskLimit(numbers->space)), walk_interval_, Duration(2s)});
}

Result<StorageWatch::Numbers> StorageWatch::Measure(const Target& target, MonotonicTime now) {
  TRY_ASSIGN(const system::SpaceInfo space, needs_.disk.Space(target.directory));
  disk_trend_.Note(now, space.free_bytes);
  if (WalkIsDue(now, space.free_bytes)) {
    TRY_ASSIGN(used_, needs_.disk.TreeBytes(target.directory));
    walked_ = now;
    free_at_walk_ = space.free_bytes;
    allocation_trend_.Note(now, Minus(target.allocated, used_));
    // A node that has just been made grows fast at first.
    walk_interval_ = std::min(NextWalk(AllocationLimit(target), needs_.clock.Monotonic() - now),
                              std::max<Duration>(1s, 2 * walk_interval_));
  }
  return Numbers{.used = used_, .space = space};
}

// Whatever the node has grown by since the last walk, its file system has shrunk by.
bool StorageWatch::WalkIsDue(MonotonicTime now, std::uint64_t disk_free) const {
  if (!walked_ || now - *walked_ >= walk_interval_) return true;
  return now - *walked_ >= 1s && Minus(free_at_walk_, disk_free) >= kGiB;
}

StorageLimit StorageWatch::AllocationLimit(const Target& target) const {
  return {.marks = MarksOfAllocation(target.allocated),
          .left = Minus(target.allocated, used_),
          .shrinks_per_second = allocation_trend_.per_second()};
}

StorageLimit StorageWatch::DiskLimit(const system::SpaceInfo& space) const {
  return {.marks = MarksOfDisk(space.total_bytes),
          .left = space.free_bytes,
          .shrinks_per_second = disk_trend_.per_second()};
}

nodes::Storage StorageWatch::Decide(const Target& target, const Numbers& numbers,
                                    MonotonicTime now) {
  const StorageLimit allocation = AllocationLimit(target);
  const StorageLimit disk = DiskLimit(numbers.space);
  // Without a walk nothing new is known of the allocation.
  if (walked_) allocation_ = JudgeStorage(allocation_, allocation, now);
  disk_ = JudgeStorage(disk_, disk, now);
  return {.state = std::max(allocation_.state, disk_.state),
          .disk_is_short = disk_.state > allocation_.state,
          .used_bytes = static_cast<std::int64_t>(numbers.used),
          .free_bytes = static_cast<std::int64_t>(std::min(allocation.left, disk.left)),
          .error = ""};
}

void StorageWatch::Tell(nodes::Storage report, std::uint64_t scale) {
  const std::uint64_t step = std::max(scale / kCoarse, kLeastStep);
  {
    const std::lock_guard lock(mutex_);
    const bool same = report.state == report_.state && report.error == report_.error &&
                      report.disk_is_short == report_.disk_is_short &&
                      !IsFar(report.used_bytes, report_.used_bytes, step) &&
                      !IsFar(report.free_bytes, report_.free_bytes, step);
    if (same) return;
    report_ = std::move(report);
  }
  needs_.on_change();
}

}  // namespace howdah::host
