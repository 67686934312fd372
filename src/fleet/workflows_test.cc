// Every workflow of the fleet, tried hard: each step failed and repeated, a crash at every call of
// a seam, by the workflow, by the reconcilers and by the engine. Whatever happens, the run ends
// done, or undone with nothing left over: no process, directory, address, interface or document.
#include "fleet/workflows.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "fleet/keys.h"
#include "fleet/test_fleet.h"
#include "workflow/harness.h"

namespace howdah::fleet {
namespace {

using workflow::HarnessReport;

constexpr std::uint64_t kSecondSeed = 2;

struct Scenario {
  std::string workflow;
  Snapshot from;
  std::function<Result<Instance>(TestFleet&)> command;
  // What is wrong with the end when the run failed; leftovers are asked for in any case.
  std::function<std::vector<std::string>(TestFleet&)> judge_failed;
};

// What a process is made of; its steps keep it alive.
struct Made {
  std::shared_ptr<Context> context;
  std::shared_ptr<TestFleet> fleet;
};

workflow::StepFunction Holding(const std::shared_ptr<Made>& made, workflow::StepFunction function) {
  if (!function) return function;
  return [made, function = std::move(function)](workflow::StepContext& step) {
    return function(step);
  };
}

std::vector<workflow::Workflow> AllWorkflows(const std::shared_ptr<Made>& made) {
  std::vector<workflow::Workflow> all;
  for (const auto& make : {CreateInstanceWorkflow, DeleteInstanceWorkflow, ModifyInstanceWorkflow,
                           RebootInstanceWorkflow, StopInstanceWorkflow, StartInstanceWorkflow}) {
    workflow::Workflow workflow = make(*made->context);
    for (workflow::Step& step : workflow.steps) {
      step.run = Holding(made, step.run);
      step.undo = Holding(made, step.undo);
    }
    workflow.on_failed = Holding(made, workflow.on_failed);
    all.push_back(std::move(workflow));
  }
  return all;
}

std::vector<workflow::Reconciler> AllReconcilers(const std::shared_ptr<Made>& made) {
  std::vector<workflow::Reconciler> all;
  for (const auto& make : {HaReconciler, RouteReconciler}) {
    workflow::Reconciler reconciler = make(*made->context);
    reconciler.reconcile = [made, reconcile = reconciler.reconcile] { return reconcile(); };
    all.push_back(std::move(reconciler));
  }
  return all;
}

workflow::World MakeWorld(const Scenario& scenario) {
  auto fleet = std::make_shared<TestFleet>(scenario.from, kSecondSeed);
  const auto make = [fleet](workflow::Process process) {
    return std::make_shared<Made>(Made{fleet->MakeContext(process.store, &process.faults), fleet});
  };
  workflow::World world;
  world.store = &*fleet->store;
  world.clock = &fleet->store.clock;
  world.workflow = scenario.workflow;
  world.build = [make](workflow::Process process) { return AllWorkflows(make(process)); };
  world.build_reconcilers = [make](workflow::Process process) {
    return AllReconcilers(make(process));
  };
  world.start_run = [fleet, command = scenario.command] {
    const Result<Instance> instance = command(*fleet);
    EXPECT_TRUE(instance) << (instance ? "" : instance.error().what());
    return instance ? instance->run : RunId("none");
  };
  world.tick_environment = [fleet] { fleet->Tick(); };
  world.orphans = [fleet, judge = scenario.judge_failed](bool done) {
    if (done) return fleet->Leftovers();
    return judge(*fleet);
  };
  world.verdict = [fleet] { return fleet->Summary(); };
  world.owner = fleet;
  return world;
}

HarnessReport Try(const Scenario& scenario) {
  HarnessReport report = workflow::TryHard([&] { return MakeWorld(scenario); });
  std::cout << "  " << report.crash_points << " seam calls, " << report.runs << " runs\n";
  return report;
}

Snapshot Empty() {
  return TestFleet().Keep();
}

Snapshot Available(bool multi_az, bool stopped = false) {
  TestFleet fleet;
  EXPECT_TRUE(CreateInstance(*fleet.context, fleet.Wish(multi_az)));
  EXPECT_TRUE(fleet.RunUntilIdle());
  EXPECT_EQ(fleet.Status(), "available");
  if (stopped) {
    EXPECT_TRUE(StopInstance(*fleet.context, kTestName));
    EXPECT_TRUE(fleet.RunUntilIdle());
    EXPECT_EQ(fleet.Status(), "stopped");
  }
  EXPECT_TRUE(fleet.Leftovers().empty()) << fleet.Leftovers().front();
  // The runs that led here are history.
  Snapshot snapshot = fleet.Keep();
  std::erase_if(snapshot.documents,
                [](const store::Put& put) { return put.key.starts_with("/runs/"); });
  return snapshot;
}

// As it was before, sooner or later: the nodes may still have to follow the record.
std::function<std::vector<std::string>(TestFleet&)> AsBefore(const Snapshot& from) {
  const std::string before = TestFleet(from, kSecondSeed).Summary();
  return [before](TestFleet& fleet) {
    fleet.Run(100, [&] { return fleet.Leftovers().empty() && fleet.Summary() == before; });
    std::vector<std::string> found = fleet.Leftovers();
    if (fleet.Summary() != before) found.push_back(fleet.Summary() + " instead of " + before);
    return found;
  };
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

Scenario Modification(bool multi_az, const std::function<void(TestFleet&, Settings&)>& change) {
  const Snapshot from = Available(multi_az);
  return {.workflow = std::string(kModifyInstance),
          .from = from,
          .command = [change](TestFleet& fleet) -> Result<Instance> {
            TRY_ASSIGN(const Versioned<Instance> instance, FindInstance(*fleet.store, kTestName));
            Settings settings = instance.value.settings;
            change(fleet, settings);
            return ModifyInstance(*fleet.context, instance,
                                  {.settings = settings, .announcements = {"it is changed"}});
          },
          .judge_failed = AsBefore(from)};
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

TEST(FleetWorkflowTest, DeleteAtAnyMomentOfAModificationLeavesNothing) {
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

TEST(FleetWorkflowTest, ModifyClass) {
  const HarnessReport report = Try(Modification(
      true, [](TestFleet&, Settings& settings) { settings.instance_class = "db.t3.small"; }));
  EXPECT_TRUE(report.problems.empty()) << report.Text();
}

TEST(FleetWorkflowTest, ModifyToMultiAz) {
  const HarnessReport report =
      Try(Modification(false, [](TestFleet&, Settings& settings) { settings.multi_az = true; }));
  EXPECT_TRUE(report.problems.empty()) << report.Text();
}

TEST(FleetWorkflowTest, ModifyToSingleAz) {
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

TEST(FleetWorkflowTest, ModifySecurityGroups) {
  const HarnessReport report = Try(Modification(true, [](TestFleet& fleet, Settings& settings) {
    settings.security_groups = {fleet.groups.at(1)};
  }));
  EXPECT_TRUE(report.problems.empty()) << report.Text();
}

TEST(FleetWorkflowTest, ModifyPassword) {
  const HarnessReport report = Try(Modification(false, [](TestFleet&, Settings& settings) {
    settings.master_verifier = "SCRAM-SHA-256$2";
    ++settings.password_stamp;
  }));
  EXPECT_TRUE(report.problems.empty()) << report.Text();
}

TEST(FleetWorkflowTest, ModifyPort) {
  const HarnessReport report =
      Try(Modification(false, [](TestFleet&, Settings& settings) { settings.port = 6432; }));
  EXPECT_TRUE(report.problems.empty()) << report.Text();
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

// What really goes wrong, rather than what the harness makes up.

TEST(FleetWorkflowTest, AStandbyThatCannotBeMadeUndoesTheCreation) {
  TestFleet fleet;
  fleet.host.breaks_standbys = true;
  ASSERT_TRUE(CreateInstance(*fleet.context, fleet.Wish(true)));
  ASSERT_TRUE(fleet.RunUntilIdle());
  EXPECT_EQ(fleet.Status(), "failed");
  EXPECT_TRUE(fleet.Leftovers().empty()) << fleet.Leftovers().front();
}

TEST(FleetWorkflowTest, AStandbyThatCannotBeMadeLeavesTheInstanceSingleAz) {
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

TEST(FleetWorkflowTest, APortThatIsTakenLeavesTheOldEndpoint) {
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
