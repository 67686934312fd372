#include "backup/expiry.h"

#include <algorithm>
#include <tuple>

namespace howdah::backup {

namespace {

// The order of an instance's history: within it timelines and positions only go up, whatever the
// clocks of its hosts say.
bool IsOlder(const Kept& left, const Kept& right) {
  return std::tie(left.timeline, left.start_lsn) < std::tie(right.timeline, right.start_lsn);
}

// The backup from which a restore to `time` would begin; end where there is none.
std::size_t ServingIndex(const std::vector<Kept>& oldest_first, WallTime time) {
  for (std::size_t i = oldest_first.size(); i > 0; --i) {
    if (oldest_first[i - 1].finished <= time) return i - 1;
  }
  return oldest_first.size();
}

}  // namespace

Kept KeptOf(const Manifest& manifest, bool automated, bool in_use) {
  return {.id = manifest.id,
          .automated = automated,
          .in_use = in_use,
          .timeline = manifest.timeline,
          .start_lsn = manifest.start_lsn,
          .finished = manifest.finished};
}

ExpiryPlan PlanExpiry(std::span<const Kept> backups, Duration retention, WallTime newest) {
  std::vector<Kept> automated;
  for (const Kept& kept : backups) {
    if (!kept.automated) continue;
    automated.push_back(kept);
    newest = std::max(newest, kept.finished);
  }
  std::sort(automated.begin(), automated.end(), IsOlder);
  std::size_t first_needed = automated.size();
  if (retention > Duration(0)) {
    first_needed = ServingIndex(automated, newest - retention);
    if (first_needed == automated.size()) first_needed = 0;  // all are younger than the window
  }
  ExpiryPlan plan;
  for (std::size_t i = 0; i < automated.size(); ++i) {
    if (i < first_needed && !automated[i].in_use) {
      plan.remove.push_back(automated[i].id);
    } else if (!plan.oldest) {
      plan.oldest = automated[i];
    }
  }
  return plan;
}

}  // namespace howdah::backup
