// What waits for the window survives everything, is carried out once, and never claims to be true
// before it is.
#include "fleet/maintenance.h"

#include <gmock/gmock.h>

#include "fleet/workflow_trial.h"

namespace howdah::fleet {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;

// Always and never, as far as a test goes.
constexpr std::string_view kOpen = "mon:00:00-sun:23:59";
constexpr std::string_view kClosed = "nothing";

Result<Instance> Queue(TestFleet& fleet, const Deferred& deferred, std::string_view window) {
  TRY_ASSIGN(const Versioned<Instance> instance, FindInstance(*fleet.store, kTestName));
  Settings settings = instance.value.settings;
  settings.maintenance_window = window;
  return ModifyInstance(*fleet.context, instance, {.settings = settings, .deferred = deferred});
}

TEST(MaintenanceTest, WhatWaitsIsNotCarriedOutOutsideTheWindow) {
  TestFleet fleet(Available(false), kSecondSeed);
  const std::string before = fleet.Summary();
  ASSERT_TRUE(Queue(fleet, {.instance_class = "db.t3.small"}, kClosed));
  fleet.RunFor(500);
  EXPECT_EQ(fleet.Summary(), before);
  EXPECT_EQ(fleet.Find()->deferred.instance_class, "db.t3.small");
}

TEST(MaintenanceTest, TheWindowCarriesOutTheWholeQueue) {
  TestFleet fleet(Available(false), kSecondSeed);
  ASSERT_TRUE(Queue(
      fleet, {.identifier = "other", .instance_class = "db.t3.small", .storage_gib = 40}, kOpen));
  ASSERT_TRUE(fleet.Run(500, [&] { return fleet.Status("other") == "available"; }));
  const Instance now = *fleet.Find("other");
  EXPECT_TRUE(fleet.Run(50, [&] { return fleet.Find("other")->identifier == "other"; }));
  EXPECT_EQ(now.settings.storage_gib, 40);
  EXPECT_EQ(now.settings.instance_class, "db.t3.small");
  EXPECT_TRUE(now.deferred.empty());
  EXPECT_TRUE(fleet.Leftovers().empty()) << fleet.Leftovers().front();
}

TEST(MaintenanceTest, WhatIsStoppedKeepsItsQueue) {
  TestFleet fleet(Available(false), kSecondSeed);
  ASSERT_TRUE(Queue(fleet, {.storage_gib = 40}, kClosed));
  Versioned<Instance> instance = *FindInstance(*fleet.store, kTestName);
  ASSERT_TRUE(StopInstance(*fleet.context, kTestName));
  ASSERT_TRUE(fleet.RunUntilIdle());
  instance = *FindInstance(*fleet.store, kTestName);
  instance.value.settings.maintenance_window = kOpen;
  store::Transaction transaction;
  Save(transaction, instance);
  ASSERT_TRUE(fleet.store->Commit(transaction));
  fleet.RunFor(500);
  EXPECT_EQ(fleet.Find()->deferred.storage_gib, 40);
  ASSERT_TRUE(StartInstance(*fleet.context, kTestName));
  EXPECT_TRUE(fleet.Run(500, [&] { return fleet.Find()->settings.storage_gib == 40; }));
}

TEST(MaintenanceTest, ANameThatSomebodyElseTookIsGivenUpAndTheRestCarriedOut) {
  TestFleet fleet(Available(false), kSecondSeed);
  ASSERT_TRUE(Queue(fleet, {.identifier = "other", .storage_gib = 40}, kOpen));
  NewInstance other = fleet.Wish(false);
  other.identifier = "other";
  ASSERT_TRUE(CreateInstance(*fleet.context, other));
  EXPECT_TRUE(fleet.Run(1000, [&] { return fleet.Find()->settings.storage_gib == 40; }));
  EXPECT_EQ(fleet.Find()->identifier, kTestName);
  EXPECT_THAT(fleet.Messages(), Contains(HasSubstr("the name is taken")));
}

TEST(MaintenanceTest, WhatCannotBeCarriedOutIsTriedOnce) {
  TestFleet fleet(Available(false), kSecondSeed);
  fleet.host.breaks_standbys = true;
  ASSERT_TRUE(Queue(fleet, {.multi_az = true}, kOpen));
  fleet.RunFor(1000);
  EXPECT_EQ(fleet.Status(), "available");
  EXPECT_FALSE(fleet.Find()->settings.multi_az);
  EXPECT_TRUE(fleet.Find()->deferred.empty());
  EXPECT_EQ(std::ranges::count_if(
                fleet.Messages(),
                [](const std::string& it) { return it.find("could not be") != it.npos; }),
            1);
}

}  // namespace
}  // namespace howdah::fleet
