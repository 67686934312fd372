// The end of an update, or of its rollback: what has no place in the stack any more is removed.
// What cannot be removed stays on record, and goes with a later cleanup or with the stack.
#include <algorithm>

#include "services/cloudformation/converge.h"

namespace howdah::cfn {

namespace {

std::vector<ResourceRecord*> WhatLeaves(Stack& stack) {
  std::vector<ResourceRecord*> leaving;
  for (ResourceRecord& record : stack.retired) {
    if (record.goal == "remove") leaving.push_back(&record);
  }
  for (ResourceRecord& record : stack.resources) {
    if (record.goal == "remove") leaving.push_back(&record);
  }
  return leaving;
}

void Forget(ResourceRecord& record) {
  record.goal.clear();
  record.changed.clear();
  record.before.clear();
  record.after.clear();
}

// New things that go again depend on each other as the template that failed says.
void TakeDependencies(Stack& stack, const Side& next) {
  for (ResourceRecord& record : stack.retired) {
    const Resource* resource = next.made.FindResource(record.logical_id);
    if (record.goal != "remove" || resource == nullptr) continue;
    record.depends_on.assign(resource->depends_on.begin(), resource->depends_on.end());
  }
}

}  // namespace

Result<> AdvanceCleanup(Session& session) {
  Stack& stack = session.stack();
  const bool rollback = stack.status == "UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS";
  // What is to be removed stands in the template that failed, or is known by its physical id.
  Sides sides;
  TRY_ASSIGN(Side side, rollback ? session.Next() : session.Current());
  sides.push_back(std::move(side));
  if (rollback) TakeDependencies(stack, sides.front());
  const auto erased = std::erase_if(stack.resources, [](const ResourceRecord& record) {
    return record.goal == "remove" && record.status.empty();
  });
  if (erased > 0) session.Touch();
  const std::vector<ResourceRecord*> leaving = WhatLeaves(stack);
  if (!WorkOnRemoval(session, sides, leaving, rollback)) return {};
  const auto failed = [](const ResourceRecord* record) {
    return record->status == "DELETE_FAILED";
  };
  const auto settled = [&](const ResourceRecord* record) {
    return record->Gone() || failed(record);
  };
  if (!std::ranges::all_of(leaving, settled) && std::ranges::none_of(leaving, failed)) return {};
  std::erase_if(stack.retired, &ResourceRecord::Gone);
  std::erase_if(stack.resources, &ResourceRecord::Gone);
  for (ResourceRecord& record : stack.retired) Forget(record);
  for (ResourceRecord& record : stack.resources) Forget(record);
  stack.next_source.clear();
  stack.next_tags.clear();
  TRY_ASSIGN(const Side current, session.Current());
  TRY(session.UseImports(&current));
  session.SetStatus(rollback ? "UPDATE_ROLLBACK_COMPLETE" : "UPDATE_COMPLETE", "");
  return {};
}

}  // namespace howdah::cfn
