// Creation, deletion, reboot, stop and start, tried hard: each step failed and repeated, a crash at
// every call of a seam, by the workflow, by the reconcilers and by the engine. Whatever happens,
// the run ends done, or undone with nothing left over: no process, directory, address, interface or
// document.
#include "fleet/workflows.h"

#include "fleet/workflow_trial.h"

namespace howdah::fleet {
namespace {

using workflow::HarnessReport;

Snapshot Empty() {
  return TestFleet().Keep();
}

std::vector<std::string> JudgeFailedCreation(TestFleet& fleet) {
  std::vector<std::string> found = fleet.Leftovers();
  if (fleet.Status() != "failed") found.push_back("the status " + fleet.Status());
  fleet.RunFor(3);
  std::ranges::copy(fleet.Leftovers(), std::back_inserter(found));
  return found;
}

// A deletion has no way back: what is left says that it failed, and can be deleted again.
std::vector<std::string> JudgeFailedDeletion(TestFleet& fleet) {
  std::vector<std::string> found;
  if (fleet.Status() != "failed") found.push_back("the status " + fleet.Status());
  const Result<Instance> again = DeleteInstance(*fleet.context, kTestName);
  if (!again) found.push_back("cannot be deleted again: " + again.error().what());
  if (!fleet.RunUntilIdle()) found.push_back("the second deletion never ends");
  if (fleet.Status() != "gone") found.push_back("the instance");
  std::ranges::copy(fleet.Leftovers(), std::back_inserter(found));
  return found;
}

Scenario Creation(bool multi_az) {
  return {.workflow = std::string(kCreateInstance),
          .from = Empty(),
          .command =
              [multi_az](TestFleet& fleet) {
                return CreateInstance(*fleet.context, fleet.Wish(multi_az));
              },
          .judge_failed = JudgeFailedCreation};
}

Result<Instance> DeleteIt(TestFleet& fleet) {
  return DeleteInstance(*fleet.context, kTestName);
}

TEST(FleetWorkflowTest, CreateSingleAz) {
  const HarnessReport report = Try(Creation(false));
  EXPECT_TRUE(report.problems.empty()) << report.Text();
}

TEST(FleetWorkflowTest, CreateMultiAz) {
  const HarnessReport report = Try(Creation(true));
  EXPECT_TRUE(report.problems.empty()) << report.Text();
}

TEST(FleetWorkflowTest, Delete) {
  const HarnessReport report = Try({.workflow = std::string(kDeleteInstance),
                                    .from = Available(true),
                                    .command = DeleteIt,
                                    .judge_failed = JudgeFailedDeletion});
  EXPECT_TRUE(report.problems.empty()) << report.Text();
}

TEST(FleetWorkflowTest, DeleteDuringCreate) {
  TestFleet fleet;
  ASSERT_TRUE(CreateInstance(*fleet.context, fleet.Wish(true)));
  ASSERT_FALSE(fleet.Run(6, [&] { return fleet.Status() != "creating"; }));
  const HarnessReport report = Try({.workflow = std::string(kDeleteInstance),
                                    .from = fleet.Keep(),
                                    .command = DeleteIt,
                                    .judge_failed = JudgeFailedDeletion});
  EXPECT_TRUE(report.problems.empty()) << report.Text();
}

TEST(FleetWorkflowTest, DeleteAtAnyMomentOfACreationLeavesNothing) {
  for (int ticks = 0; ticks < 30; ++ticks) {
    TestFleet fleet;
    ASSERT_TRUE(CreateInstance(*fleet.context, fleet.Wish(true)));
    fleet.RunFor(ticks);
    ASSERT_TRUE(DeleteInstance(*fleet.context, kTestName));
    ASSERT_TRUE(fleet.RunUntilIdle()) << ticks;
    EXPECT_EQ(fleet.Status(), "gone") << ticks;
    EXPECT_TRUE(fleet.Leftovers().empty()) << ticks << ": " << fleet.Leftovers().front();
  }
}

TEST(FleetWorkflowTest, Reboot) {
  const Snapshot from = Available(true);
  const HarnessReport report =
      Try({.workflow = std::string(kRebootInstance),
           .from = from,
           .command = [](TestFleet& fleet) { return RebootInstance(*fleet.context, kTestName); },
           .judge_failed = AsBefore(from)});
  EXPECT_TRUE(report.problems.empty()) << report.Text();
}

TEST(FleetWorkflowTest, Stop) {
  const Snapshot from = Available(true);
  const HarnessReport report =
      Try({.workflow = std::string(kStopInstance),
           .from = from,
           .command = [](TestFleet& fleet) { return StopInstance(*fleet.context, kTestName); },
           .judge_failed = AsBefore(from)});
  EXPECT_TRUE(report.problems.empty()) << report.Text();
}

TEST(FleetWorkflowTest, Start) {
  const Snapshot from = Available(true, true);
  const HarnessReport report =
      Try({.workflow = std::string(kStartInstance),
           .from = from,
           .command = [](TestFleet& fleet) { return StartInstance(*fleet.context, kTestName); },
           .judge_failed = AsBefore(from)});
  EXPECT_TRUE(report.problems.empty()) << report.Text();
}

TEST(FleetWorkflowTest, AStandbyThatCannotBeMadeUndoesTheCreation) {
  TestFleet fleet;
  fleet.host.breaks_standbys = true;
  ASSERT_TRUE(CreateInstance(*fleet.context, fleet.Wish(true)));
  ASSERT_TRUE(fleet.RunUntilIdle());
  EXPECT_EQ(fleet.Status(), "failed");
  EXPECT_TRUE(fleet.Leftovers().empty()) << fleet.Leftovers().front();
}

// What really goes wrong, rather than what the harness makes up.

TEST(FleetWorkflowTest, APrimaryThatCannotBeMadeUndoesTheCreation) {
  TestFleet fleet;
  const auto created = CreateInstance(*fleet.context, fleet.Wish(true));
  ASSERT_TRUE(created);
  fleet.host.broken_nodes = {created->first_node};
  ASSERT_TRUE(fleet.RunUntilIdle());
  EXPECT_EQ(fleet.Status(), "failed");
  EXPECT_TRUE(fleet.Leftovers().empty()) << fleet.Leftovers().front();
}

TEST(FleetWorkflowTest, AnEndpointThatSomebodyElseHasTakenLeavesTheInstanceStopped) {
  TestFleet fleet(Available(true, true), kSecondSeed);
  fleet.host.taken_addresses = {fleet.Find()->host_address + ":5432"};
  ASSERT_TRUE(StartInstance(*fleet.context, kTestName));
  ASSERT_TRUE(fleet.RunUntilIdle());
  EXPECT_EQ(fleet.Status(), "stopped");
  EXPECT_TRUE(fleet.Leftovers().empty()) << fleet.Leftovers().front();
}

TEST(FleetWorkflowTest, ADeletionOfWhatCannotRunLeavesNothing) {
  TestFleet fleet(Available(true), kSecondSeed);
  fleet.host.broken_nodes = {fleet.Find()->first_node, fleet.Find()->second_node};
  ASSERT_TRUE(RebootInstance(*fleet.context, kTestName));
  fleet.RunFor(3);
  ASSERT_TRUE(DeleteInstance(*fleet.context, kTestName));
  ASSERT_TRUE(fleet.RunUntilIdle());
  EXPECT_EQ(fleet.Status(), "gone");
  EXPECT_TRUE(fleet.Leftovers().empty()) << fleet.Leftovers().front();
}

}  // namespace
}  // namespace howdah::fleet
