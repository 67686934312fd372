// Beginning work on a stack: the document as it is to be, the first event, and the run, in the one
// transaction that the handler commits.
#include <fmt/format.h>

#include <algorithm>

#include "services/cloudformation/handlers.h"
#include "workflow/workflow.h"

namespace howdah::cfn {

namespace {

ResourceRecord RecordOf(const Resource& resource) {
  ResourceRecord record;
  record.logical_id = resource.logical_id;
  record.type = resource.type;
  record.depends_on.assign(resource.depends_on.begin(), resource.depends_on.end());
  record.policy = resource.deletion_policy;
  return record;
}

std::string TagText(const Tags& tags) {
  std::string text;
  for (const auto& [key, value] : tags) text += key + '\0' + value + '\0';
  return text;
}

// The stack's and the proposal's: what it has is only let go when the work is done.
aws::Outcome<void> AddImports(const World& world, store::Transaction& transaction, Stack& stack,
                              const Proposal& proposal) {
  const Version version{proposal.made, proposal.source.parameters, ""};
  auto names = ImportsOf(version, SurroundingsOf(stack));
  if (!names) return aws::Refuse(aws::ValidationError(names.error().what()));
  names->insert(stack.imports.begin(), stack.imports.end());
  const auto set = SetImports(world.store, transaction, stack, *names);
  if (set) return {};
  if (set.error().code() != Code::kInvalid) return aws::Refuse(aws::FaultOf(set.error()));
  return aws::Refuse(aws::ValidationError(set.error().what()));
}

void SetGoal(Stack& stack, const Change& change, const Proposal& proposal) {
  ResourceRecord* record = stack.Find(change.logical_id);
  if (change.action == Action::kAdd) {
    // What an earlier update could not take away is looked after among what has been retired.
    if (record != nullptr) {
      stack.retired.push_back(*record);
      std::erase_if(stack.resources,
                    [&](const ResourceRecord& one) { return one.logical_id == change.logical_id; });
    }
    stack.resources.push_back(RecordOf(*proposal.made.FindResource(change.logical_id)));
    stack.resources.back().goal = "add";
  } else if (record != nullptr && change.action == Action::kRemove) {
    record->goal = "remove";
  } else if (record != nullptr && !change.properties.empty()) {
    record->goal = "modify";
    record->initiated = record->configured = false;
    record->attempts = 0;
    for (const PropertyChange& property : change.properties) {
      record->changed.push_back(property.name);
    }
  }
}

}  // namespace

void StartStackRun(store::Transaction& transaction, const Stack& stack, WallTime now) {
  workflow::StartRun(transaction, RunId(), kStackWorkflow, stack.id, json::object(), now);
}

StoredStack NewStack(const World& world, const aws::RequestContext& context, std::string name,
                     store::Transaction& transaction) {
  Stack stack;
  stack.id = system::RandomUuid(world.entropy);
  stack.name = std::move(name);
  stack.account_id = context.account_id;
  stack.region = world.region;
  stack.arn = fmt::format("arn:aws:cloudformation:{}:{}:stack/{}/{}", world.region,
                          context.account_id, stack.name, stack.id);
  stack.created = context.now;
  transaction.compares.push_back({NameKey(stack.name), 0});
  transaction.puts.push_back({NameKey(stack.name), stack.id, ""});
  return {std::move(stack), 0};
}

aws::Outcome<void> BeginCreate(const World& world, const aws::RequestContext& context,
                               store::Transaction& transaction, Stack& stack,
                               const Proposal& proposal) {
  OUTCOME_TRY(AddImports(world, transaction, stack, proposal));
  stack.source = SealSource(world.sealer, proposal.source, stack.id);
  stack.description = proposal.made.description;
  stack.begun = context.now;
  stack.resources.clear();
  for (const Resource& resource : proposal.made.resources) {
    stack.resources.push_back(RecordOf(resource));
  }
  SetStackStatus(transaction, stack, "CREATE_IN_PROGRESS", "User Initiated", context.now);
  StartStackRun(transaction, stack, context.now);
  return {};
}

aws::Outcome<void> BeginUpdate(const World& world, const aws::RequestContext& context,
                               store::Transaction& transaction, Stack& stack,
                               const Proposal& proposal, const Tags& tags, const ChangePlan& plan) {
  OUTCOME_TRY(AddImports(world, transaction, stack, proposal));
  stack.next_source = SealSource(world.sealer, proposal.source, stack.id);
  stack.next_tags = tags;
  stack.begun = context.now;
  stack.updated = context.now;
  for (const Change& change : plan.changes) SetGoal(stack, change, proposal);
  SetStackStatus(transaction, stack, "UPDATE_IN_PROGRESS", "User Initiated", context.now);
  StartStackRun(transaction, stack, context.now);
  return {};
}

aws::Outcome<ChangePlan> PlanFor(const World& world, const Stack& stack, const Proposal& proposal,
                                 const Tags& tags) {
  const Version after{proposal.made, proposal.source.parameters, TagText(tags)};
  const Surroundings around = SurroundingsOf(stack);
  const Import import = [&](const std::string& name) {
    return ImportedValue(world.store, name, stack.id);
  };
  Result<ChangePlan> plan;
  if (stack.source.empty()) {
    plan = PlanChanges(nullptr, after, around, import);
  } else {
    OUTCOME_ASSIGN(const StackSource source, SourceOf(world, stack));
    OUTCOME_ASSIGN(Template declared, ReadTemplate(source.body));
    OUTCOME_ASSIGN(const Template made, Decide(std::move(declared), source.parameters, stack));
    const Version before{made, source.parameters, TagText(stack.tags)};
    plan = PlanChanges(&before, after, around, import);
  }
  if (!plan) return aws::Refuse(aws::ValidationError(plan.error().what()));
  return *std::move(plan);
}

std::string Objection(const ChangePlan& plan) {
  std::vector<std::string> names;
  for (const Change& change : plan.changes) {
    if (change.type_changed) names.push_back(change.logical_id);
  }
  if (names.empty()) return "";
  return fmt::format(
      "Update of resource type is not permitted. The new template modifies resource type of the "
      "following resources: [{}]",
      fmt::join(names, ", "));
}

aws::Outcome<bool> IsRepeated(const Stack& stack, const std::optional<std::string>& token,
                              std::string_view operation) {
  if (!token || stack.client_token != *token) return false;
  if (stack.operation == operation) return true;
  return aws::Refuse(api::fault::TokenAlreadyExistsException(
      fmt::format("The token {} has been used for {}", *token, stack.operation)));
}

void SetToken(Stack& stack, const std::optional<std::string>& token, std::string_view operation) {
  stack.client_token = token.value_or("");
  stack.operation = std::string(operation);
}

}  // namespace howdah::cfn
