// A Multi-AZ instance whose primary ends, or is asked to give way: what becomes of its record, its
// nodes, its events and its journal.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fleet/journal.h"
#include "fleet/workflow_trial.h"
#include "fleet/workflows.h"

namespace howdah::fleet {
namespace {

using testing::Contains;
using testing::IsSupersetOf;

ha::Record RecordOf(TestFleet& fleet) {
  return LoadRecord(*fleet.store, fleet.Only()->id)->value;
}

bool AwaitPhase(TestFleet& fleet, ha::Phase phase) {
  return fleet.Run(300, [&] { return RecordOf(fleet).phase == phase; });
}

std::vector<RoleChange> JournalOf(TestFleet& fleet) {
  return *ListRoleChanges(*fleet.store, fleet.Only()->id);
}

class FailoverTest : public testing::Test {
 protected:
  TestFleet fleet{Available(true), 7};
  const ha::Record before = RecordOf(fleet);
};

TEST_F(FailoverTest, TheStandbyTakesOverAndTheFormerPrimaryComesBackAsItsStandby) {
  fleet.host.Kill(before.primary);
  ASSERT_TRUE(AwaitPhase(fleet, ha::Phase::kRejoin)) << fleet.Summary();
  ASSERT_TRUE(AwaitPhase(fleet, ha::Phase::kProtected)) << fleet.Summary();
  const ha::Record after = RecordOf(fleet);
  EXPECT_EQ(after.epoch, before.epoch + 1);
  EXPECT_EQ(after.primary, before.standby);
  EXPECT_EQ(after.standby, before.primary);
  EXPECT_EQ(LoadRouteObserved(*fleet.store, fleet.Only()->id)->epoch, after.epoch);
  EXPECT_THAT(fleet.Messages(), IsSupersetOf({"Multi-AZ instance failover started.",
                                              "Multi-AZ instance failover completed"}));
  EXPECT_THAT(fleet.Leftovers(), testing::IsEmpty());
}

TEST_F(FailoverTest, TheJournalSaysWhyWhoAndHowLong) {
  fleet.host.Kill(before.primary);
  ASSERT_TRUE(AwaitPhase(fleet, ha::Phase::kRejoin));
  ASSERT_TRUE(AwaitPhase(fleet, ha::Phase::kProtected));
  const std::vector<RoleChange> journal = JournalOf(fleet);
  ASSERT_EQ(journal.size(), 1);
  EXPECT_EQ(journal[0].cause, ha::CauseName(ha::Cause::kPrimaryDown));
  EXPECT_EQ(journal[0].steps[0].reason, "its server ended");
  EXPECT_EQ(journal[0].from, before.primary);
  EXPECT_EQ(journal[0].to, before.standby);
  EXPECT_EQ(journal[0].outcome, "completed");
  std::vector<std::string> phases;
  for (const RoleChange::Step& step : journal[0].steps) phases.push_back(step.phase);
  EXPECT_THAT(phases,
              testing::ElementsAre("FAILOVER", "PROMOTING", "REJOIN", "CATCHUP", "PROTECTED"));
  EXPECT_EQ(*ParseRoleChange(Format(journal[0])), journal[0]);
}

TEST_F(FailoverTest, ARequestedOneStopsThePrimaryCleanlyAndEndsAvailable) {
  ASSERT_TRUE(FailoverInstance(*fleet.context, kTestName));
  EXPECT_EQ(fleet.Status(), "rebooting");
  ASSERT_TRUE(fleet.RunUntilIdle()) << fleet.Summary();
  EXPECT_EQ(fleet.Status(), "available");
  EXPECT_EQ(RecordOf(fleet).primary, before.standby);
  ASSERT_EQ(JournalOf(fleet).size(), 1);
  EXPECT_EQ(JournalOf(fleet)[0].steps.front().phase, "PREPARE");
  EXPECT_EQ(JournalOf(fleet)[0].cause, ha::CauseName(ha::Cause::kSwitchover));
}

TEST_F(FailoverTest, ARequestIsRefusedWhileTheStandbyMayNotBePromoted) {
  fleet.host.broken_nodes.insert(before.standby);
  fleet.host.Kill(before.standby);
  ASSERT_TRUE(AwaitPhase(fleet, ha::Phase::kDegraded));
  EXPECT_EQ(FailoverInstance(*fleet.context, kTestName).error().code(), Code::kUnavailable);
}

// It begins with the failover itself; every other one is told by the reconciler.
TEST_F(FailoverTest, OneThatAcceptsALossIsToldOfAsEveryOther) {
  fleet.host.broken_nodes.insert(before.standby);
  fleet.host.Kill(before.standby);
  ASSERT_TRUE(AwaitPhase(fleet, ha::Phase::kDegraded));
  fleet.host.broken_nodes.clear();
  const auto accept = [&] {
    return FailoverAcceptingDataLoss(*fleet.context, kTestName).has_value();
  };
  ASSERT_TRUE(fleet.Run(50, accept)) << fleet.Summary();
  ASSERT_TRUE(AwaitPhase(fleet, ha::Phase::kRejoin)) << fleet.Summary();
  EXPECT_THAT(fleet.Messages(), IsSupersetOf({"Multi-AZ instance failover started.",
                                              "Multi-AZ instance failover completed"}));
}

TEST_F(FailoverTest, WithoutAStandbyThePrimaryIsStartedWhereItIs) {
  fleet.host.broken_nodes.insert(before.standby);
  fleet.host.Kill(before.standby);
  fleet.host.Kill(before.primary);
  ASSERT_TRUE(fleet.Run(100, [&] {
    return LoadObserved(*fleet.store, before.primary)->state == nodes::State::kRunning &&
           RecordOf(fleet).revive == 1;
  })) << fleet.Summary();
  EXPECT_EQ(RecordOf(fleet).epoch, before.epoch);
}

TEST_F(FailoverTest, AfterOneTheInstanceCanBecomeSingleAzWhereThePrimaryIs) {
  ASSERT_TRUE(FailoverInstance(*fleet.context, kTestName));
  ASSERT_TRUE(fleet.RunUntilIdle());
  const Instance was = *fleet.Only();
  Versioned<Instance> instance = *LoadInstance(*fleet.store, was.id);
  Settings single = was.settings;
  single.multi_az = false;
  ASSERT_TRUE(ModifyInstance(*fleet.context, instance, {.settings = single}));
  ASSERT_TRUE(fleet.RunUntilIdle()) << fleet.Summary();
  EXPECT_EQ(fleet.Only()->first_node, was.second_node);
  EXPECT_EQ(fleet.Only()->zone, was.secondary_zone);
  EXPECT_THAT(fleet.Leftovers(), testing::IsEmpty());
}

TEST_F(FailoverTest, AnInstanceThatGoesTakesItsJournalAlong) {
  ASSERT_TRUE(FailoverInstance(*fleet.context, kTestName));
  ASSERT_TRUE(fleet.RunUntilIdle());
  const InstanceId id = fleet.Only()->id;
  ASSERT_TRUE(DeleteInstance(*fleet.context, kTestName));
  ASSERT_TRUE(fleet.RunUntilIdle());
  EXPECT_TRUE(ListRoleChanges(*fleet.store, id)->empty());
}

}  // namespace
}  // namespace howdah::fleet
