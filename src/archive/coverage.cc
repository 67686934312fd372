#include "archive/coverage.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <map>

namespace howdah::archive {
namespace {

constexpr Lsn kEver{std::numeric_limits<std::uint64_t>::max()};

// From where on WAL of this timeline belongs to a newer epoch than each: by timeline and epoch.
class Successors {
 public:
  explicit Successors(const std::vector<Range>& ranges) {
    for (const Range& range : ranges) {
      if (range.IsMark()) continue;
      auto& first = first_[range.timeline];
      const auto [at, is_new] = first.emplace(range.epoch, range.start);
      if (!is_new) at->second = std::min(at->second, range.start);
    }
  }

  Lsn LimitOf(const Range& range) const {
    Lsn limit = kEver;
    const auto found = first_.find(range.timeline);
    if (found == first_.end()) return limit;
    const auto& epochs = found->second;
    for (auto next = epochs.upper_bound(range.epoch); next != epochs.end(); ++next) {
      limit = std::min(limit, next->second);
    }
    return limit;
  }

 private:
  std::map<Timeline, std::map<std::int64_t, Lsn>> first_;
};

}  // namespace

Path PathTo(Timeline timeline, const std::vector<postgres::TimelineSwitch>& ancestors) {
  Path path;
  Lsn start;
  for (const postgres::TimelineSwitch& ancestor : ancestors) {
    if (ancestor.timeline >= timeline) break;
    // One that was left where it began holds nothing.
    if (ancestor.end > start) {
      path.push_back({.timeline = ancestor.timeline, .start = start, .end = ancestor.end});
      start = ancestor.end;
    }
  }
  path.push_back({.timeline = timeline, .start = start});
  return path;
}

Path NewestPath(const std::vector<Range>& ranges, const std::vector<History>& histories) {
  std::int64_t epoch = -1;
  Timeline timeline{};
  const auto consider = [&](std::int64_t of_epoch, Timeline of) {
    if (of_epoch < epoch) return;
    timeline = of_epoch > epoch ? of : std::max(timeline, of);
    epoch = of_epoch;
  };
  for (const Range& range : ranges) consider(range.epoch, range.timeline);
  for (const History& history : histories) consider(history.ref.epoch, history.ref.timeline);
  if (epoch < 0) return {};
  const History* newest = nullptr;
  for (const History& history : histories) {
    if (history.ref.timeline != timeline) continue;
    if (newest == nullptr || history.ref.epoch > newest->ref.epoch) newest = &history;
  }
  return PathTo(timeline,
                newest == nullptr ? std::vector<postgres::TimelineSwitch>() : newest->ancestors);
}

Coverage::Coverage(const std::vector<Range>& ranges, Path path) : path_(std::move(path)) {
  AddUsable(ranges);
  std::ranges::sort(usable_, [](const Usable& one, const Usable& other) {
    return std::pair(one.start, one.end) < std::pair(other.start, other.end);
  });
  Merge();
}

void Coverage::AddUsable(const std::vector<Range>& ranges) {
  const Successors successors(ranges);
  for (const Range& range : ranges) {
    const auto leg = std::ranges::find(path_, range.timeline, &Leg::timeline);
    if (leg == path_.end()) continue;
    const Lsn limit = std::min(leg->IsOpen() ? kEver : leg->end, successors.LimitOf(range));
    Usable usable{.range = range,
                  .start = std::max(range.start, leg->start),
                  .end = std::min(range.end, limit)};
    if (usable.end < usable.start || (usable.end == usable.start && !range.IsMark())) continue;
    // What is cut off may be what made it true.
    if (usable.IsCut()) usable.range.until.reset();
    usable_.push_back(usable);
  }
}

void Coverage::Merge() {
  for (const Usable& usable : usable_) {
    if (usable.range.IsMark()) continue;
    if (!intervals_.empty() && usable.start <= intervals_.back().end) {
      intervals_.back().end = std::max(intervals_.back().end, usable.end);
    } else {
      intervals_.push_back({.start = usable.start, .end = usable.end});
    }
  }
}

Lsn Coverage::End() const {
  return intervals_.empty() ? Lsn() : intervals_.back().end;
}

std::optional<std::int64_t> Coverage::LastEpoch() const {
  std::optional<std::int64_t> epoch;
  for (const Usable& usable : usable_) {
    if (!epoch || usable.range.epoch > *epoch) epoch = usable.range.epoch;
  }
  return epoch;
}

Lsn Coverage::WholeUntil(Lsn from) const {
  for (const Interval& interval : intervals_) {
    if (interval.start <= from && from < interval.end) return interval.end;
  }
  return from;
}

std::optional<Coverage::Restorable> Coverage::Newest(Lsn from) const {
  const Lsn whole = WholeUntil(from);
  std::optional<Restorable> newest;
  for (const Usable& usable : usable_) {
    if (usable.end < from || usable.end > whole || !usable.range.until) continue;
    if (!newest || *usable.range.until > newest->until) {
      newest = Restorable{.lsn = whole, .until = *usable.range.until};
    }
  }
  return newest;
}

bool Coverage::HasCommitAfter(const Usable& usable, Lsn from, WallTime time) const {
  const bool holds = usable.range.commit && *usable.range.commit > time;
  return holds && usable.end > from && usable.end <= WholeUntil(from);
}

bool Coverage::MayHaveCommitAfter(Lsn from, WallTime time) const {
  return std::ranges::any_of(usable_, [&](const Usable& usable) {
    return usable.IsCut() && HasCommitAfter(usable, from, time);
  });
}

// The newest commit of one that is cut may be in what was cut off, as after a failover: a commit
// that never reached the standby. A recovery that waits for it would never end.
std::optional<Range> Coverage::FirstCommitAfter(Lsn from, WallTime time) const {
  const Usable* first = nullptr;
  for (const Usable& usable : usable_) {
    if (usable.IsCut() || !HasCommitAfter(usable, from, time)) continue;
    if (first == nullptr || usable.end < first->end) first = &usable;
  }
  if (first == nullptr) return std::nullopt;
  Range found = first->range;
  found.end = first->end;
  return found;
}

Result<std::vector<Piece>> Coverage::Serve(Lsn from, Lsn to) const {
  std::vector<Piece> pieces;
  auto next = usable_.begin();
  while (from < to) {
    const Usable* best = nullptr;
    for (; next != usable_.end() && next->start <= from; ++next) {
      if (best == nullptr || next->end > best->end) best = &*next;
    }
    // What reached farther among those passed before was taken already.
    if (best == nullptr || best->end <= from) {
      return Fail(Code::kNotFound,
                  fmt::format("the archive has no WAL at {} (up to {} is asked for)", from.Format(),
                              to.Format()));
    }
    const Lsn end = std::min(best->end, to);
    pieces.push_back({.range = best->range, .from = from, .to = end});
    from = end;
  }
  return pieces;
}

}  // namespace howdah::archive
