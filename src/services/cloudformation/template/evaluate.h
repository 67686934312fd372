// What a value of a template comes to, given parameters and the resources that exist. Scalars
// become JSON strings (the property tables give them their types), a property whose value is
// AWS::NoValue is left out. Dynamic references stay as they are: see dynamic_reference.h. Pure: the
// world is asked through Scope's functions.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
#include "services/cloudformation/template/parameters.h"
#include "services/cloudformation/template/template.h"

namespace howdah::cfn {

struct Scope {
  const Template& made;
  ParameterValues parameters;  // of every declared parameter
  std::string region;
  std::string account_id;
  std::string stack_name;
  std::string stack_id;
  // What Ref and Fn::GetAtt of a resource give. An attribute may be a string or a list.
  std::function<Result<std::string>(const std::string& logical_id)> ref;
  std::function<Result<json::value>(const std::string& logical_id, const std::string& attribute)>
      attribute;
  // The availability zones of a region, sorted.
  std::function<Result<std::vector<std::string>>(const std::string& region)> zones;
  // The value of an export of another stack.
  std::function<Result<std::string>(const std::string& name)> import;
  // For a comparison: resources stand for themselves ("${Vpc}"), and a function that cannot work on
  // that gives a text that names it and what it was given.
  bool symbolic = false;
};

// nullopt: AWS::NoValue.
Result<std::optional<json::value>> Evaluate(const Node& value, const Scope& scope);
// The properties of a resource, every scalar still a string.
Result<json::object> EvaluateProperties(const Resource& resource, const Scope& scope);
// The value of an output, or the name of an export.
Result<std::string> EvaluateText(const Node& value, const Scope& scope);

}  // namespace howdah::cfn
