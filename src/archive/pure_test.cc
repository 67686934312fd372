// Protects: the names of WAL objects and what a listing of them says; that WAL which is not of an
// instance's history is never used and a gap is never passed over; what is known about time.
#include <gtest/gtest.h>

#include <algorithm>

#include "archive/coverage.h"
#include "archive/frontier.h"
#include "archive/merge.h"
#include "postgres/wal_format.h"

namespace howdah::archive {
namespace {

using postgres::kWalSegment;

const InstanceId kInstance("db-ABC");

WallTime At(int seconds) {
  return FromMicros(1'700'000'000'000'000 + std::int64_t{seconds} * 1'000'000);
}

Range Of(std::int64_t epoch, unsigned timeline, std::uint64_t start, std::uint64_t end,
         std::optional<WallTime> until = std::nullopt,
         std::optional<WallTime> commit = std::nullopt) {
  return {.epoch = epoch,
          .timeline = Timeline{timeline},
          .start = Lsn(start),
          .end = Lsn(end),
          .until = until,
          .commit = commit};
}

TEST(RangeName, SaysAllOfIt) {
  const Range range = Of(3, 2, 0x1000028, 0x2000000, At(5), At(4));
  const std::string name = ObjectName(kInstance, range);
  EXPECT_EQ(name,
            "instances/db-ABC/wal/00000003/00000002/"
            "0000000001000028-0000000002000000-00060a24186a8b40-00060a24185b4900");
  for (const Range& each : {range, Of(1, 1, 1, 2), Of(1, 1, 5, 5, At(1)),
                            Of(0xffffffff, 0xffffffff, 1, ~0ULL, std::nullopt, At(9))}) {
    const std::string text = ObjectName(kInstance, each);
    EXPECT_EQ(ParseRange(text.substr(WalPrefix(kInstance).size())), each) << text;
  }
}

TEST(RangeName, OtherNamesAreNone) {
  const std::string good = ObjectName(kInstance, Of(3, 2, 16, 32, At(5))).substr(21);
  ASSERT_TRUE(ParseRange(good));
  for (std::size_t i = 0; i < good.size(); ++i) {
    EXPECT_FALSE(ParseRange(good.substr(0, i)));
    std::string other = good;
    other[i] = 'G';
    EXPECT_FALSE(ParseRange(other)) << other;
  }
  EXPECT_FALSE(ParseRange(good + "0"));
  EXPECT_FALSE(ParseRange(ObjectName(kInstance, Of(3, 2, 32, 16)).substr(21))) << "backwards";
}

TEST(RangeName, AListingHasRangesAndHistoriesInOrder) {
  const Range late = Of(1, 1, 32, 48);
  const Range early = Of(1, 1, 16, 32);
  const HistoryRef history{.epoch = 2, .timeline = Timeline{0x1a}};
  const Listing listing =
      ParseListing(kInstance, {ObjectName(kInstance, late), "keys/1", "instances/db-ABC/wal/other",
                               ObjectName(kInstance, history), ObjectName(kInstance, early),
                               ObjectName(InstanceId("db-B"), early)});
  EXPECT_EQ(listing.ranges, (std::vector<Range>{early, late}));
  EXPECT_EQ(listing.histories, std::vector<HistoryRef>{history});
  EXPECT_EQ(ObjectName(kInstance, history), "instances/db-ABC/wal/00000002/0000001a.history");
}

TEST(Coverage, FindsTheFirstGapAndServesWithFewObjects) {
  const std::vector<Range> ranges = {Of(1, 1, 100, 200, At(1)), Of(1, 1, 150, 180),
                                     Of(1, 1, 200, 210, At(2)), Of(1, 1, 200, 300, At(3)),
                                     Of(1, 1, 320, 400, At(4))};
  const Coverage coverage(ranges, PathTo(Timeline{1}, {}));
  EXPECT_EQ(coverage.intervals(),
            (std::vector<Coverage::Interval>{{.start = Lsn(100), .end = Lsn(300)},
                                             {.start = Lsn(320), .end = Lsn(400)}}));
  EXPECT_EQ(coverage.WholeUntil(Lsn(120)), Lsn(300));
  EXPECT_EQ(coverage.WholeUntil(Lsn(310)), Lsn(310));
  EXPECT_EQ(coverage.End(), Lsn(400));
  const auto pieces = coverage.Serve(Lsn(120), Lsn(290));
  ASSERT_TRUE(pieces);
  EXPECT_EQ(*pieces,
            (std::vector<Piece>{{ranges[0], Lsn(120), Lsn(200)}, {ranges[3], Lsn(200), Lsn(290)}}));
  const auto gap = coverage.Serve(Lsn(120), Lsn(330));
  ASSERT_FALSE(gap);
  EXPECT_EQ(gap.error().code(), Code::kNotFound);
  EXPECT_NE(gap.error().what().find("0/12C"), std::string::npos) << gap.error().what();
}

TEST(Coverage, AnObjectThatReachesFarServesAfterSmallerOnes) {
  const Coverage coverage({Of(1, 1, 100, 150), Of(1, 1, 100, 400), Of(1, 1, 120, 130)},
                          PathTo(Timeline{1}, {}));
  EXPECT_EQ(coverage.Serve(Lsn(110), Lsn(400))->size(), 1U);
  const Coverage other({Of(1, 1, 100, 150), Of(1, 1, 110, 160), Of(1, 1, 140, 400)},
                       PathTo(Timeline{1}, {}));
  ASSERT_TRUE(other.Serve(Lsn(100), Lsn(390)));
  EXPECT_EQ(other.Serve(Lsn(100), Lsn(390))->back().to, Lsn(390));
}

TEST(Coverage, WalBeyondTheForkIsNeverUsed) {
  const Path path = PathTo(Timeline{2}, {{.timeline = Timeline{1}, .end = Lsn(250)}});
  const std::vector<Range> ranges = {Of(1, 1, 100, 200, At(1)), Of(1, 1, 200, 300, At(3), At(3)),
                                     Of(1, 1, 300, 400, At(4)), Of(2, 2, 250, 350, At(9))};
  const Coverage coverage(ranges, path);
  EXPECT_EQ(coverage.intervals(),
            (std::vector<Coverage::Interval>{{.start = Lsn(100), .end = Lsn(350)}}));
  const auto pieces = coverage.Serve(Lsn(100), Lsn(350));
  ASSERT_TRUE(pieces);
  ASSERT_EQ(pieces->size(), 3U);
  EXPECT_EQ((*pieces)[1].to, Lsn(250));
  EXPECT_EQ((*pieces)[2].range.timeline, Timeline{2});

  // The former primary's own words about time beyond the fork count for nothing.
  const Coverage left({ranges[0], ranges[1], ranges[2]}, path);
  EXPECT_EQ(left.Newest(Lsn(100))->until, At(1));
  EXPECT_EQ(left.End(), Lsn(250));
}

TEST(Coverage, ANewerEpochReplacesAnOlderOneOfTheSameTimeline) {
  // The second primary of timeline 2 was promoted without knowing the first: other bytes.
  const Coverage coverage({Of(2, 2, 250, 900, At(7)), Of(3, 2, 260, 400, At(8))},
                          PathTo(Timeline{2}, {{.timeline = Timeline{1}, .end = Lsn(250)}}));
  EXPECT_EQ(coverage.End(), Lsn(400));
  EXPECT_EQ(coverage.Serve(Lsn(250), Lsn(400))->front().to, Lsn(260));
  EXPECT_EQ(coverage.LastEpoch(), 3);
}

TEST(Coverage, TheNewestTimeIsThatOfWhatFollowsWithoutAGap) {
  const Coverage coverage({Of(1, 1, 100, 200, At(1)), Of(1, 1, 200, 300, At(2)),
                           Of(1, 1, 300, 300, At(50)), Of(1, 1, 310, 400, At(99))},
                          PathTo(Timeline{1}, {}));
  EXPECT_EQ(coverage.Newest(Lsn(100)), (Coverage::Restorable{.lsn = Lsn(300), .until = At(50)}));
  EXPECT_EQ(coverage.Newest(Lsn(350))->until, At(99));
  EXPECT_FALSE(coverage.Newest(Lsn(500)));
}

TEST(Coverage, ACommitLaterThanATimeIsFoundOnlyWhereReplayComesToIt) {
  const Coverage coverage(
      {Of(1, 1, 100, 200, At(3), At(1)), Of(1, 1, 200, 300, At(4), At(3)), Of(1, 1, 200, 250),
       Of(1, 1, 300, 350), Of(1, 1, 360, 400, At(99), At(90))},
      PathTo(Timeline{1}, {}));
  EXPECT_EQ(coverage.FirstCommitAfter(Lsn(100), At(0))->end, Lsn(200));
  EXPECT_EQ(coverage.FirstCommitAfter(Lsn(100), At(2))->end, Lsn(300));
  EXPECT_FALSE(coverage.FirstCommitAfter(Lsn(100), At(3))) << "the time itself is not later";
  EXPECT_FALSE(coverage.FirstCommitAfter(Lsn(100), At(80))) << "beyond the gap";
}

TEST(Paths, TheNewestIsOfTheNewestEpoch) {
  const std::vector<History> histories = {
      {.ref = {.epoch = 2, .timeline = Timeline{2}},
       .ancestors = {{.timeline = Timeline{1}, .end = Lsn(90)}}},
      {.ref = {.epoch = 3, .timeline = Timeline{2}},
       .ancestors = {{.timeline = Timeline{1}, .end = Lsn(50)}}}};
  const Path path = NewestPath({Of(2, 5, 1, 2), Of(1, 1, 10, 20)}, histories);
  EXPECT_EQ(path, (Path{{.timeline = Timeline{1}, .start = Lsn(), .end = Lsn(50)},
                        {.timeline = Timeline{2}, .start = Lsn(50)}}));
  EXPECT_TRUE(NewestPath({}, {}).empty());
  EXPECT_EQ(NewestPath({Of(2, 5, 1, 2)}, {}), (Path{{.timeline = Timeline{5}}}));
}

TEST(Frontier, AMessageSpeaksForTheStampOfTheOneBefore) {
  Frontier frontier;
  frontier.OnWal(Lsn(100), At(1));
  EXPECT_FALSE(frontier.UntilAt(Lsn(100)));
  frontier.OnWal(Lsn(200), At(2));
  EXPECT_FALSE(frontier.UntilAt(Lsn(199))) << "the server had flushed more";
  EXPECT_EQ(frontier.UntilAt(Lsn(200)), At(1));
  EXPECT_EQ(frontier.UntilAt(Lsn(250)), At(1));
  frontier.Restart();
  frontier.OnWal(Lsn(300), At(9));
  EXPECT_EQ(frontier.UntilAt(Lsn(300)), At(1)) << "a first message again";
}

TEST(Frontier, TimeGoesOnWhileTheServerIsIdle) {
  Frontier frontier;
  frontier.OnWal(Lsn(100), At(1));
  frontier.OnAnswer(Lsn(100), At(2));
  EXPECT_FALSE(frontier.UntilAt(Lsn(100))) << "it says only what was sent";
  frontier.OnAnswer(Lsn(100), At(3));
  EXPECT_EQ(frontier.UntilAt(Lsn(100)), At(2));
  frontier.OnWal(Lsn(120), At(4));
  EXPECT_EQ(frontier.UntilAt(Lsn(119)), At(2));
  EXPECT_EQ(frontier.UntilAt(Lsn(120)), At(3));
  frontier.OnAnswer(Lsn(120), At(1));  // the clock was set back
  frontier.OnAnswer(Lsn(120), At(2));
  EXPECT_EQ(frontier.UntilAt(Lsn(120)), At(3));
}

TEST(Frontier, ALongOutageIsRememberedCoarsely) {
  Frontier frontier;
  for (int i = 1; i < 100'000; ++i) frontier.OnWal(Lsn(std::uint64_t(i)), At(i));
  const auto until = frontier.UntilAt(Lsn(50'000));
  ASSERT_TRUE(until);
  EXPECT_LT(*until, At(50'000));
  EXPECT_GT(*until, At(1));
}

TEST(Merge, WaitsForAWholeSegmentOrManyParts) {
  std::vector<Range> parts;
  const auto add = [&](std::uint64_t start, std::uint64_t end, int second) {
    parts.push_back(Of(1, 1, start, end, At(second)));
  };
  for (std::uint64_t i = 0; i < kFewestParts - 1; ++i) {
    add(kWalSegment + i * 10, kWalSegment + i * 10 + 10, 1);
  }
  EXPECT_FALSE(NextMerge(parts));
  add(parts.back().end.value(), 2 * kWalSegment, 3);
  add(2 * kWalSegment, 2 * kWalSegment + 5, 4);
  std::ranges::reverse(parts);
  const auto merge = NextMerge(parts);
  ASSERT_TRUE(merge);
  EXPECT_EQ(merge->whole, Of(1, 1, kWalSegment, 2 * kWalSegment, At(3)));
  EXPECT_EQ(merge->parts.size(), kFewestParts);

  parts.clear();
  for (std::size_t i = 0; i < kMostParts; ++i) add(100 + i, 101 + i, 1);
  EXPECT_EQ(NextMerge(parts)->parts.size(), kMostParts);
  parts.erase(parts.begin() + 5);
  EXPECT_FALSE(NextMerge(parts)) << "nothing is merged over a gap";
  parts.clear();
  add(kWalSegment, 2 * kWalSegment - 5, 1);
  add(2 * kWalSegment - 5, 2 * kWalSegment, 1);
  EXPECT_FALSE(NextMerge(parts)) << "two will do";
}

TEST(Merge, WhatAnotherHoldsIsNeedless) {
  const Range whole = Of(1, 1, 100, 300, At(3), At(2));
  const Range part = Of(1, 1, 100, 200, At(1));
  const Range last = Of(1, 1, 200, 300, At(3), At(2));
  const Range knows_more = Of(1, 1, 250, 300, At(4));
  const Range other_epoch = Of(2, 1, 100, 200);
  const Range old_mark = Of(1, 1, 300, 300, At(3));
  const Range mark = Of(1, 1, 300, 300, At(10));
  auto needless = NeedlessOf({part, whole, mark, old_mark, last, knows_more, other_epoch});
  std::ranges::sort(needless);
  EXPECT_EQ(needless, (std::vector<Range>{part, last, old_mark}));
}

}  // namespace
}  // namespace howdah::archive
