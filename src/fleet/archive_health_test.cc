// When an archive that does not follow is told of, and when a gap in it still matters.
#include "fleet/archive_health.h"

#include <gtest/gtest.h>

namespace howdah::fleet {

namespace {

constexpr std::int64_t kKeep = 1000;
const WallTime kNow = FromMicros(1'800'000'000'000'000);

nodes::Archived Following() {
  return {.lsn = 100, .until = kNow - 1s};
}

TEST(ArchiveHealth, OneThatFollowsIsNoTrouble) {
  EXPECT_EQ(ArchiveTrouble(Following(), kKeep, kNow), "");
  EXPECT_FALSE(NewsOf({}, Following(), kKeep, std::nullopt, kNow).Any());
}

TEST(ArchiveHealth, OneOfWhichNothingIsKnownYetIsNoTrouble) {
  EXPECT_EQ(ArchiveTrouble({}, kKeep, kNow), "");
}

TEST(ArchiveHealth, AProblemTimeAndBytesAreTrouble) {
  nodes::Archived away = Following();
  away.problem = "no space left";
  EXPECT_EQ(ArchiveTrouble(away, kKeep, kNow), "no space left");
  nodes::Archived late = Following();
  late.until = kNow - 6min;
  EXPECT_NE(ArchiveTrouble(late, kKeep, kNow), "");
  nodes::Archived much = Following();
  much.lag_bytes = kKeep / 2 + 1;
  EXPECT_NE(ArchiveTrouble(much, kKeep, kNow), "");
}

TEST(ArchiveHealth, TroubleIsToldOnceItHasLastedAndOnlyOnce) {
  nodes::Archived away = Following();
  away.problem = "no space left";
  EXPECT_FALSE(NewsOf({}, away, kKeep, kNow - 30s, kNow).Any());
  EXPECT_TRUE(NewsOf({}, away, kKeep, kNow - 1min, kNow).is_behind);
  EXPECT_FALSE(NewsOf({.trouble = "told"}, away, kKeep, kNow - 1h, kNow).Any());
}

TEST(ArchiveHealth, ItHasCaughtUpWithinTighterBoundsThanThoseOfTrouble) {
  const ArchiveTold told{.trouble = "told"};
  EXPECT_TRUE(NewsOf(told, Following(), kKeep, std::nullopt, kNow).has_caught_up);
  nodes::Archived nearly = Following();
  nearly.until = kNow - 2min;
  EXPECT_EQ(ArchiveTrouble(nearly, kKeep, kNow), "");
  EXPECT_FALSE(NewsOf(told, nearly, kKeep, std::nullopt, kNow).Any());
}

TEST(ArchiveHealth, EachGapIsToldOnce) {
  nodes::Archived lost = Following();
  lost.gap_end = 70;
  EXPECT_TRUE(NewsOf({}, lost, kKeep, std::nullopt, kNow).has_gap);
  EXPECT_FALSE(NewsOf({.gap_end = 70}, lost, kKeep, std::nullopt, kNow).Any());
  lost.gap_end = 90;
  EXPECT_TRUE(NewsOf({.gap_end = 70}, lost, kKeep, std::nullopt, kNow).has_gap);
}

TEST(ArchiveHealth, AGapIsOpenUntilAnAutomatedBackupWasBegunBehindIt) {
  const ArchiveTold told{.gap_end = 70, .gap_since = kNow - 1h};
  DbSnapshot before{.automated = true, .finished = kNow, .start_lsn = 60};
  DbSnapshot unfinished{.automated = true, .start_lsn = 80};
  DbSnapshot manual{.finished = kNow, .start_lsn = 80};
  EXPECT_TRUE(IsGapOpen(told, {before, unfinished, manual}));
  DbSnapshot after{.automated = true, .finished = kNow, .start_lsn = 80};
  EXPECT_FALSE(IsGapOpen(told, {before, after}));
  EXPECT_FALSE(IsGapOpen({}, {}));
}

TEST(ArchiveHealth, WhatWasToldIsReadBack) {
  const ArchiveTold told{.trouble = "why", .gap_end = 5, .gap_since = kNow};
  EXPECT_EQ(*ParseArchiveTold(Format(told)), told);
}

}  // namespace

}  // namespace howdah::fleet
