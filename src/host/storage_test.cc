#include "host/storage.h"

#include <gtest/gtest.h>

#include <vector>

namespace howdah::host {
namespace {

using nodes::StorageState;

constexpr StorageMarks kMarks{.low = 1000, .full = 400, .held = 100};

MonotonicTime At(Duration since) {
  return MonotonicTime() + 1h + since;
}

struct Case {
  StorageState before;
  Duration ago;
  std::uint64_t left;
  std::uint64_t speed;
  StorageState after;
};

TEST(Storage, WorseAtOnceBetterOnlyWithRoomToSpareAndAfterAWhile) {
  using enum StorageState;
  const std::vector<Case> cases = {
      // Down the slope, each mark at its byte.
      {kNormal, 1h, 1000, 0, kNormal},
      {kNormal, 1h, 999, 0, kLow},
      {kLow, 0s, 400, 0, kLow},
      {kLow, 0s, 399, 0, kFull},
      {kNormal, 0s, 399, 0, kFull},
      {kFull, 0s, 100, 0, kFull},
      {kFull, 0s, 99, 0, kHeld},
      {kNormal, 0s, 0, 0, kHeld},
      // Fast writers are stopped before they are there.
      {kNormal, 1h, 5000, 4900, kNormal},
      {kNormal, 1h, 5000, 4901, kFull},
      {kNormal, 1h, 300, 1'000'000, kFull},
      // Back, with room to spare.
      {kLow, 0s, 1249, 0, kLow},
      {kLow, 0s, 1250, 0, kNormal},
      {kFull, 10s, 599, 0, kFull},
      {kFull, 10s, 600, 0, kLow},
      {kFull, 10s, 1250, 0, kNormal},
      {kHeld, 10s, 249, 0, kHeld},
      {kHeld, 10s, 250, 0, kFull},
      {kHeld, 10s, 600, 0, kLow},
      {kHeld, 10s, 5000, 0, kNormal},
      // Not before its time.
      {kFull, 9s, 5000, 0, kFull},
      {kHeld, 9s, 5000, 0, kHeld},
      // Still shrinking fast is no room to spare.
      {kFull, 10s, 5000, 4901, kFull},
  };
  for (const Case& it : cases) {
    const StorageStanding before{.state = it.before, .since = At(0s)};
    const StorageStanding after = JudgeStorage(
        before, {.marks = kMarks, .left = it.left, .shrinks_per_second = it.speed}, At(it.ago));
    EXPECT_EQ(after.state, it.after) << nodes::StorageStateName(it.before) << " " << it.left;
    EXPECT_EQ(after.since, after.state == it.before ? At(0s) : At(it.ago));
  }
}

TEST(Storage, MarksAreInOrderForEverySize) {
  for (std::uint64_t size = 64 * kMiB; size < 128 * 1024 * kGiB; size *= 2) {
    for (const StorageMarks& marks : {MarksOfAllocation(size), MarksOfDisk(size)}) {
      EXPECT_LT(marks.held, marks.full);
      EXPECT_LE(marks.full + marks.full / 2, marks.low);  // out of full is into low at most
      EXPECT_GE(marks.held, 32 * kMiB);                   // two WAL segments
    }
  }
}

TEST(Storage, TheSmallestInstanceHasMostOfWhatItWasAllocated) {
  const StorageMarks marks = MarksOfAllocation(20 * kGiB);
  EXPECT_EQ(marks.low, 2 * kGiB);
  EXPECT_EQ(marks.full, 20 * kGiB / 50);
  EXPECT_LE(MarksOfAllocation(64 * 1024 * kGiB).full, 4 * kGiB);
}

TEST(Storage, ALookComesSoonerNearTheReserveAndAWalkIsASmallPartOfTheTime) {
  const auto left = [](std::uint64_t bytes) {
    return StorageLimit{.marks = kMarks, .left = kMarks.full + bytes};
  };
  EXPECT_EQ(NextLook(left(1000 * kGiB)), Duration(2s));
  EXPECT_EQ(NextLook(left(0)), Duration(100ms));
  EXPECT_EQ(NextWalk(left(1000 * kGiB), 1ms), Duration(30s));
  EXPECT_EQ(NextWalk(left(0), 1ms), Duration(1s));
  EXPECT_EQ(NextWalk(left(0), 3s), Duration(60s));
  EXPECT_LT(NextWalk(left(kGiB), 1ms), Duration(6s));
}

TEST(Storage, ATrendIsOfASecondOrMoreAndNeverOfGrowth) {
  StorageTrend trend;
  trend.Note(At(0s), 1000);
  EXPECT_EQ(trend.per_second(), 0U);
  trend.Note(At(500ms), 100);
  EXPECT_EQ(trend.per_second(), 0U);
  trend.Note(At(2s), 600);
  EXPECT_EQ(trend.per_second(), 200U);
  trend.Note(At(3s), 5000);
  EXPECT_EQ(trend.per_second(), 0U);
}

}  // namespace
}  // namespace howdah::host
