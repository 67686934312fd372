#include "host/storage_watch.h"

#include <gtest/gtest.h>

#include "system/fake/fake_clock.h"
#include "system/fake/memory_disk.h"

namespace howdah::host {
namespace {

using nodes::StorageState;

// Without its thread: the test makes the passes.
class StorageWatchTest : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(disk_.MakeDirectories("/node/data"));
    SetFree(500 * kGiB);
  }
  void SetFree(std::uint64_t bytes) {
    disk_.SetSpace({.total_bytes = 1000 * kGiB, .free_bytes = bytes});
  }
  std::unique_ptr<StorageWatch> Make(const nodes::Storage& last = {}) {
    return std::make_unique<StorageWatch>(
        StorageWatch::Needs{.disk = disk_, .clock = clock_, .on_change = [this] { ++changes_; }},
        last);
  }

  system::MemoryDisk disk_;
  system::FakeClock clock_;
  int changes_ = 0;
};

TEST_F(StorageWatchTest, TheFileSystemIsKnownBeforeAServerMayStart) {
  SetFree(100 * kMiB);
  const auto watch = Make();
  watch->Follow("/node", 20 * kGiB);
  const nodes::Storage report = watch->Report();
  EXPECT_EQ(report.state, StorageState::kHeld);
  EXPECT_TRUE(report.disk_is_short);
  EXPECT_EQ(report.free_bytes, static_cast<std::int64_t>(100 * kMiB));
}

TEST_F(StorageWatchTest, WhatAnEarlierWatchDecidedStands) {
  const auto watch = Make({.state = StorageState::kFull, .used_bytes = 1});
  watch->Follow("/node", 20 * kGiB);
  EXPECT_EQ(watch->Report().state, StorageState::kFull);
  EXPECT_FALSE(watch->Report().disk_is_short);
}

TEST_F(StorageWatchTest, AGoneDirectoryIsAnErrorAndNotAnEmptyOne) {
  const auto watch = Make({.state = StorageState::kLow, .used_bytes = 7, .free_bytes = 9});
  watch->Follow("/gone", 20 * kGiB);
  watch->Pass();
  const nodes::Storage report = watch->Report();
  EXPECT_NE(report.error.find("/gone"), std::string::npos) << report.error;
  EXPECT_EQ(report.state, StorageState::kLow);
  EXPECT_EQ(report.used_bytes, 7);
}

TEST_F(StorageWatchTest, AFullAllocationIsFoundByTheWalkAndMoreOfItBringsTheNodeBack) {
  ASSERT_TRUE(disk_.WriteDurably("/node/data/table", std::string(50 * kMiB, 'x')));
  const auto watch = Make();
  watch->Follow("/node", 300 * kMiB);
  EXPECT_EQ(watch->Report().state, StorageState::kNormal);  // not walked yet
  watch->Pass();
  EXPECT_EQ(watch->Report().state, StorageState::kFull);
  EXPECT_FALSE(watch->Report().disk_is_short);
  EXPECT_EQ(watch->Report().used_bytes, static_cast<std::int64_t>(50 * kMiB));
  clock_.Advance(kStorageDwell);
  watch->Follow("/node", 20 * kGiB);
  watch->Pass();
  EXPECT_EQ(watch->Report().state, StorageState::kNormal);
}

TEST_F(StorageWatchTest, AFileSystemThatShrinksFastIsWalkedAtOnce) {
  const auto watch = Make();
  watch->Follow("/node", 300 * kMiB);
  watch->Pass();
  ASSERT_TRUE(disk_.WriteDurably("/node/data/table", std::string(50 * kMiB, 'x')));
  clock_.Advance(1s);
  SetFree(499 * kGiB);
  watch->Pass();
  EXPECT_EQ(watch->Report().state, StorageState::kFull);
}

TEST_F(StorageWatchTest, SmallChangesAreNotReported) {
  const auto watch = Make();
  watch->Follow("/node", 2000 * kGiB);
  watch->Pass();
  const int before = changes_;
  for (int i = 1; i <= 100; ++i) {
    clock_.Advance(2s);
    SetFree(500 * kGiB - i * 8 * kMiB);
    watch->Pass();
  }
  EXPECT_EQ(changes_, before);
  SetFree(490 * kGiB);
  clock_.Advance(1min);
  watch->Pass();
  EXPECT_EQ(changes_, before + 1);
}

}  // namespace
}  // namespace howdah::host
