// What would have to change to bring a stack from one template (and parameter values) to another.
// Pure: this is what a change set shows and what an update sets out to do. Whether a value that
// comes from another resource really changes is only known when that resource has been changed.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "services/cloudformation/template/conditions.h"
#include "services/cloudformation/template/evaluate.h"
#include "services/cloudformation/template/resource_types.h"

namespace howdah::cfn {

enum class Action { kAdd, kModify, kRemove };

// A top-level property that differs, or that may differ because of another resource.
struct PropertyChange {
  std::string name;
  OnChange on_change = OnChange::kInPlace;
  // Why: "" for the template's own text, else a parameter "P", a resource "Vpc" or an attribute
  // "Db.Endpoint.Port".
  std::string cause;
  bool dynamic = false;  // it is not known yet whether the value changes
};

enum class Replacement { kFalse, kConditional, kTrue };

struct Change {
  Action action = Action::kAdd;
  std::string logical_id;
  std::string type;
  std::vector<PropertyChange> properties;  // of kModify
  // Other attributes of the resource that differ: "Metadata", "DeletionPolicy", …
  std::vector<std::string> attributes;
  bool type_changed = false;  // which CloudFormation refuses

  Replacement Replaces() const;
  bool Empty() const { return properties.empty() && attributes.empty() && !type_changed; }
};

struct ChangePlan {
  std::vector<Change> changes;  // in order of the logical ids
  bool outputs_changed = false;

  bool Empty() const { return changes.empty() && !outputs_changed; }
};

// A side of the comparison, its conditions decided (conditions.h); for a stack that does not exist
// yet `before` is null.
struct Version {
  const Template& made;
  const ParameterValues& parameters;
  std::string stack_tags;  // as one text, only to be compared; they go on to every tagged resource
};
using Import = std::function<Result<std::string>(const std::string& name)>;
Result<ChangePlan> PlanChanges(const Version* before, const Version& after,
                               const Surroundings& around, const Import& import);
// The names of the exports that it imports.
Result<std::set<std::string>> ImportsOf(const Version& version, const Surroundings& around);

// The top-level properties whose values differ.
std::vector<PropertyChange> CompareProperties(const ResourceType& type, const json::object& before,
                                              const json::object& after);

}  // namespace howdah::cfn
