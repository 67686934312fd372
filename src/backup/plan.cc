#include "backup/plan.h"

#include <fmt/format.h>

#include <algorithm>

#include "backup/names.h"

namespace howdah::backup {

namespace {

using archive::Coverage;
using postgres::Lsn;

// What one core does at the least, for an estimate.
constexpr double kFileBytesPerSecond = 150e6;
constexpr double kWalBytesPerSecond = 60e6;

// Its stop lies on the path that the archive took: what follows there follows on this backup.
bool IsOnPath(const Manifest& backup, const archive::Path& path) {
  return std::ranges::any_of(path, [&](const archive::Leg& leg) {
    return postgres::ToNumber(leg.timeline) == backup.timeline &&
           (leg.IsOpen() || backup.stop() <= leg.end);
  });
}

struct Reach {
  Lsn end;
  WallTime until{};
};

// How far one gets from a backup, with what it holds itself and what the archive has after it.
Reach ReachOf(const Manifest& backup, const Coverage& coverage, const Archived& archived) {
  Reach reach{.end = backup.stop(), .until = backup.finished};
  if (!IsOnPath(backup, coverage.path())) return reach;
  if (const auto newest = coverage.Newest(backup.stop())) {
    reach = {.end = std::max(reach.end, newest->lsn),
             .until = std::max(reach.until, newest->until)};
  }
  // Holds only where all that was reported is still there, and nothing is missing on the way to it.
  const bool has_all = coverage.End() >= archived.lsn && reach.end >= coverage.End();
  if (!archived.lsn.IsNone() && has_all) reach.until = std::max(reach.until, archived.until);
  return reach;
}

// The newest one that was finished by then; where one was chosen before, that one.
const Manifest* NewestBefore(std::span<const Manifest> backups, WallTime time,
                             const std::string& chosen) {
  const Manifest* best = nullptr;
  for (const Manifest& backup : backups) {
    if (backup.finished > time || (!chosen.empty() && backup.id != chosen)) continue;
    if (best == nullptr || backup.finished >= best->finished) best = &backup;
  }
  return best;
}

// The segments that the backup holds itself, from the first byte of the first to its stop.
std::vector<archive::PlannedObject> OwnWal(const Manifest& backup) {
  std::vector<archive::PlannedObject> objects;
  const auto segment = static_cast<std::uint64_t>(backup.wal_segment_bytes);
  const std::uint64_t first = backup.start().value() / segment * segment;
  for (std::uint32_t i = 0; i < backup.wal.size(); ++i) {
    const std::uint64_t start = first + i * segment;
    const std::uint64_t end = std::min(start + segment, backup.stop().value());
    if (end <= start) break;
    objects.push_back({.name = NameOf(backup.instance,
                                      {.backup = backup.id, .kind = ObjectKind::kWal, .number = i}),
                       .start = start,
                       .end = end,
                       .from = start,
                       .to = end});
  }
  return objects;
}

Result<archive::WalPlan> WalOf(const Manifest& backup, const Coverage& coverage,
                               const archive::Reader::Contents& contents, Lsn end) {
  archive::WalPlan plan{.segment_bytes = static_cast<std::uint64_t>(backup.wal_segment_bytes),
                        .end = backup.stop().value(),
                        .legs = {{.timeline = static_cast<std::uint32_t>(backup.timeline)}}};
  if (end > backup.stop()) {
    TRY_ASSIGN(plan, archive::MakeWalPlan(backup.instance, coverage, contents.listing.histories,
                                          backup.stop(), end));
  }
  std::vector<archive::PlannedObject> own = OwnWal(backup);
  plan.objects.insert(plan.objects.begin(), own.begin(), own.end());
  return plan;
}

Result<RestorePlan> Finish(const Manifest& backup, const Coverage& coverage,
                           const archive::Reader::Contents& contents, const Reach& reach) {
  RestorePlan plan{.backup = backup.id,
                   .timeline = postgres::Timeline{static_cast<std::uint32_t>(backup.timeline)},
                   .begin_lsn = backup.start_lsn,
                   .end_lsn = static_cast<std::int64_t>(reach.end.value()),
                   .until = reach.until,
                   .size_bytes = backup.size_bytes,
                   .wal_bytes = postgres::BytesBetween(backup.start(), reach.end)};
  TRY_ASSIGN(plan.wal, WalOf(backup, coverage, contents, reach.end));
  if (!plan.wal.legs.empty()) plan.timeline = postgres::Timeline{plan.wal.legs.back().timeline};
  return plan;
}

Error OutsideOf(WallTime time, const RestoreWindow& window) {
  return {Code::kInvalid,
          fmt::format("{} cannot be restored: it can be from {} to {}", FormatIso8601(time),
                      FormatIso8601(window.earliest), FormatIso8601(window.latest))};
}

Result<RestorePlan> PlanBackup(const std::string& id, std::span<const Manifest> backups,
                               const archive::Reader::Contents& contents) {
  const auto found = std::ranges::find(backups, id, &Manifest::id);
  if (found == backups.end()) return Fail(Code::kNotFound, "there is no backup " + id);
  return Finish(*found, Coverage(), contents, {.end = found->stop(), .until = found->finished});
}

// Some time within the window is beyond what a newer backup needs and within a gap of the archive.
Result<RestorePlan> PlanTime(const RestoreWish& wish, std::span<const Manifest> backups,
                             const Coverage& coverage, const archive::Reader::Contents& contents,
                             const RestoreWindow& window) {
  const WallTime time = wish.time;
  const Manifest* backup = NewestBefore(backups, time, wish.backup);
  if (backup == nullptr || time > window.latest) return Fail(OutsideOf(time, window));
  const Reach reach = ReachOf(*backup, coverage, wish.archived);
  if (time > reach.until) {
    return Fail(Code::kInvalid,
                fmt::format("{} cannot be restored: the archive has a gap there; from the backup "
                            "of {} one gets to {}",
                            FormatIso8601(time), FormatIso8601(backup->finished),
                            FormatIso8601(reach.until)));
  }
  if (!IsOnPath(*backup, coverage.path())) return Finish(*backup, coverage, contents, reach);
  const auto past = coverage.FirstCommitAfter(backup->stop(), time);
  if (!past && coverage.MayHaveCommitAfter(backup->stop(), time)) {
    return Fail(Code::kInvalid,
                fmt::format("{} cannot be restored yet: until something is committed after the "
                            "failover, nothing says where it ends",
                            FormatIso8601(time)));
  }
  if (!past) return Finish(*backup, coverage, contents, reach);
  TRY_ASSIGN(RestorePlan plan, Finish(*backup, coverage, contents,
                                      {.end = std::max(past->end, backup->stop()), .until = time}));
  plan.before = time;
  return plan;
}

}  // namespace

Duration RestorePlan::Estimate() const {
  const double seconds = 2 + static_cast<double>(size_bytes) / kFileBytesPerSecond +
                         static_cast<double>(wal_bytes) / kWalBytesPerSecond;
  return std::chrono::duration_cast<Duration>(std::chrono::duration<double>(seconds));
}

std::optional<RestoreWindow> WindowOf(std::span<const Manifest> backups,
                                      const archive::Reader::Contents& contents,
                                      const Archived& archived) {
  if (backups.empty()) return std::nullopt;
  const Coverage coverage = contents.NewestCoverage();
  RestoreWindow window{.earliest = WallTime::max(), .latest = WallTime::min()};
  for (const Manifest& backup : backups) {
    window.earliest = std::min(window.earliest, backup.finished);
    window.latest = std::max(window.latest, ReachOf(backup, coverage, archived).until);
  }
  // People are told milliseconds: what they are told can be restored.
  window.earliest = std::chrono::ceil<std::chrono::milliseconds>(window.earliest);
  return window;
}

Result<RestorePlan> PlanRestore(const RestoreWish& wish, const InstanceId& instance,
                                std::span<const Manifest> backups,
                                const archive::Reader::Contents& contents) {
  if (wish.target == RestoreWish::Target::kBackup) {
    return PlanBackup(wish.backup, backups, contents);
  }
  const std::optional<RestoreWindow> window = WindowOf(backups, contents, wish.archived);
  if (!window) return Fail(Code::kNotFound, instance.str() + " has no backup yet");
  const Coverage coverage = contents.NewestCoverage();
  const bool latest = wish.target == RestoreWish::Target::kLatest;
  if (!latest) return PlanTime(wish, backups, coverage, contents, *window);
  const Manifest* backup = NewestBefore(backups, window->latest, wish.backup);
  if (backup == nullptr) return Fail(Code::kNotFound, "there is no backup " + wish.backup);
  return Finish(*backup, coverage, contents, ReachOf(*backup, coverage, wish.archived));
}

}  // namespace howdah::backup
