// The rule that keeps it right: a run moves only by Done, Fail, or somebody's RequestUndo; an undo
// that cannot be done is tried for ever and never skipped.
#include "workflow/attempt.h"

#include <fmt/format.h>

#include <exception>

namespace howdah::workflow {
namespace {

constexpr std::size_t kNoStep = static_cast<std::size_t>(-1);

std::size_t FindStep(const Workflow& workflow, const std::string& name) {
  if (name.empty()) return 0;  // as StartRun leaves it
  for (std::size_t i = 0; i < workflow.steps.size(); ++i) {
    if (workflow.steps[i].name == name) return i;
  }
  return kNoStep;
}

void Finish(Run& run, RunState state) {
  run.state = state;
  run.stuck = false;
  run.error = run.failure;
}

// Goes to the nearest undo at or before `index` (counted from 1; 0: none is left).
void UndoFrom(const Workflow& workflow, Run& run, std::size_t count) {
  while (count > 0 && !workflow.steps[count - 1].undo) --count;
  run.state = RunState::kUndoing;
  run.attempts = 0;
  run.error = run.failure;
  if (count > 0) {
    run.step = workflow.steps[count - 1].name;
  } else if (workflow.on_failed && run.step != kOnFailedStep) {
    run.step = kOnFailedStep;
  } else {
    Finish(run, RunState::kFailed);
  }
}

void GoOn(const Workflow& workflow, Run& run, std::size_t index) {
  run.attempts = 0;
  run.error.clear();
  if (index + 1 < workflow.steps.size()) {
    run.step = workflow.steps[index + 1].name;
  } else {
    Finish(run, RunState::kDone);
  }
}

// A step must not throw; one that does all the same must not take the daemon with it again and
// again, whenever it is tried.
Next Call(const StepFunction& function, StepContext& context) {
  try {
    return function ? function(context) : Next::Done();
  } catch (const std::exception& exception) {
    return Next(Error(Code::kInternal, fmt::format("exception: {}", exception.what())));
  }
}

void Wait(Attempt& attempt, const Next& next, const Run& before) {
  attempt.waits = true;
  attempt.by_error = !next.why().empty();
  attempt.delay = next.delay();
  if (attempt.by_error) {
    attempt.transaction = {};
    attempt.run.frame = before.frame;
  }
  // While it is undone, the reason for that is what people want to see, unless the undo has
  // trouble.
  attempt.run.error = attempt.by_error ? next.why() : before.failure;
}

// What the run is after an undo or on_failed answered.
void AfterUndo(const Workflow& workflow, Attempt& attempt, const Next& next, std::size_t index,
               const Run& before) {
  switch (next.kind()) {
    case Next::Kind::kDone:
      return UndoFrom(workflow, attempt.run, index == kNoStep ? 0 : index);
    case Next::Kind::kWait:
      return Wait(attempt, next, before);
    case Next::Kind::kFail:
      Wait(attempt, Next(Error(Code::kUnavailable, "undo: " + next.why())), before);
      attempt.slow = true;
  }
}

void AfterStep(const Workflow& workflow, Attempt& attempt, const Next& next, std::size_t index,
               const Run& before) {
  switch (next.kind()) {
    case Next::Kind::kDone:
      return GoOn(workflow, attempt.run, index);
    case Next::Kind::kWait:
      return Wait(attempt, next, before);
    case Next::Kind::kFail:
      attempt.transaction = {};
      attempt.run.frame = before.frame;
      attempt.run.failure = next.why().empty() ? "failed" : next.why();
      UndoFrom(workflow, attempt.run, index + 1);
  }
}

void NoteDeadline(const Workflow& workflow, Attempt& attempt, WallTime now, const Log& log) {
  Run& run = attempt.run;
  if (IsFinished(run) || now < run.created + workflow.deadline) return;
  if (!run.stuck) {
    log.Error("run {} ({} of {}) is stuck in {} {}: {}", run.id.str(), run.workflow, run.subject,
              RunStateName(run.state), run.step, run.error);
  }
  run.stuck = true;
  attempt.slow = attempt.slow || attempt.waits;
}

// Only what a reader can see counts: a step that polls must not write to the disk at every try.
void NoteWhetherToWrite(Attempt& attempt, const Run& before, WallTime now) {
  Run& run = attempt.run;
  attempt.write = !attempt.transaction.puts.empty() || !attempt.transaction.deletes.empty() ||
                  run.state != before.state || run.step != before.step ||
                  run.frame != before.frame || run.error != before.error ||
                  run.stuck != before.stuck;
  run.due = now + attempt.delay;
  if (attempt.write) run.updated = now;
}

}  // namespace

Attempt TryStep(const Workflow& workflow, const Run& before, store::Store& store, WallTime now,
                const Log& log) {
  Attempt attempt{.run = before, .transaction = {}};
  const bool undoing = before.state == RunState::kUndoing;
  const bool at_end = undoing && before.step == kOnFailedStep;
  const std::size_t index = at_end ? kNoStep : FindStep(workflow, before.step);
  ++attempt.run.attempts;
  if (!at_end && index >= workflow.steps.size()) {
    const std::string why = fmt::format("this Howdah has no step {}", before.step);
    Wait(attempt, Next(Error(Code::kUnavailable, why)), before);
  } else {
    StepContext context{store,
                        attempt.transaction,
                        attempt.run.frame,
                        before.id,
                        before.subject,
                        now,
                        before.failure,
                        log};
    const StepFunction& function = at_end    ? workflow.on_failed
                                   : undoing ? workflow.steps[index].undo
                                             : workflow.steps[index].run;
    const Next next = Call(function, context);
    undoing ? AfterUndo(workflow, attempt, next, index, before)
            : AfterStep(workflow, attempt, next, index, before);
  }
  NoteDeadline(workflow, attempt, now, log);
  NoteWhetherToWrite(attempt, before, now);
  return attempt;
}

Attempt FailStep(const Workflow& workflow, const Run& before, const std::string& why,
                 WallTime now) {
  Attempt attempt{.run = before, .transaction = {}};
  const std::size_t index = FindStep(workflow, before.step);
  const Next next = Next::Fail(why);
  before.state == RunState::kUndoing ? AfterUndo(workflow, attempt, next, index, before)
                                     : AfterStep(workflow, attempt, next, index, before);
  NoteWhetherToWrite(attempt, before, now);
  return attempt;
}

Attempt UnknownWorkflow(const Run& before, WallTime now) {
  Attempt attempt{.run = before, .transaction = {}};
  const std::string why = fmt::format("this Howdah has no workflow {}", before.workflow);
  Wait(attempt, Next(Error(Code::kUnavailable, why)), before);
  attempt.slow = true;
  NoteWhetherToWrite(attempt, before, now);
  return attempt;
}

}  // namespace howdah::workflow
