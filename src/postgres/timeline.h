// Which timelines a primary's history went through, and where it left each. Pure. Faces a socket:
// see tests/fuzz/fuzz_timeline.cc.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "postgres/lsn.h"

namespace howdah::postgres {

struct TimelineSwitch {
  Timeline timeline{};
  Lsn end;  // WAL of that timeline belongs to the history up to here
  bool operator==(const TimelineSwitch&) const = default;
};

// The contents of a timeline's history file: its ancestors, oldest first. kCorrupt for other bytes.
Result<std::vector<TimelineSwitch>> ParseTimelineHistory(std::string_view text);

struct PrimaryHistory {
  std::uint64_t system_identifier = 0;
  Timeline timeline{};
  Lsn flushed;
  std::vector<TimelineSwitch> ancestors;

  // Where this history left that timeline; nothing where it never was on it.
  std::optional<Lsn> ForkOf(Timeline timeline) const;
};

}  // namespace howdah::postgres
