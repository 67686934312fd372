// Ids are told from malformed ones, and zone ids are those that AWS uses.
#include "vpc/ids.h"

#include <gtest/gtest.h>

#include "system/fake/seeded_entropy.h"
#include "vpc/region.h"

namespace howdah::vpc {
namespace {

TEST(Ids, AFreshIdIsWellFormed) {
  system::SeededEntropy entropy;
  const std::string id = NewId(entropy, kGroupPrefix);
  EXPECT_EQ(id.size(), 20u);
  EXPECT_TRUE(IsWellFormed(id, kGroupPrefix));
  EXPECT_FALSE(IsWellFormed(id, kRulePrefix));
}

TEST(Ids, OnlyHexadecimalDigitsOfTheRightNumber) {
  EXPECT_TRUE(IsWellFormed("sg-0123abcd", kGroupPrefix));
  EXPECT_FALSE(IsWellFormed("sg-0123abcg", kGroupPrefix));
  EXPECT_FALSE(IsWellFormed("sg-0123ABCD", kGroupPrefix));
  EXPECT_FALSE(IsWellFormed("sg-", kGroupPrefix));
  EXPECT_FALSE(IsWellFormed("web", kGroupPrefix));
}

TEST(Regions, ZoneIdsAreBuiltAsAwsBuildsThem) {
  EXPECT_EQ(MakeRegion("us-west-2").zones[0].id, "usw2-az1");
  EXPECT_EQ(MakeRegion("us-west-2").zones[3].name, "us-west-2d");
  EXPECT_EQ(MakeRegion("eu-central-1").zones[1].id, "euc1-az2");
  EXPECT_EQ(MakeRegion("ap-southeast-2").zones[0].id, "apse2-az1");
  EXPECT_EQ(MakeRegion("ap-northeast-1").zones[0].id, "apne1-az1");
}

TEST(Regions, AZoneIsFoundByNameAndById) {
  const Region region = MakeRegion("us-west-2");
  EXPECT_EQ(region.Find("usw2-az2"), region.Find("us-west-2b"));
  EXPECT_EQ(region.Find("us-west-2z"), nullptr);
}

}  // namespace
}  // namespace howdah::vpc
