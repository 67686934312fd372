// Which automated backups may go. Pure: the plan says, sweep.h does. A point in time within the
// retention always keeps the newest backup before it, whatever goes.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "backup/manifest.h"

namespace howdah::backup {

// A backup of one instance.
struct Kept {
  std::string id;
  bool automated = false;  // others go only when somebody deletes them
  bool in_use = false;     // a restore reads it, or a copy
  std::int64_t timeline = 0, start_lsn = 0;
  WallTime finished{};
  bool operator==(const Kept&) const = default;
};
Kept KeptOf(const Manifest& manifest, bool automated, bool in_use);

struct ExpiryPlan {
  std::vector<std::string> remove;  // ids, oldest first
  // WAL before the start of this one serves no automated backup any more; nothing: none is left,
  // and no WAL of the archive serves anything.
  std::optional<Kept> oldest;
  bool operator==(const ExpiryPlan&) const = default;
};

// `newest`: the newest time that can be restored to: the retention counts back from there, so that
// an instance that was stopped for long, or a clock that jumps, loses nothing. `retention` zero:
// automated backups are off.
ExpiryPlan PlanExpiry(std::span<const Kept> backups, Duration retention, WallTime newest);

}  // namespace howdah::backup
