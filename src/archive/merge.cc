#include "archive/merge.h"

#include <algorithm>
#include <set>

#include "postgres/wal_format.h"

namespace howdah::archive {
namespace {

std::uint64_t SegmentOf(Lsn lsn) {
  return lsn.value() / postgres::kWalSegment;
}

void Extend(Range& whole, const Range& part) {
  whole.end = part.end;
  whole.until = std::max(whole.until, part.until);  // none is before any time
  whole.commit = std::max(whole.commit, part.commit);
}

bool IsDue(const Merge& merge) {
  const bool ends_segment = merge.whole.end.value() % postgres::kWalSegment == 0;
  return merge.parts.size() >= (ends_segment ? kFewestParts : kMostParts);
}

}  // namespace

std::optional<Merge> NextMerge(const std::vector<Range>& ranges) {
  std::vector<Range> sorted = ranges;
  std::erase_if(sorted, [](const Range& range) { return range.IsMark(); });
  std::ranges::sort(sorted);
  std::optional<Merge> run;
  for (const Range& range : sorted) {
    const bool goes_on = run && run->whole.end == range.start && run->whole.epoch == range.epoch &&
                         run->whole.timeline == range.timeline &&
                         SegmentOf(run->whole.start) == SegmentOf(range.start);
    if (goes_on) {
      Extend(run->whole, range);
      run->parts.push_back(range);
      continue;
    }
    if (run && IsDue(*run)) return run;
    run = Merge{.whole = range, .parts = {range}};
  }
  if (run && IsDue(*run)) return run;
  return std::nullopt;
}

std::vector<Range> NeedlessOf(const std::vector<Range>& ranges) {
  std::vector<Range> sorted = ranges;
  // The one that reaches farthest first among those that begin alike.
  std::ranges::sort(sorted, [](const Range& one, const Range& other) {
    return std::tuple(one.epoch, one.timeline, one.start, other.end) <
           std::tuple(other.epoch, other.timeline, other.start, one.end);
  });
  std::vector<Range> needless;
  const Range* farthest = nullptr;
  for (const Range& range : sorted) {
    if (range.IsMark()) continue;
    // Whoever covers it must also say as much about time.
    const bool is_covered = farthest != nullptr && farthest->Covers(range) &&
                            farthest->until >= range.until && farthest->commit >= range.commit;
    if (is_covered) {
      needless.push_back(range);
    } else if (farthest == nullptr || !farthest->Covers(range)) {
      farthest = &range;
    }
  }
  // A mark says when; one that is older than what another says of a later place is of no use.
  for (const Range& mark : sorted) {
    if (!mark.IsMark()) continue;
    const bool is_old = std::ranges::any_of(sorted, [&](const Range& other) {
      return other.epoch == mark.epoch && other.timeline == mark.timeline &&
             other.end >= mark.end && other != mark && other.until > mark.until;
    });
    if (is_old) needless.push_back(mark);
  }
  return needless;
}

}  // namespace howdah::archive
