// What change sets look like to the client.
#include <fmt/format.h>

#include <algorithm>

#include "services/cloudformation/change_sets.h"

namespace howdah::cfn {

namespace {

using aws::RequestContext;

constexpr std::string_view kRecreation[] = {"Never", "Conditionally", "Always"};

std::string SourceOfChange(const PropertyChange& property, const Template& after) {
  if (property.cause.empty()) return "DirectModification";
  if (!property.dynamic && after.FindParameter(property.cause) != nullptr) {
    return "ParameterReference";
  }
  return property.cause.find('.') == std::string::npos ? "ResourceReference" : "ResourceAttribute";
}

api::ResourceChangeDetail ShowDetail(const PropertyChange& property, const Template& after) {
  api::ResourceTargetDefinition target;
  target.attribute = property.name == "Tags" ? "Tags" : "Properties";
  if (property.name != "Tags") target.name = property.name;
  target.requires_recreation = std::string(kRecreation[static_cast<int>(property.on_change)]);
  api::ResourceChangeDetail detail;
  detail.target = std::move(target);
  detail.evaluation = property.dynamic ? "Dynamic" : "Static";
  detail.change_source = SourceOfChange(property, after);
  if (!property.cause.empty()) detail.causing_entity = property.cause;
  return detail;
}

api::ResourceChangeDetail ShowAttribute(const std::string& attribute) {
  api::ResourceTargetDefinition target;
  target.attribute = attribute;
  target.requires_recreation = "Never";
  api::ResourceChangeDetail detail;
  detail.target = std::move(target);
  detail.evaluation = "Static";
  detail.change_source = "DirectModification";
  return detail;
}

// What becomes of the thing that goes; nullopt: none goes.
std::optional<std::string> PolicyAction(const Change& change, const ResourceRecord* record,
                                        const Template& after) {
  if (change.action == Action::kRemove && record != nullptr) {
    return record->policy == DeletionPolicy::kDelete     ? "Delete"
           : record->policy == DeletionPolicy::kSnapshot ? "Snapshot"
                                                         : "Retain";
  }
  const Resource* resource = after.FindResource(change.logical_id);
  if (change.action != Action::kModify || resource == nullptr) return std::nullopt;
  if (change.Replaces() == Replacement::kFalse) return std::nullopt;
  return resource->replace_policy == DeletionPolicy::kDelete     ? "ReplaceAndDelete"
         : resource->replace_policy == DeletionPolicy::kSnapshot ? "ReplaceAndSnapshot"
                                                                 : "ReplaceAndRetain";
}

// "Properties", "Tags", "Metadata", …: each once.
void ShowScope(const Change& change, api::ResourceChange& shown) {
  bool tags = false;
  bool others = false;
  for (const PropertyChange& property : change.properties) {
    (property.name == "Tags" ? tags : others) = true;
  }
  if (others) shown.scope.push_back("Properties");
  if (tags) shown.scope.push_back("Tags");
  for (const std::string& attribute : change.attributes) shown.scope.push_back(attribute);
}

}  // namespace

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

aws::Outcome<Proposal> ProposalOf(const World& world, const ChangeSet& set, const Stack& stack) {
  auto source = OpenSource(world.sealer, set.source, set.stack_id);
  if (!source) return aws::Refuse(aws::FaultOf(source.error()));
  OUTCOME_ASSIGN(Template declared, ReadTemplate(source->body));
  OUTCOME_ASSIGN(Template made, Decide(std::move(declared), source->parameters, stack));
  return Proposal{*std::move(source), std::move(made)};
}

namespace {

api::Change ShowChange(const Change& change, Stack& stack, const Template& after) {
  static constexpr std::string_view kActions[] = {"Add", "Modify", "Remove"};
  static constexpr std::string_view kReplacements[] = {"False", "Conditional", "True"};
  api::ResourceChange shown;
  shown.action = std::string(kActions[static_cast<int>(change.action)]);
  shown.logical_resource_id = change.logical_id;
  shown.resource_type = change.type;
  const ResourceRecord* record = stack.Find(change.logical_id);
  if (record != nullptr && change.action != Action::kAdd) {
    shown.physical_resource_id = record->physical_id;
  }
  shown.policy_action = PolicyAction(change, record, after);
  if (change.action == Action::kModify) {
    shown.replacement = std::string(kReplacements[static_cast<int>(change.Replaces())]);
    ShowScope(change, shown);
  }
  for (const PropertyChange& property : change.properties) {
    shown.details.push_back(ShowDetail(property, after));
  }
  for (const std::string& attribute : change.attributes) {
    shown.details.push_back(ShowAttribute(attribute));
  }
  api::Change made;
  made.type = "Resource";
  made.resource_change = std::move(shown);
  return made;
}

aws::Outcome<api::DescribeChangeSetOutput> DescribeChangeSet(
    const World& world, const api::DescribeChangeSetInput& in) {
  if (in.include_property_values.value_or(false)) return NotSupported("IncludePropertyValues");
  OUTCOME_ASSIGN(const StoredChangeSet found,
                 FindChangeSet(world, in.change_set_name.value_or(""), in.stack_name));
  const ChangeSet& set = found.set;
  OUTCOME_ASSIGN(StoredStack stored, FindStack(world, set.stack_arn));
  OUTCOME_ASSIGN(const Proposal proposal, ProposalOf(world, set, stored.stack));
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
  // What it changed is history; what cannot be carried out has no changes.
  if (set.executed || set.status == "FAILED") return out;
  OUTCOME_ASSIGN(const ChangePlan plan, PlanFor(world, stored.stack, proposal, set.tags));
  std::vector<api::Change> changes;
  for (const Change& change : plan.changes) {
    changes.push_back(ShowChange(change, stored.stack, proposal.made));
  }
  OUTCOME_ASSIGN(auto page, PageOf(std::move(changes), in.next_token, out.next_token));
  out.changes = aws::List<api::Change>(std::move(page));
  return out;
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

void RegisterChangeSetViews(aws::Service& service, const World& world) {
  service.Register<api::DescribeChangeSet>(
      [world](const RequestContext&, const api::DescribeChangeSetInput& in) {
        return DescribeChangeSet(world, in);
      });
  service.Register<api::ListChangeSets>(
      [world](const RequestContext&, const api::ListChangeSetsInput& in) {
        return ListOfChangeSets(world, in);
      });
}

}  // namespace howdah::cfn
