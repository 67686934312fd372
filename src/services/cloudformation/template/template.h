// A template that has been read and found right as far as can be known without parameter values:
// sections, functions, references, resource types, properties, and no circle among dependencies.
// Whatever Howdah does not serve is an error with file, line and column. Pure; owned by value.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <vector>

#include "services/cloudformation/template/node.h"

namespace howdah::cfn {

struct Parameter {
  std::string name;
  std::string type;  // "String", "Number", "List<Number>", "AWS::EC2::VPC::Id", …
  std::optional<std::string> default_value;
  std::vector<std::string> allowed_values;
  std::string allowed_pattern;
  std::optional<std::int64_t> min_length, max_length;
  std::optional<double> min_value, max_value;
  bool no_echo = false;
  std::string description;
  std::string constraint_description;

  bool IsList() const;    // its value is a comma-delimited list
  bool IsNumber() const;  // each of its values is a number
};

// What happens to the thing when its resource goes from the stack.
enum class DeletionPolicy { kDelete, kRetain, kRetainExceptOnCreate };

struct Resource {
  std::string logical_id;
  Mark mark;
  std::string type;
  Node properties;  // a map; empty where there are none
  DeletionPolicy deletion_policy = DeletionPolicy::kDelete;
  // Every resource that must be there before this one: DependsOn, Ref, Fn::GetAtt, Fn::Sub.
  std::set<std::string> depends_on;
};

struct Output {
  std::string name;
  std::string description;
  Node value;
};

struct Template {
  std::string version;
  std::string description;
  std::vector<Parameter> parameters;
  std::vector<Resource> resources;
  std::vector<Output> outputs;

  const Parameter* FindParameter(std::string_view name) const;
  const Resource* FindResource(std::string_view logical_id) const;
};

// `file` names the text in errors: a path, or "template" for one that came by the API.
Result<Template> ParseTemplate(std::string_view text, std::string_view file = "template");

// The pieces, each in a file of its own.
Result<std::vector<Parameter>> ReadParameters(const Node& section, const Source& source);
Result<std::vector<Resource>> ReadResources(const Node& section, const Source& source);
// Every reference of resources and outputs must lead somewhere; fills in depends_on.
Result<> LinkResources(Template& made, const Source& source);
// kInvalid naming the resources of a circle.
Result<> CheckAcyclic(const Template& made, const Source& source);
bool IsPseudoParameter(std::string_view name);

}  // namespace howdah::cfn
