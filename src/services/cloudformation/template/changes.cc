// The comparison. References to resources stay names, so that properties can be compared before the
// resources exist; secrets stay references.
#include "services/cloudformation/template/changes.h"

#include <algorithm>
#include <map>

#include "services/cloudformation/template/functions.h"
#include "services/cloudformation/template/properties.h"

namespace howdah::cfn {

namespace {

// Resources by name, zones by number: what they are does not matter for a comparison.
Scope SymbolicScope(const Version& version, const Surroundings& around, const Import& import) {
  return {.made = version.made,
          .parameters = version.parameters,
          .region = around.region,
          .account_id = around.account_id,
          .stack_name = around.stack_name,
          .stack_id = around.stack_id,
          .ref = [](const std::string& id) -> Result<std::string> { return "${" + id + "}"; },
          .attribute = [](const std::string& id, const std::string& name) -> Result<json::value> {
            return json::value(json::string("${" + id + "." + name + "}"));
          },
          .zones = [](const std::string& of) -> Result<std::vector<std::string>> {
            return std::vector<std::string>{of + "a", of + "b", of + "c", of + "d"};
          },
          .import = import,
          .symbolic = true};
}

bool SameNode(const Node& one, const Node& other) {
  if (one.kind != other.kind || one.text != other.text || one.items.size() != other.items.size() ||
      one.entries.size() != other.entries.size()) {
    return false;
  }
  for (std::size_t at = 0; at < one.items.size(); ++at) {
    if (!SameNode(one.items[at], other.items[at])) return false;
  }
  return std::ranges::all_of(one.entries, [&](const Entry& entry) {
    const Node* same = other.Find(entry.key);
    return same != nullptr && SameNode(entry.value, *same);
  });
}

void CompareAttributes(const Resource& before, const Resource& after, Change& change) {
  if (!SameNode(before.metadata, after.metadata)) change.attributes.emplace_back("Metadata");
  if (before.deletion_policy != after.deletion_policy) {
    change.attributes.emplace_back("DeletionPolicy");
  }
  if (before.replace_policy != after.replace_policy) {
    change.attributes.emplace_back("UpdateReplacePolicy");
  }
}

// The parameter that the property is nothing but, for a change set to name.
std::string ParameterOf(const Template& made, const Resource& resource, std::string_view property) {
  const Node* node = resource.properties.Find(property);
  if (node == nullptr || FunctionOf(*node) != Function::kRef) return "";
  const std::string& name = node->entries[0].value.text;
  return made.FindParameter(name) == nullptr ? "" : name;
}

Result<Change> CompareResource(const Resource& before, const Scope& was, const Resource& after,
                               const Scope& is) {
  Change change{.action = Action::kModify, .logical_id = after.logical_id, .type = after.type};
  CompareAttributes(before, after, change);
  change.type_changed = before.type != after.type;
  if (change.type_changed) return change;
  const ResourceType& type = *FindResourceType(after.type);
  TRY_ASSIGN(const json::object old_properties, EvaluateProperties(before, was));
  TRY_ASSIGN(const json::object new_properties, EvaluateProperties(after, is));
  change.properties = CompareProperties(type, CanonicalProperties(type, old_properties),
                                        CanonicalProperties(type, new_properties));
  for (PropertyChange& property : change.properties) {
    property.cause = ParameterOf(is.made, after, property.name);
  }
  return change;
}

// The stack's tags are tags of its resources.
void AddTagChange(Change& change) {
  if (change.type_changed || FindResourceType(change.type)->Find("Tags") == nullptr) return;
  if (std::ranges::find(change.properties, "Tags", &PropertyChange::name) ==
      change.properties.end()) {
    change.properties.push_back({.name = "Tags", .cause = {}});
  }
}

using Outputs = std::map<std::string, std::string>;

Result<Outputs> OutputsOf(const Version& version, const Scope& scope) {
  Outputs outputs;
  for (const Output& output : version.made.outputs) {
    TRY_ASSIGN(const std::string value, EvaluateText(output.value, scope));
    std::string name;
    if (output.export_name) {
      TRY_ASSIGN(name, EvaluateText(*output.export_name, scope));
    }
    outputs[output.name] = output.description + '\n' + name + '\n' + value;
  }
  return outputs;
}

// What others make of a change: a thing that is replaced has another id; one that is modified may
// have other attributes. Goes on until nothing new follows.
class Consequences {
 public:
  Consequences(const Template& before, const Template& after,
               std::map<std::string, Change>& changes)
      : before_(before), after_(after), changes_(changes) {}

  void Follow() {
    for (bool more = true; more;) {
      more = false;
      for (const Resource& resource : after_.resources) {
        const Resource* old = before_.FindResource(resource.logical_id);
        if (old == nullptr || old->type != resource.type) continue;
        more = FollowInto(resource) || more;
      }
    }
  }

 private:
  // The reference within the value through which another's change comes in.
  std::string CauseIn(const Node& value, const std::string& self) const {
    Uses uses;
    if (!CheckValue(value, Place::kValue, Source("template"), uses)) return "";
    for (const Reference& reference : uses.references) {
      const auto change = changes_.find(reference.target);
      if (change == changes_.end() || reference.target == self) continue;
      if (change->second.action != Action::kModify) continue;
      const bool replaced = change->second.Replaces() != Replacement::kFalse;
      const bool modified = std::ranges::any_of(
          change->second.properties,
          [](const PropertyChange& property) { return property.name != "Tags"; });
      if (reference.attribute.empty() && replaced) return reference.target;
      if (!reference.attribute.empty() && (replaced || modified)) {
        return reference.target + "." + reference.attribute;
      }
    }
    return "";
  }

  bool FollowInto(const Resource& resource) {
    bool more = false;
    for (const Entry& entry : resource.properties.entries) {
      const auto known = changes_.find(resource.logical_id);
      if (known != changes_.end() &&
          std::ranges::find(known->second.properties, entry.key, &PropertyChange::name) !=
              known->second.properties.end()) {
        continue;
      }
      const std::string cause = CauseIn(entry.value, resource.logical_id);
      if (cause.empty()) continue;
      Change& change = changes_[resource.logical_id];
      change.action = Action::kModify;
      change.logical_id = resource.logical_id;
      change.type = resource.type;
      const Property* property = FindResourceType(resource.type)->Find(entry.key);
      change.properties.push_back({entry.key, property->on_change, cause, true});
      more = true;
    }
    return more;
  }

  const Template& before_;
  const Template& after_;
  std::map<std::string, Change>& changes_;
};

using Changes = std::map<std::string, Change>;

Result<> CompareResources(const Version& before, const Scope& was, const Version& after,
                          const Scope& is, Changes& changes) {
  for (const Resource& resource : after.made.resources) {
    const Resource* old = before.made.FindResource(resource.logical_id);
    if (old == nullptr) continue;
    TRY_ASSIGN(Change change, CompareResource(*old, was, resource, is));
    if (before.stack_tags != after.stack_tags) AddTagChange(change);
    if (!change.Empty()) changes[resource.logical_id] = std::move(change);
  }
  for (const Resource& resource : before.made.resources) {
    if (after.made.FindResource(resource.logical_id) != nullptr) continue;
    changes[resource.logical_id] = {
        .action = Action::kRemove, .logical_id = resource.logical_id, .type = resource.type};
  }
  Consequences(before.made, after.made, changes).Follow();
  return {};
}

}  // namespace

Replacement Change::Replaces() const {
  if (type_changed) return Replacement::kTrue;
  Replacement answer = Replacement::kFalse;
  for (const PropertyChange& property : properties) {
    if (property.on_change == OnChange::kInPlace) continue;
    if (property.on_change == OnChange::kReplace && !property.dynamic) return Replacement::kTrue;
    answer = Replacement::kConditional;
  }
  return answer;
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
    changes.push_back({std::string(property.name), property.on_change, "", false});
  }
  return changes;
}

Result<ChangePlan> PlanChanges(const Version* before, const Version& after,
                               const Surroundings& around, const Import& import) {
  const Scope is = SymbolicScope(after, around, import);
  Changes changes;
  for (const Resource& resource : after.made.resources) {
    TRY(EvaluateProperties(resource, is));  // what cannot be evaluated is refused now
    const bool known =
        before != nullptr && before->made.FindResource(resource.logical_id) != nullptr;
    if (known) continue;
    changes[resource.logical_id] = {
        .action = Action::kAdd, .logical_id = resource.logical_id, .type = resource.type};
  }
  ChangePlan plan;
  TRY_ASSIGN(const Outputs outputs, OutputsOf(after, is));
  if (before != nullptr) {
    const Scope was = SymbolicScope(*before, around, import);
    TRY(CompareResources(*before, was, after, is, changes));
    TRY_ASSIGN(const Outputs old_outputs, OutputsOf(*before, was));
    plan.outputs_changed = outputs != old_outputs;
  }
  for (auto& [id, change] : changes) plan.changes.push_back(std::move(change));
  return plan;
}

Result<std::set<std::string>> ImportsOf(const Version& version, const Surroundings& around) {
  std::set<std::string> names;
  const Scope scope =
      SymbolicScope(version, around, [&](const std::string& name) -> Result<std::string> {
        names.insert(name);
        return "${import " + name + "}";
      });
  for (const Resource& resource : version.made.resources) TRY(EvaluateProperties(resource, scope));
  TRY(OutputsOf(version, scope));
  return names;
}

}  // namespace howdah::cfn
