// A test aid that takes any workflow and is unkind to it: fails each step, repeats each step,
// crashes at every call of a seam, and checks each time that the run finishes or is cleanly undone
// and that nothing is left over. Deterministic, on one thread, with the world's own clock.
//
// A world has two halves. What survives a crash (the store, the outside: processes, directories,
// addresses, usually simulated) belongs to the World. What dies with the process is built by
// `build`, again after each crash, on the store that it is given.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "store/fault_store.h"
#include "store/store.h"
#include "system/clock.h"
#include "workflow/reconciler.h"
#include "workflow/workflow.h"

namespace howdah::workflow {

// What `build` is given: the store as the process sees it, and the plan that other fakes may share
// (FaultPlan::Reach) so that the harness crashes at their calls too.
struct Process {
  store::Store& store;
  store::FaultPlan& faults;
};

struct World {
  store::Store* store = nullptr;  // without faults
  const system::Clock* clock = nullptr;
  std::string workflow;  // the name of the one that is tested

  // All workflows that the test needs (the one that is tested among them), on objects that die with
  // the process; whatever they need they keep alive themselves (shared_ptr in the steps).
  std::function<std::vector<Workflow>(Process)> build;
  // The reconcilers of that process, which crash with it; may be empty.
  std::function<std::vector<Reconciler>(Process)> build_reconcilers;
  // Commits what an API call would commit: the resource and StartRun. Called once, never crashed.
  std::function<RunId()> start_run;
  // Lets the outside act (a simulated agent) and moves the clock, by some 100 ms.
  std::function<void()> tick_environment;
  // Names of what should not be there: of everything if the run was undone (`done` is false), of
  // what is superfluous if it is done.
  std::function<std::vector<std::string>(bool done)> orphans;
  // The world in words, the same for equal ends: compared with a run that nothing disturbed.
  std::function<std::string()> verdict;

  std::shared_ptr<void> owner;  // keeps all of this alive
};
using WorldFactory = std::function<World()>;

struct HarnessOptions {
  int max_ticks = 2000;        // after which a run counts as never ending
  bool crash_undo_too = true;  // crash at every call of the way back as well
};

struct HarnessReport {
  std::vector<std::string> problems;  // empty: the workflow is sound
  std::int64_t runs = 0;              // how many worlds were run
  std::int64_t crash_points = 0;      // seam calls of the undisturbed run
  std::string Text() const;           // the problems, one a line, at most 20
};

HarnessReport TryHard(const WorldFactory& factory, HarnessOptions options = {});

}  // namespace howdah::workflow
