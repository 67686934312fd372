// How well the archive of an instance's write-ahead log follows, as a state of health: what its
// agent reports is judged against bounds, and what changes is told by events, once. A *gap* is WAL
// that the server gave up before the repository had it: times in it can never be restored, and what
// follows only with a backup that begins after it.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "fleet/backup.h"
#include "fleet/context.h"
#include "fleet/instance.h"
#include "fleet/records.h"
#include "nodes/node.h"

namespace howdah::fleet {

// What has been told of an instance's archive.
struct ArchiveTold {
  std::string trouble;       // why it is behind; empty: it follows
  std::int64_t gap_end = 0;  // where the newest gap ends; 0: there has been none
  WallTime gap_since{};      // everything that was committed up to then is before the gap
  bool operator==(const ArchiveTold&) const = default;
};
std::string Format(const ArchiveTold& told);
Result<ArchiveTold> ParseArchiveTold(std::string_view text);
Result<Versioned<ArchiveTold>> LoadArchiveTold(store::Store& store, const InstanceId& id);

// --- pure ---

// Why the archive is not as it should be; empty: it is. `keep_bytes`: how much WAL the server keeps
// for it before it gives some up.
std::string ArchiveTrouble(const nodes::Archived& archived, std::int64_t keep_bytes, WallTime now);
// Whether it has caught up: within tighter bounds, so that it is not told of again and again.
bool HasCaughtUp(const nodes::Archived& archived, std::int64_t keep_bytes, WallTime now);

// What is to be told now. `since`: since when there has been trouble without a break.
struct ArchiveNews {
  bool is_behind = false;
  bool has_caught_up = false;
  bool has_gap = false;
  bool Any() const { return is_behind || has_caught_up || has_gap; }
  bool operator==(const ArchiveNews&) const = default;
};
ArchiveNews NewsOf(const ArchiveTold& told, const nodes::Archived& archived,
                   std::int64_t keep_bytes, std::optional<WallTime> since, WallTime now);

// Whether nothing from behind the gap can be restored yet: no automated snapshot began there.
bool IsGapOpen(const ArchiveTold& told, const std::vector<DbSnapshot>& automated);

// --- of one instance, for people ---

struct ArchiveHealth {
  std::string_view state;  // "off", "starting", "following", "behind"
  nodes::Archived archived;
  std::string trouble;
  std::optional<WallTime> gap_since;  // while the gap is open
};
Result<ArchiveHealth> ArchiveHealthOf(store::Store& store, const Instance& instance);

}  // namespace howdah::fleet
