// Updates. The plan stands in the records' goals. Before anything is touched the properties that
// the resources have are written down (sealed), because what they come to changes with the
// resources that they refer to. When its turn comes, a resource that is to be looked at is compared
// with that: nothing to do, a change in place, or a new thing in place of the old one, which is
// only removed in the cleanup. A failure turns everything around (turn.h).
#include <fmt/format.h>

#include <algorithm>

#include "services/cloudformation/converge.h"
#include "services/cloudformation/template/changes.h"

namespace howdah::cfn {

namespace {

constexpr std::string_view kReplacing =
    "Requested update requires the creation of a new physical resource; hence creating one.";

bool IsDone(const ResourceRecord& record) {
  if (record.goal == "add") return record.status == "CREATE_COMPLETE";
  if (record.goal == "replace") return record.status == "UPDATE_COMPLETE";
  if (record.goal == "modify" || record.goal == "restore") return record.configured;
  return record.goal != "revert";
}

bool IsReady(Stack& stack, const Side& next, const ResourceRecord& record) {
  const Resource* resource = next.made.FindResource(record.logical_id);
  return resource != nullptr &&
         std::ranges::all_of(resource->depends_on, [&](const std::string& id) {
           const ResourceRecord* on = stack.Find(id);
           return on != nullptr && IsDone(*on);
         });
}

bool Failed(const ResourceRecord& record) {
  return (record.goal == "add" && record.status == "CREATE_FAILED") ||
         (record.goal == "modify" && record.status == "UPDATE_FAILED") ||
         (record.goal == "replace" && record.status == "UPDATE_FAILED");
}

// Writes down what the resources have. True when that is done for all.
bool Remember(Session& session, const Side& current) {
  bool all = true;
  for (ResourceRecord& record : session.stack().resources) {
    if (record.goal != "modify" || !record.before.empty()) continue;
    const auto properties = session.Properties(record, current);
    if (properties) {
      record.before = session.Seal(*properties);
      session.Touch();
    } else if (MayPass(properties.error())) {
      session.CountTry(record);
    } else {
      MarkFailed(session, record, properties.error(), "UPDATE");
    }
    all = false;
  }
  return all;
}

// Between the same two sides: a step forward, or the way back.
aws::Outcome<bool> Modify(Session& session, ResourceRecord& record, const Side& side, bool back) {
  const Provider& provider = session.ProviderOf(record);
  const Subject subject = session.SubjectOf(record, side);
  if (!record.initiated) {
    // A thing that is busy with the change that is being undone must come to rest first; one that
    // never will is changed as it is.
    if (back) {
      const auto stable = provider.IsStable(subject);
      if (stable && !*stable) return false;
    }
    auto from = session.Unseal(back ? record.after : record.before);
    auto to = session.Unseal(back ? record.before : record.after);
    if (!from || !to) return aws::Refuse(aws::InternalFailure());
    OUTCOME_ASSIGN(const json::object wanted, session.WithSecrets(record, *std::move(to)));
    OUTCOME_TRY(provider.Update(subject, *from, wanted, record.changed));
    OUTCOME_ASSIGN(record.physical_id, provider.IdAfterUpdate(subject, wanted));
    record.initiated = true;
    session.Touch();
  }
  OUTCOME_ASSIGN(record.configured, provider.IsStable(subject));
  return record.configured;
}

std::string Lower(std::string text) {
  std::ranges::transform(text, text.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  return text;
}

// Two things cannot have the same name at once, so a new one cannot be made first.
bool KeepsItsName(const ResourceType& type, const json::object& before, const json::object& after) {
  const std::string name = Lower(TextOf(after, type.identity));
  return !name.empty() && name == Lower(TextOf(before, type.identity));
}

void BeginReplacement(Session& session, const Side& next, ResourceRecord& record) {
  ResourceRecord old = record;
  old.goal = "standby";
  old.policy = next.made.FindResource(record.logical_id)->replace_policy;
  old.before.clear();
  old.after.clear();
  session.stack().retired.push_back(std::move(old));
  record.goal = "replace";
  BeginCreation(session, record, std::string(kReplacing));
}

// Decides what the change of a resource is, now that everything it refers to has changed.
void BeginModification(Session& session, const Side& next, ResourceRecord& record) {
  const auto after = session.Properties(record, next);
  if (!after && MayPass(after.error())) return session.CountTry(record);
  if (!after) return MarkFailed(session, record, after.error(), "UPDATE");
  const auto before = session.Unseal(record.before);
  if (!before) return MarkFailed(session, record, aws::InternalFailure(), "UPDATE");
  const ResourceType& type = *FindResourceType(record.type);
  const Provider& provider = session.ProviderOf(record);
  bool tags = Mentions(record.changed, "Tags");
  bool replaces = false;
  record.changed.clear();
  for (const PropertyChange& change : CompareProperties(type, *before, *after)) {
    record.changed.push_back(change.name);
    tags = tags && change.name != "Tags";
    replaces = replaces || change.on_change == OnChange::kReplace ||
               (change.on_change == OnChange::kConditional &&
                provider.NeedsReplacement(change.name, *before, *after));
  }
  if (tags) record.changed.emplace_back("Tags");  // those of the stack
  session.Touch();
  if (record.changed.empty()) return record.goal.clear();
  if (replaces && KeepsItsName(type, *before, *after)) {
    return session.SetStatus(record, "UPDATE_FAILED",
                             fmt::format("CloudFormation cannot update a stack when a custom-named "
                                         "resource requires replacing. Rename {} and update the "
                                         "stack again.",
                                         record.physical_id));
  }
  if (replaces) return BeginReplacement(session, next, record);
  record.after = session.Seal(*after);
  record.attempts = 0;
  session.SetStatus(record, "UPDATE_IN_PROGRESS");
}

void BeginWhatIsReady(Session& session, const Side& next) {
  Stack& stack = session.stack();
  for (ResourceRecord& record : stack.resources) {
    if (!IsReady(stack, next, record)) continue;
    if (record.goal == "add" && record.status.empty()) BeginCreation(session, record);
    if (record.goal == "modify" && record.after.empty() && record.status != "UPDATE_FAILED") {
      BeginModification(session, next, record);
    }
  }
}

void WorkOnWhatIsBegun(Session& session, const Side& next) {
  for (ResourceRecord& record : session.stack().resources) {
    const bool made = (record.goal == "add" && record.status == "CREATE_IN_PROGRESS") ||
                      (record.goal == "replace" && record.status == "UPDATE_IN_PROGRESS");
    if (made) {
      WorkOnCreation(session, record, next);
    } else if (record.goal == "modify" && !record.after.empty() && !record.configured) {
      Settle(session, record, Modify(session, record, next, false), "UPDATE");
    }
  }
}

void TryAgain(ResourceRecord& record) {
  record.goal = "remove";
  if (record.status == "DELETE_FAILED") record.status = "UPDATE_COMPLETE";
}

// The new template is the stack's template from here on.
void TakeOver(Stack& stack, const Side& next, std::vector<StackOutput> outputs) {
  for (ResourceRecord& record : stack.resources) {
    const Resource* resource = next.made.FindResource(record.logical_id);
    if (resource == nullptr) {  // perhaps left over from an earlier cleanup: it has another chance
      TryAgain(record);
      continue;
    }
    record.depends_on.assign(resource->depends_on.begin(), resource->depends_on.end());
    record.policy = resource->deletion_policy;
    if (!record.goal.empty()) record.drift.clear();
    record.goal.clear();
  }
  for (ResourceRecord& record : stack.retired) TryAgain(record);
  stack.source = std::move(stack.next_source);
  stack.next_source.clear();
  stack.tags = std::move(stack.next_tags);
  stack.next_tags.clear();
  stack.description = next.made.description;
  stack.outputs = std::move(outputs);
  stack.drift.clear();
}

Result<> Complete(Session& session, const Side& next) {
  auto outputs = session.Outputs(next);
  Result<> published;
  if (outputs) published = session.Publish(*outputs);
  const Error* problem = !outputs ? &outputs.error() : !published ? &published.error() : nullptr;
  if (problem != nullptr && problem->code() != Code::kInvalid) return Fail(*problem);
  if (problem != nullptr) {
    StopUpdate(session, problem->what());
    return {};
  }
  TakeOver(session.stack(), next, *std::move(outputs));
  session.SetStatus("UPDATE_COMPLETE_CLEANUP_IN_PROGRESS", "");
  return {};
}

std::string FailureReason(const Stack& stack) {
  std::vector<std::string> created;
  std::vector<std::string> updated;
  for (const ResourceRecord& record : stack.resources) {
    if (Failed(record)) (record.goal == "add" ? created : updated).push_back(record.logical_id);
  }
  std::string why;
  if (!created.empty()) {
    why +=
        fmt::format("The following resource(s) failed to create: [{}]. ", fmt::join(created, ", "));
  }
  if (!updated.empty()) {
    why +=
        fmt::format("The following resource(s) failed to update: [{}]. ", fmt::join(updated, ", "));
  }
  return why;
}

}  // namespace

void StopUpdate(Session& session, std::string_view why) {
  if (session.stack().on_failure != "DO_NOTHING") {
    session.TurnUpdateAround(std::string(why));
    return;
  }
  session.CancelWhatIsUnderWay();
  session.SetStatus("UPDATE_FAILED", std::string(why));
}

Result<> AdvanceUpdate(Session& session) {
  Stack& stack = session.stack();
  TRY_ASSIGN(const Side current, session.Current());
  TRY_ASSIGN(const Side next, session.Next());
  const bool remembered = Remember(session, current);
  if (remembered) WorkOnWhatIsBegun(session, next);
  if (std::ranges::any_of(stack.resources, Failed)) {
    StopUpdate(session, FailureReason(stack));
    return {};
  }
  if (!remembered) return {};
  if (std::ranges::all_of(stack.resources, IsDone)) return Complete(session, next);
  BeginWhatIsReady(session, next);
  return {};
}

Result<> AdvanceUpdateRollback(Session& session) {
  Stack& stack = session.stack();
  TRY_ASSIGN(const Side current, session.Current());
  bool busy = false;
  for (ResourceRecord& record : stack.resources) {
    if (IsDone(record)) continue;
    if (record.status != "UPDATE_IN_PROGRESS") session.SetStatus(record, "UPDATE_IN_PROGRESS");
    if (record.goal == "revert") {
      record.goal.clear();
      session.SetStatus(record, "UPDATE_COMPLETE");
      continue;
    }
    Settle(session, record, Modify(session, record, current, true), "UPDATE");
    busy = busy || (!IsDone(record) && record.status != "UPDATE_FAILED");
  }
  if (busy) return {};
  if (!std::ranges::all_of(stack.resources, IsDone)) {
    session.SetStatus("UPDATE_ROLLBACK_FAILED",
                      fmt::format("The following resource(s) failed to update: [{}]. ",
                                  NamesWithStatus(stack.resources, "UPDATE_FAILED")));
    return {};
  }
  session.SetStatus("UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS", "");
  return {};
}

}  // namespace howdah::cfn
