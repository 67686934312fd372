// Durable work. A workflow is a table of named steps; a run is one execution of it. Position and
// frame of a run are committed in the same store transaction as what the step recorded, so a crash
// anywhere just runs the step again. A step is a short synchronous function that looks first at
// what is already true, acts at most once, and returns Done, Wait or Fail. It never sleeps, never
// loops.
//
// The frame is the run's memory: a JSON object that the steps read and write. What a step wants to
// record it adds to ctx.transaction (with compares on what it has read); the engine commits it with
// the run. A lost compare (kConflict) runs the step again on fresh eyes.
#pragma once

#include <any>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/ids.h"
#include "base/json.h"
#include "base/log.h"
#include "base/result.h"
#include "base/time.h"
#include "store/store.h"

namespace howdah::workflow {

// What a step answers.
class Next {
 public:
  enum class Kind { kDone, kWait, kFail };
  static Next Done() { return Next(Kind::kDone, Duration(0), ""); }
  // Not yet: call again after `delay`, or sooner when the store changes under the run's watch.
  // What the step recorded so far is committed.
  static Next Wait(Duration delay) { return Next(Kind::kWait, delay, ""); }
  // Cannot be: undo from here. What this try recorded and its frame are thrown away, as with an
  // error: what is to be said about a failure, undo and on_failed say. The reason is shown to the
  // user; no secret in it.
  static Next Fail(std::string why) { return Next(Kind::kFail, Duration(0), std::move(why)); }
  // An unexpected error: kUnavailable, kTimeout and kConflict wait and try again; others fail.
  Next(const Error& error);                                           // NOLINT: implicit for TRY
  Next(const std::unexpected<Error>& error) : Next(error.error()) {}  // NOLINT

  Kind kind() const { return kind_; }
  Duration delay() const { return delay_; }
  const std::string& why() const { return why_; }

 private:
  Next(Kind kind, Duration delay, std::string why)
      : kind_(kind), delay_(delay), why_(std::move(why)) {}
  Kind kind_;
  Duration delay_;
  std::string why_;
};

struct StepContext {
  store::Store& store;              // for reading; writing goes through `transaction`
  store::Transaction& transaction;  // committed with the run's position, all or nothing
  json::object& frame;
  const RunId& run;
  const std::string& subject;  // what the run is about, for example an instance id
  WallTime now;
  const std::string& failure;  // in an undo: why it came to this; else empty
  const Log& log;
};

using StepFunction = std::function<Next(StepContext&)>;

struct Step {
  std::string name;  // data: renaming one is a migration
  StepFunction run;
  StepFunction undo;  // may be empty; must cope with a step that never ran
};

struct Workflow {
  std::string name;
  std::vector<Step> steps;
  Duration deadline = 30min;  // past it the run is `stuck`: visible, alarmed, still retried slowly
  // After the last undo (or a failure with nothing to undo): leaves the resource in the status that
  // says so. May be empty.
  StepFunction on_failed;
};

// The value of Run::step while on_failed is what is to run next.
inline constexpr std::string_view kOnFailedStep = "on_failed";

enum class RunState { kRunning, kUndoing, kDone, kFailed };
std::string_view RunStateName(RunState state);  // "running", "undoing", "done", "failed"

struct Run {
  RunId id;
  std::string workflow;
  std::string subject;
  RunState state = RunState::kRunning;
  std::string step;  // the name of the step to run or undo next
  json::object frame;
  std::string error;    // why it failed, or why the last try waits
  std::string failure;  // why it is being undone, or was
  WallTime created;
  WallTime updated;
  WallTime due;  // not before this
  bool stuck = false;
  std::int64_t attempts = 0;  // of the current step
};

// Adds to `transaction` what starts a run of `workflow`, so that an API handler commits the changed
// resource and the work that will carry it out at once. Returns the run's id (given or random).
RunId StartRun(store::Transaction& transaction, RunId id, std::string_view workflow,
               std::string_view subject, json::object frame, WallTime now);

// Adds to `transaction` what turns a run that is under way back, for example a create whose
// instance is being deleted: it will be undone from the step where it is. Compares on `run`, as
// read from the store, so the commit is a kConflict when the run went on meanwhile: read it again.
// Of a run that is being undone already only the compare is added. kFailedState: it has finished.
Result<> RequestUndo(store::Transaction& transaction, const store::Document& run,
                     std::string_view reason, WallTime now);

// Runs as documents: "/runs/<id>".
std::string RunKey(const RunId& id);
std::string FormatRun(const Run& run);
Result<Run> ParseRun(std::string_view text);
inline constexpr std::string_view kRunPrefix = "/runs/";
Result<std::vector<Run>> ListRuns(store::Store& store);
bool IsFinished(const Run& run);

}  // namespace howdah::workflow
