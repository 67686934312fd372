// Carries out runs and reconcilers: a few worker threads, each of which runs one step at a time.
// A run is never on two threads at once; a reconciler neither. Built with everything that it may
// touch; started and stopped by bin/. Crash-safe because every position is in the store.
#pragma once

#include <memory>
#include <vector>

#include "base/log.h"
#include "store/store.h"
#include "system/clock.h"
#include "workflow/reconciler.h"
#include "workflow/workflow.h"

namespace howdah::workflow {

class Engine {
 public:
  struct Options {
    int workers = 3;
    Duration poll = 200ms;         // at least this often we look for due runs
    Duration keep_finished = 24h;  // finished runs are kept for the operator this long
    int max_kept_finished = 1000;
  };

  Engine(Options options, store::Store& store, const system::Clock& clock, const Log& log);
  ~Engine();  // stops

  // Before Start. A workflow's name is unique.
  void Register(Workflow workflow);
  void Register(Reconciler reconciler);
  const std::vector<Workflow>& workflows() const;

  void Start();
  void Stop();  // waits for the steps under way

  // Does one step of one due run, if there is one, on the calling thread: for tests and simulation.
  // True if something was done.
  bool StepOnce();

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace howdah::workflow
