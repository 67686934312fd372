// What would have to change to bring a stack from one template (and parameter values) to another.
// Pure: this is what a change set shows and what an update carries out.
#pragma once

#include <string>
#include <vector>

#include "services/cloudformation/template/evaluate.h"

namespace howdah::cfn {

enum class Action { kAdd, kModify, kRemove };

struct PropertyChange {
  std::string name;
  bool replaces = false;
};

struct Change {
  Action action = Action::kAdd;
  std::string logical_id;
  std::string type;
  std::vector<PropertyChange> properties;  // of kModify: the top-level properties that differ
  bool policy_changed = false;             // DeletionPolicy or DependsOn
  bool type_changed = false;               // as good as another resource: a replacement

  bool Replaces() const;
};

struct ChangePlan {
  std::vector<Change> changes;  // in order of the logical ids
  bool outputs_changed = false;

  bool Empty() const { return changes.empty() && !outputs_changed; }
};

// A side of the comparison; for a stack that does not exist yet `before` is null.
struct Version {
  const Template& made;
  const ParameterValues& parameters;
  std::string stack_tags;  // as one text, only to be compared; they go on to every tagged resource
};
Result<ChangePlan> PlanChanges(const Version* before, const Version& after,
                               const std::string& region);

}  // namespace howdah::cfn
