// One workflow of the fleet in a world for the harness: where it begins, the command that starts
// it, and what must be true if it failed. Workflows and reconcilers die with the simulated process;
// the store and the simulated host survive it.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "fleet/test_fleet.h"
#include "fleet/workflows.h"
#include "workflow/harness.h"

namespace howdah::fleet {

inline constexpr std::uint64_t kSecondSeed = 2;

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

inline workflow::StepFunction Holding(const std::shared_ptr<Made>& made,
                                      workflow::StepFunction function) {
  if (!function) return function;
  return [made, function = std::move(function)](workflow::StepContext& step) {
    return function(step);
  };
}

inline std::vector<workflow::Workflow> AllWorkflows(const std::shared_ptr<Made>& made) {
  std::vector<workflow::Workflow> all;
  for (const auto& make : {CreateInstanceWorkflow, DeleteInstanceWorkflow, ModifyInstanceWorkflow,
                           RebootInstanceWorkflow, StopInstanceWorkflow, StartInstanceWorkflow,
                           CreateSnapshotWorkflow}) {
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

inline std::vector<workflow::Reconciler> AllReconcilers(const std::shared_ptr<Made>& made) {
  std::vector<workflow::Reconciler> all;
  for (const auto& make : {HaReconciler, RouteReconciler, ShelfReconciler}) {
    workflow::Reconciler reconciler = make(*made->context);
    reconciler.reconcile = [made, reconcile = reconciler.reconcile] { return reconcile(); };
    all.push_back(std::move(reconciler));
  }
  return all;
}

inline workflow::World MakeWorld(const Scenario& scenario) {
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

inline workflow::HarnessReport Try(const Scenario& scenario) {
  return workflow::TryHard([&] { return MakeWorld(scenario); });
}

inline Snapshot Available(bool multi_az, bool stopped = false) {
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
inline std::function<std::vector<std::string>(TestFleet&)> AsBefore(const Snapshot& from) {
  const std::string before = TestFleet(from, kSecondSeed).Summary();
  return [before](TestFleet& fleet) {
    fleet.Run(100, [&] { return fleet.Leftovers().empty() && fleet.Summary() == before; });
    std::vector<std::string> found = fleet.Leftovers();
    if (fleet.Summary() != before) found.push_back(fleet.Summary() + " instead of " + before);
    return found;
  };
}

}  // namespace howdah::fleet
