// The Conditions section, and what is left of a template once its conditions are decided.
#include "services/cloudformation/template/conditions.h"

#include <fmt/format.h>

#include <algorithm>

#include "services/cloudformation/template/evaluate.h"
#include "services/cloudformation/template/functions.h"
#include "services/cloudformation/template/properties.h"
#include "services/cloudformation/template/resource_types.h"

namespace howdah::cfn {

namespace {

// AWS names no limit; ours bounds how deep conditions can rest on each other.
constexpr std::size_t kMaxConditions = 2000;

// In a condition there is no resource, so nothing of the world is asked.
Scope ConditionScope(const Template& made, const ParameterValues& parameters,
                     const Surroundings& around) {
  const auto none = [](const std::string& id) {
    return Fail(Code::kInvalid, fmt::format("a condition cannot refer to {}", id));
  };
  return {.made = made,
          .parameters = parameters,
          .region = around.region,
          .account_id = around.account_id,
          .stack_name = around.stack_name,
          .stack_id = around.stack_id,
          .ref = [none](const std::string& id) -> Result<std::string> { return none(id); },
          .attribute = [none](const std::string& id, const std::string&) -> Result<json::value> {
            return none(id);
          },
          .zones = [none](const std::string& id) -> Result<std::vector<std::string>> {
            return none(id);
          },
          .import = [none](const std::string& id) -> Result<std::string> { return none(id); }};
}

// Conditions have no circle (that was checked), so this ends.
class Decider {
 public:
  Decider(const Template& made, Scope scope) : made_(made), scope_(std::move(scope)) {}

  Result<bool> Named(const std::string& name) {
    if (const auto known = decided_.find(name); known != decided_.end()) return known->second;
    TRY_ASSIGN(const bool holds, Body(made_.FindCondition(name)->body));
    return decided_[name] = holds;
  }
  std::map<std::string, bool> Take() { return std::move(decided_); }

 private:
  Result<bool> Equals(const Node& argument) {
    TRY_ASSIGN(const auto left, Evaluate(argument.items[0], scope_));
    TRY_ASSIGN(const auto right, Evaluate(argument.items[1], scope_));
    return left == right;
  }

  Result<bool> Body(const Node& node) {
    const Function function = *FunctionOf(node);
    const Node& argument = node.entries[0].value;
    if (function == Function::kCondition) return Named(argument.text);
    if (function == Function::kEquals) return Equals(argument);
    if (function == Function::kNot) {
      TRY_ASSIGN(const bool holds, Body(argument.items[0]));
      return !holds;
    }
    // All are looked at, so that a mistake does not depend on what the others come to.
    bool all = true;
    bool any = false;
    for (const Node& item : argument.items) {
      TRY_ASSIGN(const bool holds, Body(item));
      all = all && holds;
      any = any || holds;
    }
    return function == Function::kAnd ? all : any;
  }

  const Template& made_;
  Scope scope_;
  std::map<std::string, bool> decided_;
};

using Decisions = std::map<std::string, bool>;

Node Chosen(const Node& node, const Decisions& decisions) {
  if (FunctionOf(node) == Function::kIf) {
    const std::vector<Node>& items = node.entries[0].value.items;
    return Chosen(items[decisions.at(items[0].text) ? 1 : 2], decisions);
  }
  Node made;
  made.kind = node.kind;
  made.mark = node.mark;
  made.text = node.text;
  made.plain = node.plain;
  for (const Node& item : node.items) made.items.push_back(Chosen(item, decisions));
  for (const Entry& entry : node.entries) {
    made.entries.push_back({entry.key, entry.mark, Chosen(entry.value, decisions)});
  }
  return made;
}

// The name of a condition that a body mentions and that leads back to `from`, depth first.
struct ConditionCircle {
  const Template& made;
  std::map<std::string, int, std::less<>> state;  // 1: on the path, 2: clear
  std::vector<std::string> path;

  bool Finds(const std::string& name) {
    state[name] = 1;
    path.push_back(name);
    Uses uses;
    (void)CheckCondition(made.FindCondition(name)->body, Source("template"), uses);
    for (const Reference& next : uses.conditions) {
      const int seen = state[next.target];
      if (seen == 1) {
        path.erase(path.begin(), std::ranges::find(path, next.target));
        return true;
      }
      if (seen == 0 && Finds(next.target)) return true;
    }
    state[name] = 2;
    path.pop_back();
    return false;
  }
};

}  // namespace

Result<std::vector<Condition>> ReadConditions(const Node& section, const Source& source) {
  if (!section.IsMap()) return source.Refuse(section.mark, "Conditions must be a map");
  TRY(CheckCount(section, "conditions", kMaxConditions, source));
  std::vector<Condition> conditions;
  for (const Entry& entry : section.entries) {
    if (!IsLogicalName(entry.key)) {
      return source.Refuse(entry.mark,
                           fmt::format("Condition name {} is non alphanumeric.", entry.key));
    }
    Uses uses;
    TRY(CheckCondition(entry.value, source, uses));
    conditions.push_back({entry.key, entry.mark, entry.value});
  }
  return conditions;
}

Result<> LinkConditions(const Template& made, const Source& source) {
  for (const Condition& condition : made.conditions) {
    Uses uses;
    TRY(CheckCondition(condition.body, source, uses));
    for (const Reference& reference : uses.references) {
      const bool known =
          reference.attribute.empty() &&
          (made.FindParameter(reference.target) != nullptr || IsPseudoParameter(reference.target));
      if (known) continue;
      return source.Refuse(reference.mark,
                           fmt::format("Unresolved dependencies [{}]. Cannot reference resources "
                                       "in the Conditions block of the template",
                                       reference.target));
    }
    for (const Reference& other : uses.conditions) {
      if (made.FindCondition(other.target) != nullptr) continue;
      return source.Refuse(other.mark,
                           fmt::format("Unresolved condition dependency {} in the Conditions block "
                                       "of the template",
                                       other.target));
    }
  }
  ConditionCircle search{made, {}, {}};
  for (const Condition& condition : made.conditions) {
    if (search.state[condition.name] != 0 || !search.Finds(condition.name)) continue;
    return source.Refuse(
        made.FindCondition(search.path.front())->mark,
        fmt::format("Circular dependency between conditions: [{}]", fmt::join(search.path, ", ")));
  }
  return {};
}

Result<std::map<std::string, bool>> DecideConditions(const Template& made,
                                                     const ParameterValues& parameters,
                                                     const Surroundings& around) {
  Decider decider(made, ConditionScope(made, parameters, around));
  for (const Condition& condition : made.conditions) TRY(decider.Named(condition.name));
  return decider.Take();
}

Result<Template> MakeDefinite(Template made, const ParameterValues& parameters,
                              const Surroundings& around) {
  TRY_ASSIGN(const Decisions decisions, DecideConditions(made, parameters, around));
  const auto absent = [&](const auto& one) {
    return !one.condition.empty() && !decisions.at(one.condition);
  };
  std::erase_if(made.resources, absent);
  std::erase_if(made.outputs, absent);
  if (made.resources.empty()) {
    return Fail(Code::kInvalid, "At least one Resources member must be defined.");
  }
  const Source source("template");
  for (Resource& resource : made.resources) {
    resource.properties = Chosen(resource.properties, decisions);
    TRY(CheckProperties(*FindResourceType(resource.type), resource.properties, resource.mark,
                        source));
    resource.condition.clear();
    // A wish to wait for what is not there is fulfilled.
    std::erase_if(resource.explicit_depends_on,
                  [&](const std::string& id) { return made.FindResource(id) == nullptr; });
  }
  for (Output& output : made.outputs) {
    output.value = Chosen(output.value, decisions);
    if (output.export_name) output.export_name = Chosen(*output.export_name, decisions);
    output.condition.clear();
  }
  made.conditions.clear();
  TRY(LinkResources(made, source));
  TRY(CheckAcyclic(made, source));
  return made;
}

}  // namespace howdah::cfn
