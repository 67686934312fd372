// Modifications, tried hard: what cannot be carried out is taken back, and the instance never
// claims to be what it is not.
#include "fleet/workflow_trial.h"

namespace howdah::fleet {
namespace {

using workflow::HarnessReport;

Scenario Modification(bool multi_az, const std::function<void(TestFleet&, Settings&)>& change) {
  const Snapshot from = Available(multi_az);
  return {.workflow = std::string(kModifyInstance),
          .from = from,
          .command = [change](TestFleet& fleet) -> Result<Instance> {
            TRY_ASSIGN(const Versioned<Instance> instance, FindInstance(*fleet.store, kTestName));
            Settings settings = instance.value.settings;
            change(fleet, settings);
            return ModifyInstance(*fleet.context, instance, {.settings = settings});
          },
          .judge_failed = AsBefore(from)};
}

TEST(ModifyInstanceTest, DeleteAtAnyMomentOfAModificationLeavesNothing) {
  const Scenario scenario =
      Modification(false, [](TestFleet&, Settings& settings) { settings.multi_az = true; });
  for (int ticks = 0; ticks < 15; ++ticks) {
    TestFleet fleet(scenario.from, kSecondSeed);
    ASSERT_TRUE(scenario.command(fleet));
    fleet.RunFor(ticks);
    ASSERT_TRUE(DeleteInstance(*fleet.context, kTestName));
    ASSERT_TRUE(fleet.RunUntilIdle()) << ticks;
    EXPECT_EQ(fleet.Status(), "gone") << ticks;
    EXPECT_TRUE(fleet.Leftovers().empty()) << ticks << ": " << fleet.Leftovers().front();
  }
}

TEST(ModifyInstanceTest, ModifyClass) {
  const HarnessReport report = Try(Modification(
      true, [](TestFleet&, Settings& settings) { settings.instance_class = "db.t3.small"; }));
  EXPECT_TRUE(report.problems.empty()) << report.Text();
}

TEST(ModifyInstanceTest, ModifyToMultiAz) {
  const HarnessReport report =
      Try(Modification(false, [](TestFleet&, Settings& settings) { settings.multi_az = true; }));
  EXPECT_TRUE(report.problems.empty()) << report.Text();
}

TEST(ModifyInstanceTest, ModifyToSingleAz) {
  Scenario scenario =
      Modification(true, [](TestFleet&, Settings& settings) { settings.multi_az = false; });
  // Once the standby has been given up it does not come back: then Single-AZ is the clean end.
  scenario.judge_failed = [](TestFleet& fleet) {
    const auto settled = [&] { return fleet.Leftovers().empty() && fleet.Status() == "available"; };
    fleet.Run(100, settled);
    std::vector<std::string> found = fleet.Leftovers();
    if (fleet.Status() != "available") found.push_back("the status " + fleet.Status());
    const std::string summary = fleet.Summary();
    const bool multi = summary.find(" multi ") != std::string::npos &&
                       summary.find("PROTECTED") != std::string::npos;
    const bool single = summary.find(" single ") != std::string::npos &&
                        summary.find("SINGLE") != std::string::npos;
    if (!multi && !single) found.push_back("neither one nor the other: " + summary);
    return found;
  };
  const HarnessReport report = Try(scenario);
  EXPECT_TRUE(report.problems.empty()) << report.Text();
}

TEST(ModifyInstanceTest, ModifySecurityGroups) {
  const HarnessReport report = Try(Modification(true, [](TestFleet& fleet, Settings& settings) {
    settings.security_groups = {fleet.groups.at(1)};
  }));
  EXPECT_TRUE(report.problems.empty()) << report.Text();
}

TEST(ModifyInstanceTest, ModifyPassword) {
  const HarnessReport report = Try(Modification(false, [](TestFleet&, Settings& settings) {
    settings.master_verifier = "SCRAM-SHA-256$2";
    ++settings.password_stamp;
  }));
  EXPECT_TRUE(report.problems.empty()) << report.Text();
}

Scenario Renaming() {
  const Snapshot from = Available(false);
  return {.workflow = std::string(kModifyInstance),
          .from = from,
          .command = [](TestFleet& fleet) -> Result<Instance> {
            TRY_ASSIGN(const Versioned<Instance> instance, FindInstance(*fleet.store, kTestName));
            Settings settings = instance.value.settings;
            settings.port = 6432;
            return ModifyInstance(*fleet.context, instance,
                                  {.settings = settings, .new_identifier = "other"});
          },
          .judge_failed = AsBefore(from)};
}

TEST(ModifyInstanceTest, Rename) {
  Scenario scenario = Renaming();
  // The last step after the rename only tells of it: whoever ends there has the new name.
  const auto as_before = scenario.judge_failed;
  scenario.judge_failed = [as_before](TestFleet& fleet) {
    if (!fleet.Find("other")) return as_before(fleet);
    fleet.Run(100, [&] { return fleet.Leftovers().empty(); });
    return fleet.Leftovers();
  };
  const HarnessReport report = Try(scenario);
  EXPECT_TRUE(report.problems.empty()) << report.Text();
}

TEST(ModifyInstanceTest, ARenameThatCannotBeCarriedOutGivesTheNewNameFree) {
  const Scenario scenario = Renaming();
  TestFleet fleet(scenario.from, kSecondSeed);
  fleet.host.taken_addresses = {fleet.Find()->host_address + ":6432"};
  const std::string before = fleet.Summary();
  ASSERT_TRUE(scenario.command(fleet));
  EXPECT_EQ(fleet.Status("other"), "renaming");
  ASSERT_TRUE(fleet.RunUntilIdle());
  fleet.RunFor(5);
  EXPECT_EQ(fleet.Summary(), before);
  EXPECT_FALSE(fleet.Find("other"));
  EXPECT_TRUE(fleet.Leftovers().empty()) << fleet.Leftovers().front();
}

TEST(ModifyInstanceTest, DeleteAtAnyMomentOfARenameLeavesNothing) {
  const Scenario scenario = Renaming();
  for (int ticks = 0; ticks < 15; ++ticks) {
    TestFleet fleet(scenario.from, kSecondSeed);
    ASSERT_TRUE(scenario.command(fleet));
    fleet.RunFor(ticks);
    ASSERT_TRUE(DeleteInstance(*fleet.context, "other")) << ticks;
    ASSERT_TRUE(fleet.RunUntilIdle()) << ticks;
    EXPECT_TRUE(ListInstances(*fleet.store)->empty()) << ticks;
    EXPECT_TRUE(fleet.Leftovers().empty()) << ticks << ": " << fleet.Leftovers().front();
  }
}

TEST(ModifyInstanceTest, ModifyPort) {
  const HarnessReport report =
      Try(Modification(false, [](TestFleet&, Settings& settings) { settings.port = 6432; }));
  EXPECT_TRUE(report.problems.empty()) << report.Text();
}

TEST(ModifyInstanceTest, AStandbyThatCannotBeMadeLeavesTheInstanceSingleAz) {
  const Scenario scenario =
      Modification(false, [](TestFleet&, Settings& settings) { settings.multi_az = true; });
  TestFleet fleet(scenario.from, kSecondSeed);
  fleet.host.breaks_standbys = true;
  const std::string before = fleet.Summary();
  ASSERT_TRUE(scenario.command(fleet));
  ASSERT_TRUE(fleet.RunUntilIdle());
  EXPECT_EQ(fleet.Summary(), before) << "never a promise that is not kept";
  EXPECT_TRUE(fleet.Leftovers().empty()) << fleet.Leftovers().front();
}

TEST(ModifyInstanceTest, APortThatIsTakenLeavesTheOldEndpoint) {
  const Scenario scenario =
      Modification(false, [](TestFleet&, Settings& settings) { settings.port = 6432; });
  TestFleet fleet(scenario.from, kSecondSeed);
  fleet.host.taken_addresses = {fleet.Find()->host_address + ":6432"};
  const std::string before = fleet.Summary();
  ASSERT_TRUE(scenario.command(fleet));
  ASSERT_TRUE(fleet.RunUntilIdle());
  fleet.RunFor(5);
  EXPECT_EQ(fleet.Summary(), before);
  EXPECT_TRUE(fleet.Leftovers().empty()) << fleet.Leftovers().front();
}

}  // namespace
}  // namespace howdah::fleet
