#include "fleet/backup_schedule.h"

#include <algorithm>
#include <optional>

#include "fleet/window.h"

namespace howdah::fleet {

namespace {

constexpr Duration kAfterFailure = 10min;
constexpr Duration kLongest = 26h;

// When the window that is open now was opened; nullopt: it is closed.
std::optional<WallTime> OpenSince(std::string_view text, WallTime now) {
  const std::optional<Window> window = ParseDailyWindow(text);
  if (!window) return std::nullopt;
  const auto day = std::chrono::floor<std::chrono::days>(now);
  for (const auto& begin_day : {day, day - std::chrono::days(1)}) {
    const WallTime begin = begin_day + std::chrono::minutes(window->begin);
    if (begin <= now && now < begin + std::chrono::minutes(window->length)) return begin;
  }
  return std::nullopt;
}

}  // namespace

bool IsSnapshotDue(std::string_view backup_window, const std::vector<DbSnapshot>& automated,
                   WallTime failed, bool gap_open, WallTime now) {
  if (now >= failed && now - failed < kAfterFailure) return false;
  if (gap_open) return true;
  WallTime newest{};
  for (const DbSnapshot& snapshot : automated) newest = std::max(newest, snapshot.created);
  if (newest == WallTime{} || now - newest > kLongest) return true;
  const std::optional<WallTime> open = OpenSince(backup_window, now);
  return open && newest < *open;
}

std::vector<std::string> ExpiredSnapshots(const std::vector<DbSnapshot>& automated,
                                          std::int64_t retention_days, WallTime now) {
  const WallTime promised = now - std::chrono::days(retention_days);
  WallTime needed{};  // the newest from before what is promised
  for (const DbSnapshot& snapshot : automated) {
    if (snapshot.finished <= promised) needed = std::max(needed, snapshot.finished);
  }
  std::vector<std::string> expired;
  for (const DbSnapshot& snapshot : automated) {
    if (snapshot.IsAvailable() && snapshot.finished < needed) {
      expired.push_back(snapshot.identifier);
    }
  }
  return expired;
}

}  // namespace howdah::fleet
