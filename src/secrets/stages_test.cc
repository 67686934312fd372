// A stage is on at most one version, and the version before the current one can be found.
#include "secrets/stages.h"

#include <gtest/gtest.h>

namespace howdah::secrets {
namespace {

using Stages = std::vector<std::string>;

Record Two() {
  Record record;
  record.versions["v1"] = {};
  record.versions["v2"] = {};
  AttachStages(record, "v1", {"AWSCURRENT"});
  AttachStages(record, "v2", {"AWSCURRENT"});
  return record;
}

TEST(Stages, PreviousFollowsCurrent) {
  Record record = Two();
  EXPECT_EQ(record.versions["v1"].stages, Stages{"AWSPREVIOUS"});
  record.versions["v3"] = {};
  AttachStages(record, "v3", {"AWSCURRENT", "mine"});
  EXPECT_TRUE(record.versions["v1"].stages.empty());
  EXPECT_EQ(record.versions["v2"].stages, Stages{"AWSPREVIOUS"});
  EXPECT_EQ(record.versions["v3"].stages, (Stages{"mine", "AWSCURRENT"}));
}

TEST(Stages, APendingVersionIsNotCurrent) {
  Record record = Two();
  record.versions["v3"] = {};
  AttachStages(record, "v3", {"AWSPENDING"});
  EXPECT_EQ(HolderOf(record, kCurrent), "v2");
}

TEST(Stages, CurrentMovesBackOnlyWhenItsHolderIsNamed) {
  Record record = Two();
  EXPECT_EQ(MoveStage(record, {"AWSCURRENT", "", "v1"}).error().code(), Code::kInvalid);
  EXPECT_EQ(MoveStage(record, {"AWSCURRENT", "v1", "v2"}).error().code(), Code::kInvalid);
  EXPECT_EQ(MoveStage(record, {"AWSCURRENT", "v2", ""}).error().code(), Code::kInvalid);
  EXPECT_EQ(MoveStage(record, {"AWSCURRENT", "v2", "v9"}).error().code(), Code::kNotFound);
  EXPECT_EQ(MoveStage(record, {"AWSCURRENT", "", ""}).error().code(), Code::kInvalid);
  ASSERT_TRUE(MoveStage(record, {"AWSCURRENT", "v2", "v1"}));
  EXPECT_EQ(record.versions["v1"].stages, Stages{"AWSCURRENT"});
  EXPECT_EQ(record.versions["v2"].stages, Stages{"AWSPREVIOUS"});
}

TEST(Stages, ALabelOfOnesOwnIsAddedMovedAndTakenAway) {
  Record record = Two();
  ASSERT_TRUE(MoveStage(record, {"mine", "", "v1"}));
  ASSERT_TRUE(MoveStage(record, {"mine", "v1", "v2"}));
  EXPECT_EQ(HolderOf(record, "mine"), "v2");
  ASSERT_TRUE(MoveStage(record, {"mine", "v2", ""}));
  EXPECT_EQ(HolderOf(record, "mine"), std::nullopt);
  for (int i = 0; i < 18; ++i) ASSERT_TRUE(MoveStage(record, {"l" + std::to_string(i), "", "v2"}));
  ASSERT_TRUE(MoveStage(record, {"l18", "", "v2"}));
  EXPECT_EQ(MoveStage(record, {"l19", "", "v2"}).error().code(), Code::kExhausted);
}

TEST(Stages, PruningSparesTheYoungAndTheNamed) {
  Record record = Two();
  const WallTime start = FromMicros(0);
  for (int i = 0; i < 105; ++i) record.versions["w" + std::to_string(i)] = {.created = start};
  record.versions["w0"].created = start + 1h;
  EXPECT_TRUE(Prune(record, start + 2h).empty());
  EXPECT_EQ(Prune(record, start + 48h).size(), 7U);
  EXPECT_EQ(record.versions.size(), kMaximumVersions);
  EXPECT_TRUE(record.versions.contains("w0") && record.versions.contains("v1"));
}

}  // namespace
}  // namespace howdah::secrets
