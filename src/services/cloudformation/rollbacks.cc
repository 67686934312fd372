// CancelUpdateStack, ContinueUpdateRollback, RollbackStack, UpdateTerminationProtection: what can
// be said about an update that is under way, or that did not come to a good end.
#include <fmt/format.h>

#include "services/cloudformation/handlers.h"
#include "services/cloudformation/turn.h"

namespace howdah::cfn {

namespace {

using aws::RequestContext;

aws::Outcome<aws::Empty> CancelUpdateStack(const World& world, const RequestContext& context,
                                           const api::CancelUpdateStackInput& in) {
  OUTCOME_ASSIGN(StoredStack stored, FindStack(world, in.stack_name.value_or("")));
  Stack& stack = stored.stack;
  OUTCOME_ASSIGN(const bool repeated,
                 IsRepeated(stack, in.client_request_token, "CancelUpdateStack"));
  if (repeated) return aws::Empty{};
  if (stack.status != "UPDATE_IN_PROGRESS") {
    return aws::Refuse(
        aws::ValidationError("CancelUpdateStack cannot be called from current stack status"));
  }
  SetToken(stack, in.client_request_token, "CancelUpdateStack");
  store::Transaction transaction;
  TurnUpdateAround(transaction, stack, "User Initiated", context.now);
  PutStack(transaction, stored);
  OUTCOME_TRY(CommitOrRefuse(world, transaction));
  return aws::Empty{};
}

// What is skipped counts as restored, although nobody knows what it is like.
aws::Outcome<void> Skip(Stack& stack, store::Transaction& transaction, const std::string& name,
                        WallTime now) {
  ResourceRecord* record = stack.Find(name);
  if (record == nullptr || record->status != "UPDATE_FAILED") {
    return aws::Refuse(aws::ValidationError(
        fmt::format("Resources [{}] cannot be skipped: only resources whose status is "
                    "UPDATE_FAILED can be",
                    name)));
  }
  record->goal.clear();
  SetResourceStatus(transaction, stack, *record, "UPDATE_COMPLETE", "Resource update skipped", now);
  return {};
}

aws::Outcome<api::ContinueUpdateRollbackOutput> ContinueUpdateRollback(
    const World& world, const RequestContext& context, const api::ContinueUpdateRollbackInput& in) {
  if (in.role_arn) return NotSupported("RoleARN");
  OUTCOME_ASSIGN(StoredStack stored, FindStack(world, in.stack_name.value_or("")));
  Stack& stack = stored.stack;
  OUTCOME_ASSIGN(const bool repeated,
                 IsRepeated(stack, in.client_request_token, "ContinueUpdateRollback"));
  if (repeated) return api::ContinueUpdateRollbackOutput{};
  if (stack.status != "UPDATE_ROLLBACK_FAILED") {
    return aws::Refuse(aws::ValidationError(
        fmt::format("Stack:{} is in {} state and can not continue its rollback: it must be in "
                    "UPDATE_ROLLBACK_FAILED",
                    stack.arn, stack.status)));
  }
  SetToken(stack, in.client_request_token, "ContinueUpdateRollback");
  stack.begun = context.now;
  store::Transaction transaction;
  SetStackStatus(transaction, stack, "UPDATE_ROLLBACK_IN_PROGRESS", "User Initiated", context.now);
  for (const std::string& name : in.resources_to_skip) {
    OUTCOME_TRY(Skip(stack, transaction, name, context.now));
  }
  for (ResourceRecord& record : stack.resources) record.attempts = 0;
  StartStackRun(transaction, stack, context.now);
  PutStack(transaction, stored);
  OUTCOME_TRY(CommitOrRefuse(world, transaction));
  return api::ContinueUpdateRollbackOutput{};
}

aws::Outcome<api::RollbackStackOutput> RollbackStack(const World& world,
                                                     const RequestContext& context,
                                                     const api::RollbackStackInput& in) {
  if (in.role_arn) return NotSupported("RoleARN");
  OUTCOME_ASSIGN(StoredStack stored, FindStack(world, in.stack_name.value_or("")));
  Stack& stack = stored.stack;
  OUTCOME_ASSIGN(const bool repeated, IsRepeated(stack, in.client_request_token, "RollbackStack"));
  if (repeated) return api::RollbackStackOutput{.stack_id = stack.arn};
  store::Transaction transaction;
  SetToken(stack, in.client_request_token, "RollbackStack");
  stack.begun = context.now;
  stack.retain_except_on_create = in.retain_except_on_create.value_or(false);
  if (stack.status == "CREATE_FAILED") {
    SetStackStatus(transaction, stack, "ROLLBACK_IN_PROGRESS", "User Initiated", context.now);
  } else if (stack.status == "UPDATE_FAILED") {
    TurnUpdateAround(transaction, stack, "User Initiated", context.now);
  } else {
    return aws::Refuse(aws::ValidationError(fmt::format(
        "Stack:{} is in {} state and can not be rolled back.", stack.arn, stack.status)));
  }
  StartStackRun(transaction, stack, context.now);
  PutStack(transaction, stored);
  OUTCOME_TRY(CommitOrRefuse(world, transaction));
  return api::RollbackStackOutput{.stack_id = stack.arn};
}

aws::Outcome<api::UpdateTerminationProtectionOutput> UpdateTerminationProtection(
    const World& world, const api::UpdateTerminationProtectionInput& in) {
  OUTCOME_ASSIGN(StoredStack stored, FindStack(world, in.stack_name.value_or("")));
  Stack& stack = stored.stack;
  if (stack.status.starts_with("DELETE_") && stack.status != "DELETE_FAILED") {
    return aws::Refuse(aws::ValidationError(
        fmt::format("Stack [{}] is in {} state; its termination protection cannot be changed",
                    stack.name, stack.status)));
  }
  stack.termination_protection = in.enable_termination_protection.value_or(false);
  store::Transaction transaction;
  PutStack(transaction, stored);
  OUTCOME_TRY(CommitOrRefuse(world, transaction));
  return api::UpdateTerminationProtectionOutput{.stack_id = stack.arn};
}

}  // namespace

void RegisterRollbacks(aws::Service& service, const World& world) {
  service.Register<api::CancelUpdateStack>([world](const RequestContext& context, const auto& in) {
    return CancelUpdateStack(world, context, in);
  });
  service.Register<api::ContinueUpdateRollback>(
      [world](const RequestContext& context, const auto& in) {
        return ContinueUpdateRollback(world, context, in);
      });
  service.Register<api::RollbackStack>([world](const RequestContext& context, const auto& in) {
    return RollbackStack(world, context, in);
  });
  service.Register<api::UpdateTerminationProtection>(
      [world](const RequestContext&, const auto& in) {
        return UpdateTerminationProtection(world, in);
      });
}

}  // namespace howdah::cfn
