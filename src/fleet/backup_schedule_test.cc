// When automated snapshots are due and when they go, hour by hour.
#include "fleet/backup_schedule.h"

#include <gtest/gtest.h>

namespace howdah::fleet {
namespace {

constexpr std::string_view kWindow = "23:45-00:15";

WallTime At(std::string_view text) {
  return *ParseIso8601(text);
}

DbSnapshot Taken(std::string_view when) {
  return {.identifier = std::string(when),
          .automated = true,
          .created = At(when),
          .finished = At(when) + 1min};
}

bool Due(const std::vector<DbSnapshot>& taken, std::string_view now, WallTime failed = {}) {
  return IsSnapshotDue(kWindow, taken, failed, false, At(now));
}

TEST(BackupScheduleTest, TheFirstSnapshotIsDueAtOnce) {
  EXPECT_TRUE(Due({}, "2026-11-23T12:00:00Z"));
}

TEST(BackupScheduleTest, EachWindowHasOneSnapshotAlsoAcrossMidnight) {
  const std::vector<DbSnapshot> yesterday = {Taken("2026-11-22T23:50:00Z")};
  EXPECT_FALSE(Due(yesterday, "2026-11-23T00:10:00Z"));
  EXPECT_FALSE(Due(yesterday, "2026-11-23T23:44:59Z"));
  EXPECT_TRUE(Due(yesterday, "2026-11-23T23:45:00Z"));
  EXPECT_TRUE(Due(yesterday, "2026-11-24T00:14:59Z"));
  EXPECT_FALSE(Due(yesterday, "2026-11-24T00:15:00Z"));
  EXPECT_FALSE(Due({Taken("2026-11-23T23:45:00Z")}, "2026-11-24T00:14:00Z"));
}

TEST(BackupScheduleTest, AWindowThatWasSleptThroughIsMadeUpFor) {
  EXPECT_FALSE(Due({Taken("2026-11-22T23:50:00Z")}, "2026-11-24T01:00:00Z"));
  EXPECT_TRUE(Due({Taken("2026-11-22T23:50:00Z")}, "2026-11-24T02:00:00Z"));
}

TEST(BackupScheduleTest, AfterAFailureSomeTimePasses) {
  const WallTime failed = At("2026-11-23T23:46:00Z");
  EXPECT_FALSE(Due({}, "2026-11-23T23:55:59Z", failed));
  EXPECT_TRUE(Due({}, "2026-11-23T23:56:00Z", failed));
}

TEST(BackupScheduleTest, WhatARestoreToTheFirstPromisedMomentNeedsIsKept) {
  const std::vector<DbSnapshot> taken = {
      Taken("2026-11-19T06:00:00Z"), Taken("2026-11-20T06:00:00Z"), Taken("2026-11-21T06:00:00Z"),
      Taken("2026-11-22T06:00:00Z")};
  const WallTime now = At("2026-11-22T12:00:00Z");
  EXPECT_EQ(ExpiredSnapshots(taken, 1, now),
            (std::vector<std::string>{"2026-11-19T06:00:00Z", "2026-11-20T06:00:00Z"}));
  EXPECT_EQ(ExpiredSnapshots(taken, 2, now), (std::vector<std::string>{"2026-11-19T06:00:00Z"}));
  EXPECT_TRUE(ExpiredSnapshots(taken, 3, now).empty());
  EXPECT_TRUE(ExpiredSnapshots(taken, 35, now).empty());
}

TEST(BackupScheduleTest, ASnapshotThatIsBeingTakenDoesNotExpire) {
  DbSnapshot creating = Taken("2026-11-01T06:00:00Z");
  creating.finished = {};
  EXPECT_TRUE(
      ExpiredSnapshots({creating, Taken("2026-11-20T06:00:00Z")}, 1, At("2026-11-22T12:00:00Z"))
          .empty());
}

}  // namespace
}  // namespace howdah::fleet
