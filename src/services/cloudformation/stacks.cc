// CreateStack, UpdateStack, DeleteStack.
#include <fmt/format.h>

#include <algorithm>

#include "services/cloudformation/handlers.h"

namespace howdah::cfn {

namespace {

using aws::RequestContext;

aws::Outcome<std::string> OnFailure(const api::CreateStackInput& in) {
  if (in.disable_rollback && in.on_failure) {
    return aws::Refuse(
        aws::ValidationError("You can specify either OnFailure or DisableRollback, but not both."));
  }
  if (in.on_failure) return *in.on_failure;
  return in.disable_rollback.value_or(false) ? "DO_NOTHING" : "ROLLBACK";
}

aws::Outcome<void> CheckCreate(const api::CreateStackInput& in) {
  OUTCOME_TRY(CheckStackName(in.stack_name.value_or("")));
  OUTCOME_TRY(RefuseUnserved({in.template_url, in.role_arn, in.rollback_configuration,
                              in.notification_arns, in.resource_types}));
  if (in.stack_policy_body || in.stack_policy_url) return NotSupported("A stack policy");
  return {};
}

aws::Outcome<api::CreateStackOutput> CreateStack(const World& world, const RequestContext& context,
                                                 const api::CreateStackInput& in) {
  OUTCOME_TRY(CheckCreate(in));
  OUTCOME_ASSIGN(const std::string on_failure, OnFailure(in));
  OUTCOME_ASSIGN(const Tags tags, ReadTags(in.tags));
  if (auto existing = FindStack(world, *in.stack_name)) {
    OUTCOME_ASSIGN(const bool repeated,
                   IsRepeated(existing->stack, in.client_request_token, "CreateStack"));
    if (repeated) return api::CreateStackOutput{.stack_id = existing->stack.arn};
    return aws::Refuse(api::fault::AlreadyExistsException(
        fmt::format("Stack [{}] already exists", *in.stack_name)));
  }
  store::Transaction transaction;
  StoredStack stored = NewStack(world, context, *in.stack_name, transaction);
  Stack& stack = stored.stack;
  OUTCOME_ASSIGN(
      const Proposal proposal,
      ReadProposal(world, context, stack, {in.template_body, false, in.parameters}, nullptr));
  stack.tags = tags;
  stack.capabilities = in.capabilities;
  stack.on_failure = on_failure;
  stack.retain_except_on_create = in.retain_except_on_create.value_or(false);
  stack.termination_protection = in.enable_termination_protection.value_or(false);
  stack.timeout_minutes = in.timeout_in_minutes.value_or(0);
  SetToken(stack, in.client_request_token, "CreateStack");
  OUTCOME_TRY(PlanFor(world, stack, proposal, tags));  // what cannot be evaluated is refused now
  OUTCOME_TRY(BeginCreate(world, context, transaction, stack, proposal));
  PutStack(transaction, stored);
  OUTCOME_TRY(CommitOrRefuse(world, transaction));
  return api::CreateStackOutput{.stack_id = stack.arn};
}

aws::Outcome<void> CheckUpdate(const api::UpdateStackInput& in) {
  OUTCOME_TRY(RefuseUnserved({in.template_url, in.role_arn, in.rollback_configuration,
                              in.notification_arns, in.resource_types}));
  if (in.stack_policy_body || in.stack_policy_url || in.stack_policy_during_update_body ||
      in.stack_policy_during_update_url) {
    return NotSupported("A stack policy");
  }
  return {};
}

aws::Outcome<api::UpdateStackOutput> UpdateStack(const World& world, const RequestContext& context,
                                                 const api::UpdateStackInput& in) {
  OUTCOME_TRY(CheckUpdate(in));
  OUTCOME_ASSIGN(StoredStack stored, FindStack(world, in.stack_name.value_or("")));
  Stack& stack = stored.stack;
  OUTCOME_ASSIGN(const bool repeated, IsRepeated(stack, in.client_request_token, "UpdateStack"));
  if (repeated) return api::UpdateStackOutput{.stack_id = stack.arn};
  if (!CanBeUpdated(stack)) return CannotBeUpdated(stack);
  OUTCOME_ASSIGN(const StackSource previous, SourceOf(world, stack));
  OUTCOME_ASSIGN(
      const Proposal proposal,
      ReadProposal(world, context, stack,
                   {in.template_body, in.use_previous_template.value_or(false), in.parameters},
                   &previous));
  OUTCOME_ASSIGN(Tags tags, ReadTags(in.tags));
  if (!in.tags.present()) tags = stack.tags;
  OUTCOME_ASSIGN(const ChangePlan plan, PlanFor(world, stack, proposal, tags));
  if (plan.Empty()) {
    return aws::Refuse(aws::ValidationError("No updates are to be performed."));
  }
  if (const std::string why = Objection(plan); !why.empty()) {
    return aws::Refuse(aws::ValidationError(why));
  }
  SetToken(stack, in.client_request_token, "UpdateStack");
  if (!in.capabilities.empty()) stack.capabilities = in.capabilities;
  stack.on_failure = in.disable_rollback.value_or(false) ? "DO_NOTHING" : "ROLLBACK";
  stack.retain_except_on_create = in.retain_except_on_create.value_or(false);
  store::Transaction transaction;
  OUTCOME_TRY(BeginUpdate(world, context, transaction, stack, proposal, tags, plan));
  PutStack(transaction, stored);
  OUTCOME_TRY(CommitOrRefuse(world, transaction));
  return api::UpdateStackOutput{.stack_id = stack.arn};
}

// A stack in review has nothing to be deleted; it goes at once, with its change sets.
aws::Outcome<void> DeleteInReview(const World& world, const RequestContext& context,
                                  StoredStack stored) {
  store::Transaction transaction;
  const auto sets = ListChangeSets(world.store, stored.stack.id);
  if (!sets) return aws::Refuse(aws::FaultOf(sets.error()));
  for (const ChangeSet& set : *sets) transaction.deletes.push_back(ChangeSetKey(set.id));
  transaction.deletes.push_back(NameKey(stored.stack.name));
  SetStackStatus(transaction, stored.stack, "DELETE_IN_PROGRESS", "User Initiated", context.now);
  SetStackStatus(transaction, stored.stack, "DELETE_COMPLETE", "", context.now);
  stored.stack.deleted = context.now;
  PutStack(transaction, stored);
  return CommitOrRefuse(world, transaction);
}

aws::Outcome<void> Retain(Stack& stack, const aws::List<std::string>& names) {
  if (names.empty()) return {};
  if (stack.status != "DELETE_FAILED") {
    return aws::Refuse(aws::ValidationError(
        "RetainResources can only be given for a stack in DELETE_FAILED state"));
  }
  for (const std::string& name : names) {
    ResourceRecord* record = stack.Find(name);
    if (record == nullptr) {
      return aws::Refuse(aws::ValidationError(
          fmt::format("Resource {} does not exist in stack {}", name, stack.name)));
    }
    record->policy = DeletionPolicy::kRetain;
  }
  return {};
}

void LetGo(ResourceRecord& record) {
  if (record.status != "DELETE_FAILED") return;
  record.status = "DELETE_IN_PROGRESS";
  record.attempts = 0;
  if (record.policy == DeletionPolicy::kRetain) record.status = "CREATE_COMPLETE";
}

// The deletion is refused as AWS does it: by events, and the stack is as it was.
aws::Outcome<void> CancelDelete(const World& world, const RequestContext& context,
                                StoredStack stored, const std::string& why) {
  const std::string before = stored.stack.status;
  store::Transaction transaction;
  SetStackStatus(transaction, stored.stack, "DELETE_IN_PROGRESS", "User Initiated", context.now);
  SetStackStatus(transaction, stored.stack, before, "Delete canceled. " + why, context.now);
  PutStack(transaction, stored);
  return CommitOrRefuse(world, transaction);
}

aws::Outcome<void> BeginDelete(const World& world, const RequestContext& context,
                               StoredStack stored, const api::DeleteStackInput& in) {
  Stack& stack = stored.stack;
  OUTCOME_TRY(Retain(stack, in.retain_resources));
  const bool working = stack.InProgress();  // then its run goes on, with another aim
  SetToken(stack, in.client_request_token, "DeleteStack");
  store::Transaction transaction;
  if (const auto taken = WithdrawExports(world.store, transaction, stack); !taken) {
    if (taken.error().code() != Code::kInvalid) return aws::Refuse(aws::FaultOf(taken.error()));
    return CancelDelete(world, context, std::move(stored), taken.error().what());
  }
  for (ResourceRecord& record : stack.resources) LetGo(record);
  for (ResourceRecord& record : stack.retired) LetGo(record);
  stack.begun = context.now;
  SetStackStatus(transaction, stack, "DELETE_IN_PROGRESS", "User Initiated", context.now);
  if (!working) StartStackRun(transaction, stack, context.now);
  PutStack(transaction, stored);
  return CommitOrRefuse(world, transaction);
}

aws::Outcome<aws::Empty> DeleteStack(const World& world, const RequestContext& context,
                                     const api::DeleteStackInput& in) {
  if (in.role_arn) return NotSupported("RoleARN");
  if (in.deletion_mode && *in.deletion_mode != "STANDARD") return NotSupported("DeletionMode");
  auto stored = FindStack(world, in.stack_name.value_or(""));
  // As on AWS, a name that no stack has is no error.
  if (!stored && stored.error().code == "ValidationError") return aws::Empty{};
  if (!stored) return std::unexpected(stored.error());
  const Stack& stack = stored->stack;
  if (stack.status == "DELETE_COMPLETE" || stack.status == "DELETE_IN_PROGRESS") {
    return aws::Empty{};
  }
  if (stack.termination_protection) {
    return aws::Refuse(aws::ValidationError(fmt::format(
        "Stack [{}] cannot be deleted while TerminationProtection is enabled", stack.name)));
  }
  if (stack.status == "REVIEW_IN_PROGRESS") {
    OUTCOME_TRY(DeleteInReview(world, context, *std::move(stored)));
    return aws::Empty{};
  }
  if (stack.InProgress() && stack.status.starts_with("UPDATE_")) {
    return aws::Refuse(aws::ValidationError(
        fmt::format("Stack [{}] cannot be deleted while in status {}", stack.name, stack.status)));
  }
  OUTCOME_TRY(BeginDelete(world, context, *std::move(stored), in));
  return aws::Empty{};
}

}  // namespace

bool CanBeUpdated(const Stack& stack) {
  return stack.status == "CREATE_COMPLETE" || stack.status == "UPDATE_COMPLETE" ||
         stack.status == "UPDATE_ROLLBACK_COMPLETE";
}

std::unexpected<aws::Fault> CannotBeUpdated(const Stack& stack) {
  return aws::Refuse(aws::ValidationError(
      fmt::format("Stack:{} is in {} state and can not be updated.", stack.arn, stack.status)));
}

void RegisterStacks(aws::Service& service, const World& world) {
  service.Register<api::CreateStack>(
      [world](const RequestContext& context, const api::CreateStackInput& in) {
        return CreateStack(world, context, in);
      });
  service.Register<api::UpdateStack>(
      [world](const RequestContext& context, const api::UpdateStackInput& in) {
        return UpdateStack(world, context, in);
      });
  service.Register<api::DeleteStack>(
      [world](const RequestContext& context, const api::DeleteStackInput& in) {
        return DeleteStack(world, context, in);
      });
}

void RegisterCloudFormation(aws::Service& service, const World& world) {
  RegisterStacks(service, world);
  RegisterChangeSets(service, world);
  RegisterDescriptions(service, world);
  RegisterTemplates(service, world);
  RegisterRollbacks(service, world);
  RegisterExports(service, world);
  RegisterDrift(service, world);
}

}  // namespace howdah::cfn
