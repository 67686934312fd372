// The durable work on a stack: one run from the moment in which an operation begins until the stack
// has a final status. Which operation it is, the stack's status says; so a stack that is deleted
// while it is being created goes on in the same run, and never has two.
#include <fmt/format.h>

#include "services/cloudformation/converge.h"

namespace howdah::cfn {

namespace {

using workflow::Next;
using workflow::StepContext;

constexpr Duration kPoll = 250ms;
constexpr Duration kDeadline = 120min;
// For how long AWS shows stacks that are deleted.
constexpr Duration kRemembered = std::chrono::hours(90 * 24);

Result<> AdvanceOnce(Session& session) {
  const std::string& status = session.stack().status;
  if (status == "CREATE_IN_PROGRESS") return AdvanceCreate(session);
  if (status == "ROLLBACK_IN_PROGRESS" || status == "DELETE_IN_PROGRESS") {
    return AdvanceRemoval(session);
  }
  if (status == "UPDATE_IN_PROGRESS") return AdvanceUpdate(session);
  if (status == "UPDATE_ROLLBACK_IN_PROGRESS") return AdvanceUpdateRollback(session);
  return AdvanceCleanup(session);
}

Next Advance(const World& world, const Providers& providers, StepContext& step) {
  TRY_ASSIGN(StoredStack stored, GetStack(world.store, step.subject));
  if (!stored.stack.InProgress()) return Next::Done();
  Session session(world, providers, step.transaction, step.now, std::move(stored));
  TRY(AdvanceOnce(session));
  session.Save();
  if (!session.stack().InProgress()) return Next::Done();
  return Next::Wait(session.hurried() ? Duration(0) : kPoll);
}

// The run cannot go on (nothing that a resource said): what was made goes again, by the same ways.
Next Undo(const World& world, const Providers& providers, StepContext& step) {
  TRY_ASSIGN(StoredStack stored, GetStack(world.store, step.subject));
  Stack& stack = stored.stack;
  if (!stack.InProgress()) return Next::Done();
  Session session(world, providers, step.transaction, step.now, std::move(stored));
  if (session.stack().status == "CREATE_IN_PROGRESS") {
    StopCreation(session, step.failure);
  } else if (session.stack().status == "UPDATE_IN_PROGRESS") {
    session.TurnUpdateAround(step.failure);
  } else {
    TRY(AdvanceOnce(session));
  }
  session.Save();
  if (!session.stack().InProgress()) return Next::Done();
  return Next::Wait(session.hurried() ? Duration(0) : kPoll);
}

// Not even that was possible (not a resource): the stack says so and can be deleted.
Next LeaveFailed(const World& world, StepContext& step) {
  TRY_ASSIGN(StoredStack stored, GetStack(world.store, step.subject));
  Stack& stack = stored.stack;
  if (!stack.InProgress()) return Next::Done();
  std::string status = "ROLLBACK_FAILED";
  if (stack.status == "DELETE_IN_PROGRESS") status = "DELETE_FAILED";
  if (stack.status.starts_with("UPDATE_")) status = "UPDATE_ROLLBACK_FAILED";
  SetStackStatus(step.transaction, stack, status, step.failure, step.now);
  PutStack(step.transaction, stored);
  return Next::Done();
}

// Events, drift and the stack itself, in pieces that a transaction bears.
Result<> Forget(store::Store& store, const Stack& stack) {
  constexpr std::size_t kPiece = 500;
  for (const std::string& prefix : {EventPrefix(stack.id), DriftPrefix(stack.id)}) {
    TRY_ASSIGN(const store::Listing listing, store.List(prefix));
    store::Transaction transaction;
    for (const store::Document& document : listing.documents) {
      transaction.deletes.push_back(document.key);
      if (transaction.deletes.size() < kPiece) continue;
      TRY(store.Commit(transaction));
      transaction.deletes.clear();
    }
    if (!transaction.deletes.empty()) TRY(store.Commit(transaction));
  }
  store::Transaction last;
  TRY_ASSIGN(const std::vector<ChangeSet> sets, ListChangeSets(store, stack.id));
  for (const ChangeSet& set : sets) last.deletes.push_back(ChangeSetKey(set.id));
  last.deletes.push_back(StackKey(stack.id));
  TRY(store.Commit(last));
  return {};
}

}  // namespace

Result<> ForgetDeletedStacks(const World& world, WallTime now) {
  TRY_ASSIGN(const std::vector<Stack> stacks, ListStacks(world.store));
  for (const Stack& stack : stacks) {
    if (stack.deleted && now - *stack.deleted > kRemembered) TRY(Forget(world.store, stack));
  }
  TRY_ASSIGN(const store::Listing detections, world.store.List(kDetections));
  store::Transaction transaction;
  for (const store::Document& document : detections.documents) {
    TRY_ASSIGN(const DriftDetection detection, ParseDetection(document.value));
    if (now - detection.time > kRemembered) transaction.deletes.push_back(document.key);
  }
  if (!transaction.deletes.empty()) TRY(world.store.Commit(transaction));
  return {};
}

workflow::Workflow StackWorkflow(const World& world) {
  const auto providers = std::make_shared<const Providers>(world.services);
  const auto shared = std::make_shared<const World>(world);
  return {.name = std::string(kStackWorkflow),
          .steps = {{"converge",
                     [shared, providers](StepContext& step) {
                       return Advance(*shared, *providers, step);
                     },
                     [shared, providers](StepContext& step) {
                       return Undo(*shared, *providers, step);
                     }}},
          .deadline = kDeadline,
          .on_failed = [shared](StepContext& step) { return LeaveFailed(*shared, step); }};
}

}  // namespace howdah::cfn
