// An instance whose storage is short: its status and events follow what its nodes report, it can be
// given more, and nothing waits for what cannot come.
#include "fleet/storage.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "fleet/keys.h"
#include "fleet/workflow_trial.h"

namespace howdah::fleet {
namespace {

using nodes::StorageState;

constexpr std::int64_t kGiB = 1024LL * 1024 * 1024;

class FleetStorageTest : public testing::Test {
 protected:
  Instance It() { return *fleet_.Find(); }
  void Report(const NodeId& node, const nodes::Storage& storage) {
    fleet_.host.storages[node] = storage;
    fleet_.RunFor(30);
  }
  void ReportFirst(StorageState state, bool disk_is_short = false) {
    Report(It().first_node, {.state = state,
                             .disk_is_short = disk_is_short,
                             .used_bytes = 19 * kGiB,
                             .free_bytes = kGiB});
  }
  int Count(std::string_view words) {
    const std::vector<std::string> messages = fleet_.Messages();
    return static_cast<int>(std::ranges::count_if(
        messages, [&](const std::string& message) { return message.contains(words); }));
  }
  Result<Instance> Modify(const std::function<void(Settings&)>& change) {
    TRY_ASSIGN(const Versioned<Instance> instance, FindInstance(*fleet_.store, kTestName));
    Settings settings = instance.value.settings;
    change(settings);
    return ModifyInstance(*fleet_.context, instance, {.settings = settings});
  }
  bool PrimaryIsReadOnly() {
    const auto desired = fleet_.store->Get(nodes::DesiredKey(It().first_node));
    return nodes::ParseDesired(desired->value)->read_only;
  }

  TestFleet fleet_{Available(true), kSecondSeed};
};

TEST_F(FleetStorageTest, LowIsAnEventAndNoStatus) {
  ReportFirst(StorageState::kLow);
  EXPECT_EQ(fleet_.Status(), "available");
  EXPECT_EQ(Count("is low at 5% of the provisioned storage"), 1);
  ReportFirst(StorageState::kNormal);
  ReportFirst(StorageState::kLow);
  EXPECT_EQ(Count("is low at 5% of the provisioned storage"), 2);
}

TEST_F(FleetStorageTest, FullIsToldOnceAndEndsByItself) {
  ReportFirst(StorageState::kFull);
  EXPECT_EQ(fleet_.Status(), "storage-full");
  EXPECT_EQ(Count("Allocated storage has been exhausted."), 1);
  fleet_.RunFor(100);
  EXPECT_EQ(Count("Allocated storage has been exhausted."), 1);
  ReportFirst(StorageState::kNormal);
  EXPECT_EQ(fleet_.Status(), "available");
  EXPECT_EQ(Count("takes writes"), 1);
}

TEST_F(FleetStorageTest, AFullFileSystemIsNotCalledAFullAllocation) {
  ReportFirst(StorageState::kFull, true);
  EXPECT_EQ(fleet_.Status(), "storage-full");
  EXPECT_EQ(Count("Allocated storage"), 0);
  EXPECT_EQ(Count("The file system that holds"), 1);
}

TEST_F(FleetStorageTest, OfAFullInstanceOnlyMoreStorageCanBeAsked) {
  ReportFirst(StorageState::kFull);
  const auto other = Modify([](Settings& settings) { settings.port = 5433; });
  ASSERT_FALSE(other);
  EXPECT_EQ(other.error().what(), "storage-full");
  EXPECT_FALSE(RebootInstance(*fleet_.context, kTestName));
  ASSERT_TRUE(Modify([](Settings& settings) { settings.storage_gib = 40; }));
  EXPECT_EQ(fleet_.Status(), "modifying");
  ReportFirst(StorageState::kNormal);
  ASSERT_TRUE(fleet_.RunUntilIdle());
  EXPECT_EQ(fleet_.Status(), "available");
}

TEST_F(FleetStorageTest, AHeldServerKeepsNoModificationFromEnding) {
  ReportFirst(StorageState::kHeld);
  EXPECT_EQ(fleet_.Status(), "storage-full");
  EXPECT_EQ(Count("The DB instance is stopped because its storage is full"), 1);
  ASSERT_TRUE(Modify([](Settings& settings) { settings.storage_gib = 22; }));
  ASSERT_TRUE(fleet_.RunUntilIdle());
  EXPECT_EQ(fleet_.Status(), "storage-full");  // it was not enough: more can be asked for
  ASSERT_TRUE(Modify([](Settings& settings) { settings.storage_gib = 40; }));
  ReportFirst(StorageState::kNormal);
  ASSERT_TRUE(fleet_.RunUntilIdle());
  EXPECT_EQ(fleet_.Status(), "available");
}

TEST_F(FleetStorageTest, AStoppedInstanceWithoutRoomCanBeStarted) {
  ASSERT_TRUE(StopInstance(*fleet_.context, kTestName));
  ASSERT_TRUE(fleet_.RunUntilIdle());
  fleet_.host.storages[It().first_node] = {.state = StorageState::kHeld};
  ASSERT_TRUE(StartInstance(*fleet_.context, kTestName));
  ASSERT_TRUE(fleet_.RunUntilIdle());
  EXPECT_EQ(fleet_.Status(), "storage-full");
}

TEST_F(FleetStorageTest, AFullStandbyMakesThePrimaryReadOnly) {
  EXPECT_FALSE(PrimaryIsReadOnly());
  Report(It().second_node, {.state = StorageState::kFull});
  EXPECT_TRUE(PrimaryIsReadOnly());
  EXPECT_EQ(fleet_.Status(), "storage-full");
  Report(It().second_node, {.state = StorageState::kNormal});
  EXPECT_FALSE(PrimaryIsReadOnly());
  EXPECT_EQ(fleet_.Status(), "available");
}

TEST_F(FleetStorageTest, WhatCannotBeMeasuredIsTold) {
  Report(It().first_node, {.state = StorageState::kNormal, .error = "permission denied"});
  EXPECT_EQ(fleet_.Status(), "available");
  EXPECT_EQ(Count("permission denied"), 1);
}

TEST_F(FleetStorageTest, ADeletedInstanceLeavesNothingToldBehind) {
  ReportFirst(StorageState::kFull);
  ASSERT_TRUE(DeleteInstance(*fleet_.context, kTestName));
  ASSERT_TRUE(fleet_.RunUntilIdle());
  fleet_.RunFor(200);
  EXPECT_TRUE(fleet_.store->List(kStorageToldPrefix)->documents.empty());
}

}  // namespace
}  // namespace howdah::fleet
