// What a restore will do, decided before anything is made: with which backup it begins, which WAL
// it replays and where that ends; or why what is asked for cannot be had. Pure.
//
// A time is reached when every commit up to it is replayed and none after it. Where the archive has
// no commit later than the time, that is all of the archive, and PostgreSQL is given no target:
// with one that no commit passes, it would refuse to end the recovery.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "archive/plan.h"
#include "archive/reader.h"
#include "backup/manifest.h"

namespace howdah::backup {

// What the archiver had reported when the restore was asked for: every commit up to `until` is in
// the archive, before `lsn`. The names in the archive tell time only where there was something to
// write; while an instance is idle they are minutes behind.
struct Archived {
  postgres::Lsn lsn;
  WallTime until{};
};

struct RestoreWish {
  enum class Target {
    kBackup,  // as of the end of `backup`
    kTime,    // what was committed up to `time`
    kLatest,  // all that there is
  };
  Target target = Target::kBackup;
  std::string backup;  // for a time: that one and no other; empty: the one that serves best
  WallTime time{};
  Archived archived;
};

// From when to when an instance can be restored; nothing: it cannot.
struct RestoreWindow {
  WallTime earliest{}, latest{};
  bool operator==(const RestoreWindow&) const = default;
};

struct RestorePlan {
  std::string backup;
  std::optional<WallTime> before;  // recovery stops before the first commit after it
  postgres::Timeline timeline{};   // on which it ends
  std::int64_t begin_lsn = 0, end_lsn = 0;
  WallTime until{};              // what was committed up to then will be there
  std::uint64_t size_bytes = 0;  // of the files
  std::uint64_t wal_bytes = 0;   // to replay
  archive::WalPlan wal;
  Duration Estimate() const;
};

std::optional<RestoreWindow> WindowOf(std::span<const Manifest> backups,
                                      const archive::Reader::Contents& contents,
                                      const Archived& archived = {});

// kNotFound: there is no such backup, or none at all; kInvalid: the time cannot be reached, with
// what can be; kCorrupt: WAL that should be there is missing.
Result<RestorePlan> PlanRestore(const RestoreWish& wish, const InstanceId& instance,
                                std::span<const Manifest> backups,
                                const archive::Reader::Contents& contents);

}  // namespace howdah::backup
