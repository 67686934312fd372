// Runs as documents, and the two changes of a run that others than the engine make: starting one
// and asking for its undo.
#include <fmt/format.h>

#include <optional>
#include <random>

#include "workflow/workflow.h"

namespace howdah::workflow {
namespace {

constexpr RunState kStates[] = {RunState::kRunning, RunState::kUndoing, RunState::kDone,
                                RunState::kFailed};

std::optional<RunState> ParseState(std::string_view name) {
  for (const RunState state : kStates) {
    if (RunStateName(state) == name) return state;
  }
  return std::nullopt;
}

// A name only, never a secret; callers that need it repeatable give their own.
RunId RandomRunId() {
  std::random_device device;
  return RunId(fmt::format("run-{:08x}{:08x}{:08x}", device(), device(), device()));
}

Next::Kind KindOf(const Error& error) {
  switch (error.code()) {
    case Code::kUnavailable:
    case Code::kTimeout:
    case Code::kConflict:
      return Next::Kind::kWait;
    default:
      return Next::Kind::kFail;
  }
}

}  // namespace

// The engine takes a Wait with a reason for an error's, and backs off from try to try.
Next::Next(const Error& error) : kind_(KindOf(error)), delay_(0), why_(error.what()) {
  if (why_.empty()) why_ = CodeName(error.code());
}

std::string_view RunStateName(RunState state) {
  switch (state) {
    case RunState::kRunning:
      return "running";
    case RunState::kUndoing:
      return "undoing";
    case RunState::kDone:
      return "done";
    case RunState::kFailed:
      return "failed";
  }
  return "unknown";
}

bool IsFinished(const Run& run) {
  return run.state == RunState::kDone || run.state == RunState::kFailed;
}

std::string RunKey(const RunId& id) {
  return std::string(kRunPrefix) + id.str();
}

std::string FormatRun(const Run& run) {
  json::object out;
  out["id"] = run.id.str();
  out["workflow"] = run.workflow;
  out["subject"] = run.subject;
  out["state"] = RunStateName(run.state);
  out["step"] = run.step;
  out["frame"] = run.frame;
  out["error"] = run.error;
  out["failure"] = run.failure;
  out["created"] = ToMicros(run.created);
  out["updated"] = ToMicros(run.updated);
  out["due"] = ToMicros(run.due);
  out["stuck"] = run.stuck;
  out["attempts"] = run.attempts;
  return json::serialize(out);
}

Result<Run> ParseRun(std::string_view text) {
  TRY_ASSIGN(const json::object in, ParseJsonObject(text));
  const auto state = ParseState(JsonString(in, "state"));
  if (!state) return Fail(Code::kCorrupt, "a run without a known state");
  Run run;
  run.id = RunId(JsonString(in, "id"));
  run.workflow = JsonString(in, "workflow");
  run.subject = JsonString(in, "subject");
  run.state = *state;
  run.step = JsonString(in, "step");
  run.frame = JsonObject(in, "frame");
  run.error = JsonString(in, "error");
  run.failure = JsonString(in, "failure");
  run.created = FromMicros(JsonInt(in, "created"));
  run.updated = FromMicros(JsonInt(in, "updated"));
  run.due = FromMicros(JsonInt(in, "due"));
  run.stuck = JsonBool(in, "stuck");
  run.attempts = JsonInt(in, "attempts");
  return run;
}

RunId StartRun(store::Transaction& transaction, RunId id, std::string_view workflow,
               std::string_view subject, json::object frame, WallTime now) {
  Run run;
  run.id = id.empty() ? RandomRunId() : std::move(id);
  run.workflow = workflow;
  run.subject = subject;
  run.frame = std::move(frame);
  run.created = run.updated = run.due = now;
  // No step yet: the engine, which knows the table, takes that for the first.
  transaction.compares.push_back({RunKey(run.id), 0});
  transaction.puts.push_back({RunKey(run.id), FormatRun(run), ""});
  return run.id;
}

Result<> RequestUndo(store::Transaction& transaction, const store::Document& document,
                     std::string_view reason, WallTime now) {
  TRY_ASSIGN(Run run, ParseRun(document.value));
  if (IsFinished(run)) {
    return Fail(Code::kFailedState, fmt::format("run {} has finished", run.id.str()));
  }
  transaction.compares.push_back({document.key, document.revision});
  if (run.state == RunState::kUndoing) return {};
  run.state = RunState::kUndoing;
  run.failure = run.error = reason;
  run.updated = run.due = now;
  run.attempts = 0;
  transaction.puts.push_back({document.key, FormatRun(run), ""});
  return {};
}

Result<std::vector<Run>> ListRuns(store::Store& store) {
  TRY_ASSIGN(const store::Listing listing, store.List(kRunPrefix));
  std::vector<Run> runs;
  for (const store::Document& document : listing.documents) {
    TRY_ASSIGN(Run run, ParseRun(document.value));
    runs.push_back(std::move(run));
  }
  return runs;
}

}  // namespace howdah::workflow
