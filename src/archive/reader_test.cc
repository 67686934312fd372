// Protects: what PostgreSQL gets from restore_command is exactly what the plan says, and the end of
// the plan is never mistaken for a failure, nor a failure for the end.
#include "archive/reader.h"

#include "archive/restore_wal.h"
#include "archive/trial_test.h"
#include "postgres/wal_format.h"
#include "system/fake/memory_disk.h"

namespace howdah::archive {
namespace {

using postgres::kWalSegment;

constexpr const char* kHistory = "1\t0/2800000\tno recovery target specified\n";

// Timeline 1 from segment 1 on, left at 2.5 segments for timeline 2, which ends in segment 4.
class ReaderTest : public testing::Test {
 protected:
  static constexpr std::uint64_t kFork = 0x2800000;
  static constexpr std::uint64_t kEnd = 4 * kWalSegment + 0x1000;

  void SetUp() override {
    ASSERT_TRUE(disk_.MakeDirectories("/data/pg_wal"));
    bytes_.resize(kEnd + kWalSegment);
    for (std::size_t i = 0; i < bytes_.size(); ++i)
      bytes_[i] = static_cast<char>(i * 2654435761U >> 24U);
    Put(1, 1, kWalSegment, kWalSegment + 5000);
    Put(1, 1, kWalSegment + 5000, 2 * kWalSegment);
    Put(1, 1, 2 * kWalSegment, kFork + 100'000);  // what nobody may see
    trial_.PutHistory({.epoch = 2, .timeline = Timeline{2}}, kHistory);
    Put(2, 2, kFork, 3 * kWalSegment);
    Put(2, 2, 3 * kWalSegment, kEnd);
  }

  void Put(std::int64_t epoch, unsigned timeline, std::uint64_t start, std::uint64_t end) {
    std::string part = bytes_.substr(start, end - start);
    if (end > kFork && timeline == 1)
      std::fill(part.begin() + long(kFork - start), part.end(), '!');
    trial_.PutWal(Of(epoch, timeline, start, end), part);
  }
  static Range Of(std::int64_t epoch, unsigned timeline, std::uint64_t start, std::uint64_t end) {
    return {.epoch = epoch, .timeline = Timeline{timeline}, .start = Lsn(start), .end = Lsn(end)};
  }

  void Plan() {
    const auto contents = trial_.Read();
    auto plan = MakeWalPlan(kTrialInstance, contents.NewestCoverage(), contents.listing.histories,
                            Lsn(kWalSegment), Lsn(kEnd));
    ASSERT_TRUE(plan) << plan.error().what();
    plan_ = *plan;
    ASSERT_TRUE(disk_.WriteDurably("/plan", WalPlanCodec().Format(plan_)));
  }
  int Restore(const std::string& name) {
    (void)disk_.RemoveTree("/data/pg_wal/RECOVERYXLOG");
    return RestoreWal("/plan", name, "/data/pg_wal/RECOVERYXLOG", trial_.repository, trial_.keys,
                      disk_, log_);
  }
  std::string Restored() { return disk_.Read("/data/pg_wal/RECOVERYXLOG").value_or("absent"); }

  Trial trial_;
  system::MemoryDisk disk_;
  std::string bytes_;
  WalPlan plan_;
  std::string said_;
  Log log_{[this](LogLevel, std::string_view line) { said_ += line; }};
};

TEST_F(ReaderTest, SegmentsComeBackAlongThePath) {
  Plan();
  EXPECT_EQ(Restore("000000010000000000000001"), 0);
  EXPECT_TRUE(Restored() == bytes_.substr(kWalSegment, kWalSegment));
  EXPECT_EQ(Restore("000000020000000000000002"), 0);
  EXPECT_TRUE(Restored() == bytes_.substr(2 * kWalSegment, kWalSegment))
      << "before the fork it is timeline 1's, after it timeline 2's";
  EXPECT_EQ(Restore("000000020000000000000004"), 0);
  std::string last = bytes_.substr(4 * kWalSegment, kEnd - 4 * kWalSegment);
  last.resize(kWalSegment, '\0');
  EXPECT_TRUE(Restored() == last) << "zeros after the plan's end";
  EXPECT_EQ(Restore("00000002.history"), 0);
  EXPECT_EQ(Restored(), kHistory);
}

TEST_F(ReaderTest, BeyondThePlanIsTheEndOfTheArchive) {
  Plan();
  for (const char* name :
       {"000000020000000000000005", "00000003.history", "00000001.history",
        "000000030000000000000002", "000000010000000000000003", "000000020000000000000001"}) {
    EXPECT_EQ(Restore(name), 1) << name;
    EXPECT_EQ(Restored(), "absent");
  }
  EXPECT_EQ(said_, "");
}

TEST_F(ReaderTest, WhatFailsIsNeverTakenForTheEnd) {
  EXPECT_GT(Restore("000000010000000000000001"), 125) << "no plan";
  Plan();
  EXPECT_GT(Restore("../../etc/passwd"), 125);
  trial_.repository.FailAfter(0, Error(Code::kUnavailable, "gone"));
  EXPECT_GT(Restore("000000010000000000000001"), 125);
  EXPECT_NE(said_.find("gone"), std::string::npos) << said_;
  trial_.repository.FailAfter(0, std::nullopt);
  const std::string name = plan_.objects.front().name;
  std::string object = *trial_.repository.Get(name);
  object[object.size() / 2] ^= 1;
  trial_.repository.Overwrite(name, object);
  EXPECT_GT(Restore("000000010000000000000001"), 125);
  EXPECT_EQ(Restore("000000020000000000000003"), 0) << "others are not its matter";
  ASSERT_TRUE(trial_.repository.Delete(plan_.objects.back().name));
  EXPECT_GT(Restore("000000020000000000000004"), 125);
  plan_.objects.erase(plan_.objects.begin() + 1);
  ASSERT_TRUE(disk_.WriteDurably("/plan", WalPlanCodec().Format(plan_)));
  EXPECT_GT(Restore("000000010000000000000001"), 125) << "a hole in the plan";
  ASSERT_TRUE(disk_.WriteDurably("/plan", "{\"end\": -1}"));
  EXPECT_GT(Restore("000000010000000000000001"), 125);
}

TEST_F(ReaderTest, APartThatWasMergedSinceIsFoundInWhatReplacedIt) {
  Plan();
  Put(1, 1, kWalSegment, 2 * kWalSegment);
  ASSERT_TRUE(trial_.repository.Delete(
      ObjectName(kTrialInstance, Of(1, 1, kWalSegment, kWalSegment + 5000))));
  ASSERT_TRUE(trial_.repository.Delete(
      ObjectName(kTrialInstance, Of(1, 1, kWalSegment + 5000, 2 * kWalSegment))));
  EXPECT_EQ(Restore("000000010000000000000001"), 0) << said_;
  EXPECT_TRUE(Restored() == bytes_.substr(kWalSegment, kWalSegment));
}

TEST_F(ReaderTest, ThePlanIsRefusedWhereWalIsMissing) {
  const auto contents = trial_.Read();
  EXPECT_EQ(MakeWalPlan(kTrialInstance, contents.NewestCoverage(), {}, Lsn(100), Lsn(kEnd))
                .error()
                .code(),
            Code::kNotFound);
  EXPECT_EQ(
      MakeWalPlan(kTrialInstance, contents.NewestCoverage(), {}, Lsn(kWalSegment), Lsn(kEnd + 1))
          .error()
          .code(),
      Code::kNotFound);
}

}  // namespace
}  // namespace howdah::archive
