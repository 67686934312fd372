// Change sets: made at once (there is nothing to wait for), shown, executed, deleted. One that
// would change nothing, or that asks for what is not served, is FAILED with the reason, as on AWS.
#include <fmt/format.h>

#include <algorithm>

#include "services/cloudformation/handlers.h"

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

void Judge(ChangeSet& set, const ChangePlan& plan) {
  set.status = "FAILED";
  if (plan.Empty()) {
    set.reason = kNothingChanged;
  } else if (std::string reason = ReplacementReason(plan); !reason.empty()) {
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
  OUTCOME_ASSIGN(const Proposal proposal,
                 ReadProposal(in.template_body, in.use_previous_template.value_or(false),
                              in.parameters, stack.source.empty() ? nullptr : &previous));
  ChangeSet set = NewChangeSet(world, context, stack, in);
  OUTCOME_ASSIGN(set.tags, ReadTags(in.tags));
  if (!in.tags.present()) set.tags = stack.tags;
  set.source = SealSource(world.sealer, proposal.source, stack.id);
  OUTCOME_ASSIGN(const ChangePlan plan, PlanFor(world, stack, proposal, set.tags));
  Judge(set, plan);
  transaction.compares.push_back({ChangeSetKey(set.id), 0});
  transaction.puts.push_back({ChangeSetKey(set.id), Format(set), ""});
  OUTCOME_TRY(CommitOrRefuse(world, transaction));
  return api::CreateChangeSetOutput{.id = set.arn, .stack_id = stack.arn};
}

struct StoredChangeSet {
  ChangeSet set;
  store::Revision revision = 0;
};

aws::Outcome<StoredChangeSet> FindChangeSet(const World& world, const std::string& name,
                                            const std::optional<std::string>& stack_name) {
  const auto missing = [&] {
    return aws::Refuse(
        api::fault::ChangeSetNotFoundException(fmt::format("ChangeSet [{}] does not exist", name)));
  };
  std::string id;
  if (name.starts_with("arn:")) {
    id = name.substr(name.rfind('/') + 1);
  } else {
    if (!stack_name) {
      return aws::Refuse(aws::ValidationError(
          "StackName must be specified if ChangeSetName is not specified as an ARN."));
    }
    OUTCOME_ASSIGN(const StoredStack stored, FindStack(world, *stack_name));
    const auto sets = ListChangeSets(world.store, stored.stack.id);
    if (!sets) return aws::Refuse(aws::FaultOf(sets.error()));
    const auto found = std::ranges::find(*sets, name, &ChangeSet::name);
    if (found == sets->end()) return missing();
    id = found->id;
  }
  const auto document = world.store.Get(ChangeSetKey(id));
  if (!document && document.error().code() == Code::kNotFound) return missing();
  if (!document) return aws::Refuse(aws::FaultOf(document.error()));
  auto set = ParseChangeSet(document->value);
  if (!set) return aws::Refuse(aws::FaultOf(set.error()));
  return StoredChangeSet{*std::move(set), document->revision};
}

// How far the execution is, the stack knows.
std::string ExecutionStatus(const ChangeSet& set, const Stack& stack) {
  if (set.status != "CREATE_COMPLETE") return "UNAVAILABLE";
  if (!set.executed) {
    const bool possible =
        set.type == "CREATE" ? stack.status == "REVIEW_IN_PROGRESS" : CanBeUpdated(stack);
    return possible ? "AVAILABLE" : "OBSOLETE";
  }
  if (stack.change_set != set.arn) return "EXECUTE_COMPLETE";
  if (stack.InProgress() && !stack.status.starts_with("DELETE_")) return "EXECUTE_IN_PROGRESS";
  return stack.status == "CREATE_COMPLETE" || stack.status == "UPDATE_COMPLETE" ? "EXECUTE_COMPLETE"
                                                                                : "EXECUTE_FAILED";
}

api::Change ShowChange(const Change& change, Stack& stack) {
  static constexpr std::string_view kActions[] = {"Add", "Modify", "Remove"};
  api::ResourceChange shown;
  shown.action = std::string(kActions[static_cast<int>(change.action)]);
  shown.logical_resource_id = change.logical_id;
  shown.resource_type = change.type;
  if (const ResourceRecord* record = stack.Find(change.logical_id);
      record != nullptr && change.action != Action::kAdd) {
    shown.physical_resource_id = record->physical_id;
  }
  if (change.action == Action::kModify) {
    shown.replacement = change.Replaces() ? "True" : "False";
    if (!change.properties.empty()) shown.scope.push_back("Properties");
  }
  for (const PropertyChange& property : change.properties) {
    api::ResourceTargetDefinition target;
    target.attribute = "Properties";
    target.name = property.name;
    target.requires_recreation = property.replaces ? "Always" : "Never";
    api::ResourceChangeDetail detail;
    detail.target = std::move(target);
    detail.evaluation = "Static";
    detail.change_source = "DirectModification";
    shown.details.push_back(std::move(detail));
  }
  api::Change made;
  made.type = "Resource";
  made.resource_change = std::move(shown);
  return made;
}

aws::Outcome<Proposal> ProposalOf(const World& world, const ChangeSet& set) {
  auto source = OpenSource(world.sealer, set.source, set.stack_id);
  if (!source) return aws::Refuse(aws::FaultOf(source.error()));
  OUTCOME_ASSIGN(Template made, ReadTemplate(source->body));
  return Proposal{*std::move(source), std::move(made)};
}

aws::Outcome<api::DescribeChangeSetOutput> DescribeChangeSet(
    const World& world, const api::DescribeChangeSetInput& in) {
  OUTCOME_ASSIGN(const StoredChangeSet found,
                 FindChangeSet(world, in.change_set_name.value_or(""), in.stack_name));
  const ChangeSet& set = found.set;
  OUTCOME_ASSIGN(StoredStack stored, FindStack(world, set.stack_arn));
  OUTCOME_ASSIGN(const Proposal proposal, ProposalOf(world, set));
  api::DescribeChangeSetOutput out;
  out.change_set_name = set.name;
  out.change_set_id = set.arn;
  out.stack_id = set.stack_arn;
  out.stack_name = set.stack_name;
  if (!set.description.empty()) out.description = set.description;
  out.parameters = ShownParameters(proposal.made, proposal.source.parameters);
  out.creation_time = set.created;
  out.status = set.status;
  if (!set.reason.empty()) out.status_reason = set.reason;
  out.execution_status = ExecutionStatus(set, stored.stack);
  out.capabilities = aws::List<std::string>(set.capabilities);
  out.tags = TagList(set.tags);
  out.include_nested_stacks = false;
  out.on_stack_failure = set.on_failure;
  if (set.executed) return out;  // what it changed is history
  OUTCOME_ASSIGN(const ChangePlan plan, PlanFor(world, stored.stack, proposal, set.tags));
  std::vector<api::Change> changes;
  for (const Change& change : plan.changes) changes.push_back(ShowChange(change, stored.stack));
  OUTCOME_ASSIGN(auto page, PageOf(std::move(changes), in.next_token, out.next_token));
  out.changes = aws::List<api::Change>(std::move(page));
  return out;
}

aws::Outcome<void> Begin(const World& world, const RequestContext& context,
                         store::Transaction& transaction, StoredStack& stored,
                         const ChangeSet& set) {
  OUTCOME_ASSIGN(const Proposal proposal, ProposalOf(world, set));
  if (set.type == "CREATE") {
    stored.stack.tags = set.tags;
    BeginCreate(world, context, transaction, stored.stack, proposal);
    return {};
  }
  OUTCOME_ASSIGN(const ChangePlan plan, PlanFor(world, stored.stack, proposal, set.tags));
  if (plan.Empty()) {
    return aws::Refuse(aws::ValidationError("No updates are to be performed."));
  }
  if (const std::string reason = ReplacementReason(plan); !reason.empty()) {
    return aws::Refuse(aws::ValidationError(reason));
  }
  BeginUpdate(world, context, transaction, stored.stack, proposal, set.tags, plan);
  return {};
}

aws::Outcome<void> CheckExecutable(const ChangeSet& set, const Stack& stack,
                                   const api::ExecuteChangeSetInput& in) {
  const std::string execution = ExecutionStatus(set, stack);
  if (execution != "AVAILABLE") {
    return aws::Refuse(api::fault::InvalidChangeSetStatusException(
        fmt::format("ChangeSet [{}] cannot be executed in its current status of [{}] and execution "
                    "status of [{}]",
                    set.arn, set.status, execution)));
  }
  if (in.retain_except_on_create.value_or(false)) return NotSupported("RetainExceptOnCreate");
  const bool keep = in.disable_rollback.value_or(false) || set.on_failure == "DO_NOTHING";
  if (keep && set.type == "UPDATE") return NotSupported("DisableRollback of an update");
  return {};
}

aws::Outcome<api::ExecuteChangeSetOutput> ExecuteChangeSet(const World& world,
                                                           const RequestContext& context,
                                                           const api::ExecuteChangeSetInput& in) {
  OUTCOME_ASSIGN(StoredChangeSet found,
                 FindChangeSet(world, in.change_set_name.value_or(""), in.stack_name));
  ChangeSet& set = found.set;
  OUTCOME_ASSIGN(StoredStack stored, FindStack(world, set.stack_arn));
  OUTCOME_TRY(CheckExecutable(set, stored.stack, in));
  store::Transaction transaction;
  stored.stack.change_set = set.arn;
  stored.stack.capabilities = set.capabilities;
  stored.stack.on_failure = in.disable_rollback.value_or(false) ? "DO_NOTHING" : set.on_failure;
  stored.stack.client_token = in.client_request_token.value_or("");
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

aws::Outcome<api::ListChangeSetsOutput> ListOfChangeSets(const World& world,
                                                         const api::ListChangeSetsInput& in) {
  OUTCOME_ASSIGN(const StoredStack stored, FindStack(world, in.stack_name.value_or("")));
  const auto sets = ListChangeSets(world.store, stored.stack.id);
  if (!sets) return aws::Refuse(aws::FaultOf(sets.error()));
  api::ListChangeSetsOutput out;
  OUTCOME_ASSIGN(const auto page, PageOf(*sets, in.next_token, out.next_token));
  for (const ChangeSet& set : page) {
    api::ChangeSetSummary summary;
    summary.stack_id = set.stack_arn;
    summary.stack_name = set.stack_name;
    summary.change_set_id = set.arn;
    summary.change_set_name = set.name;
    summary.execution_status = ExecutionStatus(set, stored.stack);
    summary.status = set.status;
    if (!set.reason.empty()) summary.status_reason = set.reason;
    summary.creation_time = set.created;
    if (!set.description.empty()) summary.description = set.description;
    out.summaries.push_back(std::move(summary));
  }
  return out;
}

}  // namespace

void RegisterChangeSets(aws::Service& service, const World& world) {
  service.Register<api::CreateChangeSet>(
      [world](const RequestContext& context, const api::CreateChangeSetInput& in) {
        return CreateChangeSet(world, context, in);
      });
  service.Register<api::DescribeChangeSet>(
      [world](const RequestContext&, const api::DescribeChangeSetInput& in) {
        return DescribeChangeSet(world, in);
      });
  service.Register<api::ExecuteChangeSet>(
      [world](const RequestContext& context, const api::ExecuteChangeSetInput& in) {
        return ExecuteChangeSet(world, context, in);
      });
  service.Register<api::DeleteChangeSet>(
      [world](const RequestContext&, const api::DeleteChangeSetInput& in) {
        return DeleteChangeSet(world, in);
      });
  service.Register<api::ListChangeSets>(
      [world](const RequestContext&, const api::ListChangeSetsInput& in) {
        return ListOfChangeSets(world, in);
      });
}

}  // namespace howdah::cfn
