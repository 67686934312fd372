// When automated snapshots are due and when they may go. Pure; all times are given.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "fleet/backup.h"

namespace howdah::fleet {

// Whether an automated snapshot should be begun now: once in each backup window, soon where there
// is none yet, and in any case when the newest is older than a day and a bit, because a window may
// have been slept through. `failed`: when the last try failed. `gap_open`: nothing of now can be
// restored before there is one.
bool IsSnapshotDue(std::string_view backup_window, const std::vector<DbSnapshot>& automated,
                   WallTime failed, bool gap_open, WallTime now);

// What no promised restore needs any more: all but those of the last `retention_days` and the
// newest one before them, with which a restore to the first of these days begins. By name.
std::vector<std::string> ExpiredSnapshots(const std::vector<DbSnapshot>& automated,
                                          std::int64_t retention_days, WallTime now);

}  // namespace howdah::fleet
