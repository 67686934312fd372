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

void StartStackRun(store::Transaction& transaction, const Stack& stack, WallTime now) {
  workflow::StartRun(transaction, RunId(), kStackWorkflow, stack.id, json::object(), now);
}

std::string TagText(const Tags& tags) {
  std::string text;
  for (const auto& [key, value] : tags) text += key + '\0' + value + '\0';
  return text;
}

}  // namespace

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

void BeginCreate(const World& world, const aws::RequestContext& context,
                 store::Transaction& transaction, Stack& stack, const Proposal& proposal) {
  stack.source = SealSource(world.sealer, proposal.source, stack.id);
  stack.description = proposal.made.description;
  stack.begun = context.now;
  stack.resources.clear();
  for (const Resource& resource : proposal.made.resources) {
    stack.resources.push_back(RecordOf(resource));
  }
  SetStackStatus(transaction, stack, "CREATE_IN_PROGRESS", "User Initiated", context.now);
  StartStackRun(transaction, stack, context.now);
}

void BeginUpdate(const World& world, const aws::RequestContext& context,
                 store::Transaction& transaction, Stack& stack, const Proposal& proposal,
                 const Tags& tags, const ChangePlan& plan) {
  stack.next_source = SealSource(world.sealer, proposal.source, stack.id);
  stack.next_tags = tags;
  stack.begun = context.now;
  stack.updated = context.now;
  for (const Change& change : plan.changes) {
    ResourceRecord* record = stack.Find(change.logical_id);
    if (change.action == Action::kAdd) {
      const Resource& resource = *proposal.made.FindResource(change.logical_id);
      // What an earlier update could not take away gives way: its name is used again.
      std::erase_if(stack.resources,
                    [&](const ResourceRecord& one) { return one.logical_id == change.logical_id; });
      stack.resources.push_back(RecordOf(resource));
      stack.resources.back().goal = "add";
    } else if (record != nullptr && change.action == Action::kRemove) {
      record->goal = "remove";
    } else if (record != nullptr && !change.properties.empty()) {
      record->goal = "modify";
      record->initiated = record->configured = false;
      for (const PropertyChange& property : change.properties) {
        record->changed.push_back(property.name);
      }
    }
  }
  SetStackStatus(transaction, stack, "UPDATE_IN_PROGRESS", "User Initiated", context.now);
  StartStackRun(transaction, stack, context.now);
}

aws::Outcome<ChangePlan> PlanFor(const World& world, const Stack& stack, const Proposal& proposal,
                                 const Tags& tags) {
  const Version after{proposal.made, proposal.source.parameters, TagText(tags)};
  Result<ChangePlan> plan;
  if (stack.source.empty()) {
    plan = PlanChanges(nullptr, after, world.region);
  } else {
    OUTCOME_ASSIGN(const StackSource source, SourceOf(world, stack));
    OUTCOME_ASSIGN(const Template made, ReadTemplate(source.body));
    const Version before{made, source.parameters, TagText(stack.tags)};
    plan = PlanChanges(&before, after, world.region);
  }
  if (!plan) return aws::Refuse(aws::ValidationError(plan.error().what()));
  return *std::move(plan);
}

std::string ReplacementReason(const ChangePlan& plan) {
  for (const Change& change : plan.changes) {
    if (change.type_changed) {
      return fmt::format("Resource {}: Update of resource type is not permitted.",
                         change.logical_id);
    }
    const auto replaces = std::ranges::find(change.properties, true, &PropertyChange::replaces);
    if (replaces == change.properties.end()) continue;
    return fmt::format(
        "Resource {} ({}): a change of property {} needs a replacement, and updates "
        "by replacement are not supported yet.",
        change.logical_id, change.type, replaces->name);
  }
  return "";
}

}  // namespace howdah::cfn
