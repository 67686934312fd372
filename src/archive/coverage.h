// What of an instance's WAL the repository holds, along one path of timelines: where it is whole,
// up to when, and which objects serve a stretch of it. Pure. Two rules keep it right: WAL of a
// timeline beyond the fork to the next is never used, and neither is an older epoch's WAL of a
// timeline from where a newer epoch's WAL of the same timeline begins.
#pragma once

#include <optional>
#include <vector>

#include "archive/range.h"
#include "base/result.h"
#include "postgres/timeline.h"

namespace howdah::archive {

// The stretch of a path that lies on one timeline; the last has no end.
struct Leg {
  Timeline timeline{};
  Lsn start, end;  // end 0: open
  bool operator==(const Leg&) const = default;
  bool IsOpen() const { return end.IsNone(); }
};
using Path = std::vector<Leg>;  // oldest first

// The path that leads to `timeline`, by the history of it.
Path PathTo(Timeline timeline, const std::vector<postgres::TimelineSwitch>& ancestors);

// A timeline's history as it was read from the repository.
struct History {
  HistoryRef ref;
  std::vector<postgres::TimelineSwitch> ancestors;
};

// The path to the newest timeline of the newest epoch; empty where there is nothing. Without a
// history of it, that timeline alone.
Path NewestPath(const std::vector<Range>& ranges, const std::vector<History>& histories);

// A part of one object.
struct Piece {
  Range range;
  Lsn from, to;  // what is used of it
  bool operator==(const Piece&) const = default;
};

class Coverage {
 public:
  struct Interval {
    Lsn start, end;
    bool operator==(const Interval&) const = default;
  };
  struct Restorable {
    Lsn lsn;         // the WAL is whole up to here
    WallTime until;  // and has every commit that was acknowledged up to then
    bool operator==(const Restorable&) const = default;
  };

  Coverage() = default;
  Coverage(const std::vector<Range>& ranges, Path path);

  const Path& path() const { return path_; }
  // Whole stretches, in order, with a gap between each two.
  const std::vector<Interval>& intervals() const { return intervals_; }
  Lsn End() const;  // of the last; 0: there is none
  // The newest epoch that wrote what is used.
  std::optional<std::int64_t> LastEpoch() const;

  // Where the WAL that follows on `from` ends or has its first gap; `from` itself where nothing
  // follows.
  Lsn WholeUntil(Lsn from) const;
  // How far one can get who has everything before `from` (a backup's end).
  std::optional<Restorable> Newest(Lsn from) const;
  // The first object from `from` on, without a gap, that is known to hold a commit later than
  // `time`; its end is as far as replay needs WAL to stop before that commit.
  std::optional<Range> FirstCommitAfter(Lsn from, WallTime time) const;
  // An object that is used in part only has a commit later than `time`, perhaps in that part.
  bool MayHaveCommitAfter(Lsn from, WallTime time) const;
  // Few objects that hold [from, to), in order, without overlap. kNotFound says where the gap is.
  Result<std::vector<Piece>> Serve(Lsn from, Lsn to) const;

 private:
  struct Usable {
    Range range;
    Lsn start, end;  // what may be used of it
    bool IsCut() const { return end < range.end; }
  };
  void AddUsable(const std::vector<Range>& ranges);
  void Merge();
  bool HasCommitAfter(const Usable& usable, Lsn from, WallTime time) const;

  Path path_;
  std::vector<Usable> usable_;  // by start
  std::vector<Interval> intervals_;
};

}  // namespace howdah::archive
