// Updates in place. The plan stands in the records' goals ("add", "modify", "remove"); what cannot
// be done in place was refused when the change set was made. A failure restores what was modified
// and takes away what was added.
#include <fmt/format.h>

#include <algorithm>

#include "services/cloudformation/converge.h"

namespace howdah::cfn {

namespace {

bool IsDone(const ResourceRecord& record) {
  if (record.goal == "add") return record.status == "CREATE_COMPLETE";
  if (record.goal == "modify" || record.goal == "restore") return record.configured;
  return true;
}

bool IsReady(Stack& stack, const Side& next, const ResourceRecord& record) {
  const Resource* resource = next.made.FindResource(record.logical_id);
  return resource != nullptr &&
         std::ranges::all_of(resource->depends_on, [&](const std::string& id) {
           const ResourceRecord* on = stack.Find(id);
           return on != nullptr && IsDone(*on);
         });
}

aws::Outcome<bool> Modify(Session& session, ResourceRecord& record, const Side& from,
                          const Side& to) {
  const Provider& provider = session.ProviderOf(record);
  const Subject subject = session.SubjectOf(record, to);
  if (!record.initiated) {
    OUTCOME_ASSIGN(const json::object before, session.Properties(record, from, true));
    OUTCOME_ASSIGN(const json::object after, session.Properties(record, to, true));
    OUTCOME_TRY(provider.Update(subject, before, after, record.changed));
    record.initiated = true;
    session.Touch();
  }
  OUTCOME_ASSIGN(const bool stable, provider.IsStable(subject));
  record.configured = stable;
  return stable;
}

void WorkOnModification(Session& session, ResourceRecord& record, const Side& from,
                        const Side& to) {
  Settle(session, record, Modify(session, record, from, to), "UPDATE");
}

bool Failed(const ResourceRecord& record) {
  return (record.goal == "add" && record.status == "CREATE_FAILED") ||
         (record.goal == "modify" && record.status == "UPDATE_FAILED");
}

void BeginWhatIsReady(Session& session, const Side& next) {
  Stack& stack = session.stack();
  for (ResourceRecord& record : stack.resources) {
    if (!IsReady(stack, next, record)) continue;
    if (record.goal == "add" && record.status.empty()) BeginCreation(session, record);
    if (record.goal == "modify" && !record.configured && record.status != "UPDATE_IN_PROGRESS") {
      record.attempts = 0;
      session.SetStatus(record, "UPDATE_IN_PROGRESS");
    }
  }
}

// The new template is the stack's template from here on.
void TakeOver(Stack& stack, const Side& next, std::vector<StackOutput> outputs) {
  for (ResourceRecord& record : stack.resources) {
    const Resource* resource = next.made.FindResource(record.logical_id);
    if (resource == nullptr) continue;
    record.depends_on.assign(resource->depends_on.begin(), resource->depends_on.end());
    record.policy = resource->deletion_policy;
    record.goal.clear();
    record.changed.clear();
  }
  stack.source = std::move(stack.next_source);
  stack.next_source.clear();
  stack.tags = std::move(stack.next_tags);
  stack.next_tags.clear();
  stack.description = next.made.description;
  stack.outputs = std::move(outputs);
}

}  // namespace

void BeginUpdateRollback(Session& session, std::string_view why) {
  Stack& stack = session.stack();
  for (ResourceRecord& record : stack.resources) {
    if (record.goal == "add") {
      if (record.status == "CREATE_IN_PROGRESS") {
        session.SetStatus(record, "CREATE_FAILED", "Resource creation cancelled");
      }
      record.goal = "remove";
    } else if (record.goal == "modify") {
      const bool begun = record.initiated || record.status == "UPDATE_FAILED";
      record.goal = begun ? "restore" : "";
      record.initiated = record.configured = false;
      record.attempts = 0;
    } else if (record.goal == "remove") {
      record.goal.clear();
    }
  }
  session.SetStatus("UPDATE_ROLLBACK_IN_PROGRESS", std::string(why));
}

Result<> AdvanceUpdate(Session& session) {
  Stack& stack = session.stack();
  TRY_ASSIGN(const Side current, session.Current());
  TRY_ASSIGN(const Side next, session.Next());
  for (ResourceRecord& record : stack.resources) {
    if (record.goal == "add" && record.status == "CREATE_IN_PROGRESS") {
      WorkOnCreation(session, record, next);
    } else if (record.goal == "modify" && record.status == "UPDATE_IN_PROGRESS") {
      WorkOnModification(session, record, current, next);
    }
  }
  std::vector<std::string> failed;
  for (const ResourceRecord& record : stack.resources) {
    if (Failed(record)) failed.push_back(record.logical_id);
  }
  if (!failed.empty()) {
    BeginUpdateRollback(session, fmt::format("The following resource(s) failed to update: [{}]. ",
                                             fmt::join(failed, ", ")));
    return {};
  }
  if (!std::ranges::all_of(stack.resources, IsDone)) {
    BeginWhatIsReady(session, next);
    return {};
  }
  auto outputs = session.Outputs(next);
  if (!outputs && outputs.error().code() == Code::kUnavailable) return Fail(outputs.error());
  if (!outputs) {
    BeginUpdateRollback(session, "Unable to evaluate outputs: " + outputs.error().what());
    return {};
  }
  TakeOver(stack, next, *std::move(outputs));
  session.SetStatus("UPDATE_COMPLETE_CLEANUP_IN_PROGRESS", "");
  return {};
}

Result<> AdvanceUpdateRollback(Session& session) {
  Stack& stack = session.stack();
  TRY_ASSIGN(const Side current, session.Current());
  TRY_ASSIGN(const Side next, session.Next());
  bool busy = false;
  for (ResourceRecord& record : stack.resources) {
    if (record.goal != "restore" || IsDone(record)) continue;
    if (record.status != "UPDATE_IN_PROGRESS") session.SetStatus(record, "UPDATE_IN_PROGRESS");
    WorkOnModification(session, record, next, current);
    if (record.status == "UPDATE_FAILED") {
      session.SetStatus(
          "UPDATE_ROLLBACK_FAILED",
          fmt::format("The following resource(s) failed to update: [{}]. ", record.logical_id));
      return {};
    }
    busy = busy || !IsDone(record);
  }
  if (busy) return {};
  session.SetStatus("UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS", "");
  return {};
}

Result<> AdvanceCleanup(Session& session) {
  Stack& stack = session.stack();
  const bool rollback = stack.status == "UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS";
  const auto due = [](const ResourceRecord& record) { return record.goal == "remove"; };
  // What is to be removed stands in the template that failed, or is known by its physical id.
  TRY_ASSIGN(const Side side, rollback ? session.Next() : session.Current());
  if (!WorkOnRemoval(session, side, due, rollback)) return {};
  const bool waits = std::ranges::any_of(stack.resources, [&](const ResourceRecord& record) {
    return due(record) && !record.Gone() && record.status != "DELETE_FAILED";
  });
  if (waits && !AnyWithStatus(stack, "DELETE_FAILED")) return {};
  std::erase_if(stack.resources, &ResourceRecord::Gone);
  for (ResourceRecord& record : stack.resources) {
    record.goal.clear();
    record.changed.clear();
  }
  stack.next_source.clear();
  stack.next_tags.clear();
  session.SetStatus(rollback ? "UPDATE_ROLLBACK_COMPLETE" : "UPDATE_COMPLETE", "");
  return {};
}

}  // namespace howdah::cfn
