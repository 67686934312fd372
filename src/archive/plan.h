// Which objects give back which segments: what a restore hands to restore_command. Pure, and a
// document. Decided once, before anything is made; while PostgreSQL replays nothing is decided any
// more, so what a new epoch writes meanwhile cannot change its meaning.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "archive/coverage.h"
#include "base/document.h"
#include "postgres/wal_format.h"

namespace howdah::archive {

// An object whose raw bytes are WAL: those from `start` to `end`, of which [from, to) is used.
struct PlannedObject {
  std::string name;
  std::uint64_t start = 0, end = 0;
  std::uint64_t from = 0, to = 0;
  bool operator==(const PlannedObject&) const = default;
};

struct PlannedLeg {
  std::uint32_t timeline = 0;
  std::uint64_t start = 0, end = 0;  // end 0: open
  bool operator==(const PlannedLeg&) const = default;
};

struct PlannedHistory {
  std::uint32_t timeline = 0;
  std::string name;
  bool operator==(const PlannedHistory&) const = default;
};

struct WalPlan {
  std::uint64_t segment_bytes = postgres::kWalSegment;
  std::uint64_t end = 0;               // replay gets no WAL from here on
  std::vector<PlannedLeg> legs;        // the path, oldest first
  std::vector<PlannedObject> objects;  // in order of `from`, without overlap
  std::vector<PlannedHistory> histories;
  bool operator==(const WalPlan&) const = default;
};

const DocumentCodec<WalPlan>& WalPlanCodec();

// The archive's WAL [from, to) and the histories of its path. kNotFound where there is a gap. The
// caller puts what else it has (a backup's own WAL) before it. PostgreSQL reads a segment from its
// first byte on, so that must be there.
Result<WalPlan> MakeWalPlan(const InstanceId& instance, const Coverage& coverage,
                            const std::vector<HistoryRef>& histories, Lsn from, Lsn to);

// What a file that PostgreSQL asks for is made of.
struct PlannedFile {
  std::string history;                 // the object of a history file; else empty
  std::uint64_t start = 0, end = 0;    // of a segment: what of it is WAL; zeros follow
  std::vector<PlannedObject> objects;  // cut to [start, end)
};
// Nothing: the plan does not go there, by intent (the end of the plan; a timeline on which the path
// does not lie there). kCorrupt: it should have the file and does not; kInvalid: not a name that
// PostgreSQL asks for.
Result<std::optional<PlannedFile>> FindFile(const WalPlan& plan, std::string_view name);

}  // namespace howdah::archive
