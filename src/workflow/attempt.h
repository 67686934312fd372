// One try of a run's current step: calls the step (or its undo), and works out what the run is
// then. Touches nothing itself: the engine commits what comes back.
#pragma once

#include "base/log.h"
#include "store/store.h"
#include "workflow/workflow.h"

namespace howdah::workflow {

struct Attempt {
  Run run;                         // as it shall be
  store::Transaction transaction;  // what the step recorded; without the run itself
  bool write = false;              // the run or something else changed: commit
  bool waits = false;              // not before `delay`; else go on at once
  bool by_error = false;           // the wait is for an error to pass: the engine's back-off
  bool slow = false;               // retry slowly: an undo that fails, a run that is stuck
  Duration delay{0};
};

Attempt TryStep(const Workflow& workflow, const Run& before, store::Store& store, WallTime now,
                const Log& log);

// The step could not be recorded (what it wanted to commit is not acceptable): as if it had failed.
Attempt FailStep(const Workflow& workflow, const Run& before, const std::string& why, WallTime now);

// The run belongs to a workflow that is not registered: it waits for a program that knows it.
Attempt UnknownWorkflow(const Run& before, WallTime now);

}  // namespace howdah::workflow
