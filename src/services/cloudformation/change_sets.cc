// Change sets: made at once (there is nothing to wait for), shown, executed, deleted. One that
// would change nothing, or that asks for what is not served, is FAILED with the reason, as on AWS.
#include "services/cloudformation/change_sets.h"

#include <fmt/format.h>

#include <algorithm>

namespace howdah::cfn {

namespace {

using aws::RequestContext;

constexpr std::string_view kNothingChanged =
    "The submitted information didn't contain changes. Submit different information to create a "
    "change set.";

aws::Outcome<void> CheckRequest(const api::CreateChangeSetInput& in) {
  OUTCOME_TRY(RefuseUnserved({in.template_url, in.role_arn, in.rollback_configuration,
                              in.notification_arns, in.resource_types}));
  const std::string type = in.change_set_type.value_or("UPDATE");
  if (type != "CREATE" && type != "UPDATE") return NotSupported("ChangeSetType " + type);
  if (type == "UPDATE" && in.on_stack_failure == "DELETE") {
    return aws::Refuse(aws::ValidationError(
        "OnStackFailure DELETE can only be given for a change set of type CREATE"));
  }
  if (!in.resources_to_import.empty()) return NotSupported("ResourcesToImport");
  if (in.import_existing_resources.value_or(false)) return NotSupported("ImportExistingResources");
  if (in.deployment_mode) return NotSupported("DeploymentMode");
  return {};
}

// The stack of the change set: a new one, in review, for CREATE.
aws::Outcome<StoredStack> StackFor(const World& world, const RequestContext& context,
                                   const api::CreateChangeSetInput& in,
                                   store::Transaction& transaction) {
  const std::string name = in.stack_name.value_or("");
  const bool create = in.change_set_type == "CREATE";
  auto stored = FindStack(world, name);
  if (stored && create && stored->stack.status != "REVIEW_IN_PROGRESS") {
    return aws::Refuse(aws::ValidationError(fmt::format(
        "Stack [{}] already exists and cannot be created again with the changeSet [{}].",
        stored->stack.name, in.change_set_name.value_or(""))));
  }
  if (stored && !create && !CanBeUpdated(stored->stack)) return CannotBeUpdated(stored->stack);
  if (stored) return stored;
  if (stored.error().code != "ValidationError") return stored;
  if (!create) {
    return aws::Refuse(aws::ValidationError(fmt::format("Stack [{}] does not exist", name)));
  }
  OUTCOME_TRY(CheckStackName(name));
  StoredStack made = NewStack(world, context, name, transaction);
  SetStackStatus(transaction, made.stack, "REVIEW_IN_PROGRESS", "User Initiated", context.now);
  PutStack(transaction, made);
  return made;
}

ChangeSet NewChangeSet(const World& world, const RequestContext& context, const Stack& stack,
                       const api::CreateChangeSetInput& in) {
  ChangeSet set;
  set.id = system::RandomUuid(world.entropy);
  set.name = in.change_set_name.value_or("");
  set.arn = fmt::format("arn:aws:cloudformation:{}:{}:changeSet/{}/{}", stack.region,
                        stack.account_id, set.name, set.id);
  set.stack_id = stack.id;
  set.stack_arn = stack.arn;
  set.stack_name = stack.name;
  set.type = in.change_set_type.value_or("UPDATE");
  set.description = in.description.value_or("");
  set.capabilities = in.capabilities;
  set.on_failure = in.on_stack_failure.value_or("ROLLBACK");
  set.created = context.now;
  return set;
}

void Judge(ChangeSet& set, const aws::Outcome<ChangePlan>& plan) {
  set.status = "FAILED";
  if (!plan) {
    set.reason = plan.error().message;
  } else if (plan->Empty()) {
    set.reason = kNothingChanged;
  } else if (std::string reason = Objection(*plan); !reason.empty()) {
    set.reason = std::move(reason);
  } else {
    set.status = "CREATE_COMPLETE";
  }
}

aws::Outcome<api::CreateChangeSetOutput> CreateChangeSet(const World& world,
                                                         const RequestContext& context,
                                                         const api::CreateChangeSetInput& in) {
  OUTCOME_TRY(CheckRequest(in));
  store::Transaction transaction;
  OUTCOME_ASSIGN(const StoredStack stored, StackFor(world, context, in, transaction));
  const Stack& stack = stored.stack;
  const auto sets = ListChangeSets(world.store, stack.id);
  if (!sets) return aws::Refuse(aws::FaultOf(sets.error()));
  if (std::ranges::find(*sets, *in.change_set_name, &ChangeSet::name) != sets->end()) {
    return aws::Refuse(api::fault::AlreadyExistsException(
        fmt::format("ChangeSet {} already exists", *in.change_set_name)));
  }
  OUTCOME_ASSIGN(const StackSource previous, SourceOf(world, stack));
  OUTCOME_ASSIGN(
      const Proposal proposal,
      ReadProposal(world, context, stack,
                   {in.template_body, in.use_previous_template.value_or(false), in.parameters},
                   stack.source.empty() ? nullptr : &previous));
  ChangeSet set = NewChangeSet(world, context, stack, in);
  OUTCOME_ASSIGN(set.tags, ReadTags(in.tags));
  if (!in.tags.present()) set.tags = stack.tags;
  set.source = SealSource(world.sealer, proposal.source, stack.id);
  Judge(set, PlanFor(world, stack, proposal, set.tags));
  transaction.compares.push_back({ChangeSetKey(set.id), 0});
  transaction.puts.push_back({ChangeSetKey(set.id), Format(set), ""});
  OUTCOME_TRY(CommitOrRefuse(world, transaction));
  return api::CreateChangeSetOutput{.id = set.arn, .stack_id = stack.arn};
}

aws::Outcome<void> Begin(const World& world, const RequestContext& context,
                         store::Transaction& transaction, StoredStack& stored,
                         const ChangeSet& set) {
  OUTCOME_ASSIGN(const Proposal proposal, ProposalOf(world, set, stored.stack));
  if (set.type == "CREATE") {
    stored.stack.tags = set.tags;
    return BeginCreate(world, context, transaction, stored.stack, proposal);
  }
  OUTCOME_ASSIGN(const ChangePlan plan, PlanFor(world, stored.stack, proposal, set.tags));
  if (plan.Empty()) {
    return aws::Refuse(aws::ValidationError("No updates are to be performed."));
  }
  if (const std::string reason = Objection(plan); !reason.empty()) {
    return aws::Refuse(aws::ValidationError(reason));
  }
  return BeginUpdate(world, context, transaction, stored.stack, proposal, set.tags, plan);
}

aws::Outcome<void> CheckExecutable(const ChangeSet& set, const Stack& stack) {
  const std::string execution = ExecutionStatus(set, stack);
  if (execution != "AVAILABLE") {
    return aws::Refuse(api::fault::InvalidChangeSetStatusException(
        fmt::format("ChangeSet [{}] cannot be executed in its current status of [{}] and execution "
                    "status of [{}]",
                    set.arn, set.status, execution)));
  }
  return {};
}

aws::Outcome<api::ExecuteChangeSetOutput> ExecuteChangeSet(const World& world,
                                                           const RequestContext& context,
                                                           const api::ExecuteChangeSetInput& in) {
  OUTCOME_ASSIGN(StoredChangeSet found,
                 FindChangeSet(world, in.change_set_name.value_or(""), in.stack_name));
  ChangeSet& set = found.set;
  OUTCOME_ASSIGN(StoredStack stored, FindStack(world, set.stack_arn));
  if (set.executed) {
    OUTCOME_ASSIGN(const bool repeated,
                   IsRepeated(stored.stack, in.client_request_token, "ExecuteChangeSet"));
    if (repeated) return api::ExecuteChangeSetOutput{};
  }
  OUTCOME_TRY(CheckExecutable(set, stored.stack));
  store::Transaction transaction;
  stored.stack.change_set = set.arn;
  stored.stack.capabilities = set.capabilities;
  stored.stack.on_failure = in.disable_rollback.value_or(false) ? "DO_NOTHING" : set.on_failure;
  stored.stack.retain_except_on_create = in.retain_except_on_create.value_or(false);
  SetToken(stored.stack, in.client_request_token, "ExecuteChangeSet");
  OUTCOME_TRY(Begin(world, context, transaction, stored, set));
  PutStack(transaction, stored);
  set.executed = true;
  transaction.compares.push_back({ChangeSetKey(set.id), found.revision});
  transaction.puts.push_back({ChangeSetKey(set.id), Format(set), ""});
  // The others were made for a stack that is no more.
  const auto sets = ListChangeSets(world.store, set.stack_id);
  if (!sets) return aws::Refuse(aws::FaultOf(sets.error()));
  for (const ChangeSet& other : *sets) {
    if (other.id != set.id) transaction.deletes.push_back(ChangeSetKey(other.id));
  }
  OUTCOME_TRY(CommitOrRefuse(world, transaction));
  return api::ExecuteChangeSetOutput{};
}

aws::Outcome<api::DeleteChangeSetOutput> DeleteChangeSet(const World& world,
                                                         const api::DeleteChangeSetInput& in) {
  auto found = FindChangeSet(world, in.change_set_name.value_or(""), in.stack_name);
  if (!found && found.error().code.starts_with("ChangeSetNotFound")) {
    return api::DeleteChangeSetOutput{};
  }
  if (!found) return std::unexpected(found.error());
  OUTCOME_ASSIGN(const StoredStack stored, FindStack(world, found->set.stack_arn));
  if (ExecutionStatus(found->set, stored.stack) == "EXECUTE_IN_PROGRESS") {
    return aws::Refuse(api::fault::InvalidChangeSetStatusException(
        fmt::format("ChangeSet [{}] is being executed", found->set.arn)));
  }
  store::Transaction transaction;
  transaction.compares.push_back({ChangeSetKey(found->set.id), found->revision});
  transaction.deletes.push_back(ChangeSetKey(found->set.id));
  OUTCOME_TRY(CommitOrRefuse(world, transaction));
  return api::DeleteChangeSetOutput{};
}

}  // namespace

void RegisterChangeSets(aws::Service& service, const World& world) {
  RegisterChangeSetViews(service, world);
  service.Register<api::CreateChangeSet>(
      [world](const RequestContext& context, const api::CreateChangeSetInput& in) {
        return CreateChangeSet(world, context, in);
      });
  service.Register<api::ExecuteChangeSet>(
      [world](const RequestContext& context, const api::ExecuteChangeSetInput& in) {
        return ExecuteChangeSet(world, context, in);
      });
  service.Register<api::DeleteChangeSet>(
      [world](const RequestContext&, const api::DeleteChangeSetInput& in) {
        return DeleteChangeSet(world, in);
      });
}

}  // namespace howdah::cfn
