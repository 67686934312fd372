// The comparison. References to resources stay names, so that properties can be compared before the
// resources exist; secrets stay references.
#include "services/cloudformation/template/changes.h"

#include <algorithm>
#include <map>

#include "services/cloudformation/template/resource_types.h"

namespace howdah::cfn {

namespace {

// Resources by name, zones by number: what they are does not matter for a comparison.
Scope SymbolicScope(const Version& version, const std::string& region) {
  return {.made = version.made,
          .parameters = version.parameters,
          .region = region,
          .account_id = "${AWS::AccountId}",
          .stack_name = "${AWS::StackName}",
          .stack_id = "${AWS::StackId}",
          .ref = [](const std::string& id) -> Result<std::string> { return "${" + id + "}"; },
          .attribute = [](const std::string& id, const std::string& name) -> Result<json::value> {
            return json::value(json::string("${" + id + "." + name + "}"));
          },
          .zones = [](const std::string& of) -> Result<std::vector<std::string>> {
            return std::vector<std::string>{of + "a", of + "b", of + "c", of + "d"};
          }};
}

// Boost's objects compare without regard to order.
std::vector<PropertyChange> CompareProperties(const ResourceType& type, const json::object& before,
                                              const json::object& after) {
  std::vector<PropertyChange> changes;
  for (const Property& property : type.properties) {
    const json::value* was = before.if_contains(property.name);
    const json::value* is = after.if_contains(property.name);
    const bool same = was == nullptr || is == nullptr ? was == is : *was == *is;
    if (same) continue;
    changes.push_back({std::string(property.name), property.on_change == OnChange::kReplace});
  }
  return changes;
}

Result<Change> CompareResource(const Resource& before, const Scope& was, const Resource& after,
                               const Scope& is) {
  Change change{.action = Action::kModify, .logical_id = after.logical_id, .type = after.type};
  change.policy_changed =
      before.deletion_policy != after.deletion_policy || before.depends_on != after.depends_on;
  change.type_changed = before.type != after.type;
  if (change.type_changed) return change;
  TRY_ASSIGN(const json::object old_properties, EvaluateProperties(before, was));
  TRY_ASSIGN(const json::object new_properties, EvaluateProperties(after, is));
  const ResourceType& type = *FindResourceType(after.type);
  change.properties = CompareProperties(type, old_properties, new_properties);
  return change;
}

// The stack's tags are tags of its resources.
void AddTagChange(Change& change) {
  if (change.type_changed || FindResourceType(change.type)->Find("Tags") == nullptr) return;
  if (std::ranges::find(change.properties, "Tags", &PropertyChange::name) ==
      change.properties.end()) {
    change.properties.push_back({"Tags", false});
  }
}

Result<std::map<std::string, std::string>> Outputs(const Version& version, const Scope& scope) {
  std::map<std::string, std::string> outputs;
  for (const Output& output : version.made.outputs) {
    TRY_ASSIGN(const std::string value, EvaluateText(output.value, scope));
    outputs[output.name] = output.description + '\n' + value;
  }
  return outputs;
}

}  // namespace

bool Change::Replaces() const {
  return type_changed || std::ranges::any_of(properties, &PropertyChange::replaces);
}

Result<ChangePlan> PlanChanges(const Version* before, const Version& after,
                               const std::string& region) {
  ChangePlan plan;
  const Scope is = SymbolicScope(after, region);
  for (const Resource& resource : after.made.resources) {
    const Resource* old =
        before == nullptr ? nullptr : before->made.FindResource(resource.logical_id);
    if (old == nullptr) {
      TRY(EvaluateProperties(resource, is));  // what cannot be evaluated is refused now
      plan.changes.push_back(
          {.action = Action::kAdd, .logical_id = resource.logical_id, .type = resource.type});
      continue;
    }
    TRY_ASSIGN(Change change, CompareResource(*old, SymbolicScope(*before, region), resource, is));
    if (before->stack_tags != after.stack_tags) AddTagChange(change);
    const bool same = change.properties.empty() && !change.policy_changed && !change.type_changed;
    if (!same) plan.changes.push_back(std::move(change));
  }
  TRY_ASSIGN(const auto outputs, Outputs(after, is));
  if (before != nullptr) {
    for (const Resource& resource : before->made.resources) {
      if (after.made.FindResource(resource.logical_id) != nullptr) continue;
      plan.changes.push_back(
          {.action = Action::kRemove, .logical_id = resource.logical_id, .type = resource.type});
    }
    TRY_ASSIGN(const auto old_outputs, Outputs(*before, SymbolicScope(*before, region)));
    plan.outputs_changed = outputs != old_outputs;
  }
  std::ranges::sort(plan.changes, {}, &Change::logical_id);
  return plan;
}

}  // namespace howdah::cfn
