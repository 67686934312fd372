// Protects: a restore is to exactly what is asked for, or refused before it begins: no time is
// taken for reached that the archive does not hold, and none refused that it does.
#include "backup/plan.h"

#include <gtest/gtest.h>

namespace howdah::backup {
namespace {

using archive::Range;
using postgres::Lsn;
using postgres::Timeline;

const InstanceId kInstance("db-ABC");

WallTime At(int seconds) {
  return FromMicros(1'700'000'000'000'000 + std::int64_t{seconds} * 1'000'000);
}

struct PlanTrial : testing::Test {
  PlanTrial() {
    backup.id = "b-1";
    backup.instance = kInstance;
    backup.timeline = 1;
    backup.start_lsn = 100;
    backup.stop_lsn = 110;
    backup.finished = At(10);
    backup.wal_segment_bytes = 1 << 24;
  }

  void Have(std::int64_t epoch, unsigned timeline, std::uint64_t start, std::uint64_t end,
            std::optional<WallTime> until, std::optional<WallTime> commit = std::nullopt) {
    contents.listing.ranges.push_back({.epoch = epoch,
                                       .timeline = Timeline{timeline},
                                       .start = Lsn(start),
                                       .end = Lsn(end),
                                       .until = until,
                                       .commit = commit});
  }

  // The second epoch's timeline begins at `at`.
  void FailOver(std::uint64_t at) {
    const archive::HistoryRef ref{.epoch = 2, .timeline = Timeline{2}};
    contents.listing.histories.push_back(ref);
    contents.histories.push_back(
        {.ref = ref, .ancestors = {{.timeline = Timeline{1}, .end = Lsn(at)}}});
  }

  Result<RestorePlan> To(WallTime time, Archived archived = {}) {
    return PlanRestore({.target = RestoreWish::Target::kTime, .time = time, .archived = archived},
                       kInstance, std::vector{backup}, contents);
  }

  Manifest backup;
  archive::Reader::Contents contents;
};

TEST_F(PlanTrial, StopsBeforeTheFirstCommitThatIsLater) {
  Have(1, 1, 0, 200, At(20), At(19));
  Have(1, 1, 200, 300, At(30), At(29));
  const auto plan = To(At(25));
  ASSERT_TRUE(plan) << plan.error().what();
  EXPECT_EQ(plan->before, At(25));
  EXPECT_EQ(plan->end_lsn, 300);
  EXPECT_EQ(To(At(19))->end_lsn, 300) << "what was committed at that time belongs to it";
  EXPECT_EQ(To(At(18))->end_lsn, 200);
}

TEST_F(PlanTrial, WithoutALaterCommitItIsAllThatThereIs) {
  Have(1, 1, 0, 200, At(20), At(19));
  const auto plan = To(At(20));
  ASSERT_TRUE(plan) << plan.error().what();
  EXPECT_EQ(plan->before, std::nullopt);
  EXPECT_EQ(plan->end_lsn, 200);
}

TEST_F(PlanTrial, WhatTheArchiverReportedCountsWhileTheInstanceIsIdle) {
  Have(1, 1, 0, 200, At(20), At(19));
  EXPECT_EQ(To(At(25)).error().code(), Code::kInvalid);
  const auto plan = To(At(25), {.lsn = Lsn(200), .until = At(26)});
  ASSERT_TRUE(plan) << plan.error().what();
  EXPECT_EQ(plan->before, std::nullopt);
  EXPECT_EQ(plan->end_lsn, 200);
  EXPECT_FALSE(To(At(27), {.lsn = Lsn(200), .until = At(26)}));
}

TEST_F(PlanTrial, WhatWasReportedCountsForNothingWhereTheArchiveHasLostSomeOfIt) {
  Have(1, 1, 0, 200, At(20), At(19));
  EXPECT_FALSE(To(At(25), {.lsn = Lsn(201), .until = At(26)})) << "its end";
  Have(1, 1, 250, 300, At(30), At(29));
  EXPECT_FALSE(To(At(35), {.lsn = Lsn(300), .until = At(36)})) << "some between";
  contents.listing.ranges.clear();
  EXPECT_FALSE(To(At(25), {.lsn = Lsn(200), .until = At(26)})) << "everything";
}

TEST_F(PlanTrial, ACommitThatDiedWithItsPrimaryIsNotWaitedFor) {
  Have(1, 1, 0, 200, At(20), At(19));
  Have(1, 1, 200, 300, At(30), At(29));  // cut at 250: whether the commit is before it is unknown
  FailOver(250);
  Have(2, 2, 250, 260, At(40));
  EXPECT_EQ(To(At(25)).error().code(), Code::kInvalid);
  Have(2, 2, 260, 400, At(50), At(45));
  const auto plan = To(At(25));
  ASSERT_TRUE(plan) << plan.error().what();
  EXPECT_EQ(plan->before, At(25));
  EXPECT_EQ(plan->end_lsn, 400) << "so far, there is certainly a commit to stop at";
  EXPECT_EQ(plan->timeline, Timeline{2});
}

TEST_F(PlanTrial, TheWindowIsToldSoThatItsFirstMillisecondCanBeRestored) {
  backup.finished = At(10) + 1us;
  Have(1, 1, 0, 200, At(20), At(19));
  const auto window = WindowOf(std::vector{backup}, contents);
  EXPECT_EQ(window->earliest, At(10) + 1ms);
  EXPECT_TRUE(To(window->earliest));
  EXPECT_FALSE(To(At(10)));
}

TEST_F(PlanTrial, TimesInAGapAreRefused) {
  Have(1, 1, 0, 200, At(20), At(19));
  Have(1, 1, 250, 300, At(30), At(29));
  EXPECT_TRUE(To(At(20)));
  EXPECT_EQ(To(At(25)).error().code(), Code::kInvalid);
}

}  // namespace
}  // namespace howdah::backup
