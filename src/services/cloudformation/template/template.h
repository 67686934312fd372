// A template that has been read and found right as far as can be known without parameter values:
// sections, functions, references, resource types, properties, and no circle among dependencies.
// Whatever Howdah does not serve is an error with file, line and column. Pure; owned by value.
#pragma once

#include <map>
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
  // "AWS::EC2::VPC::Id" for that type and lists of it: what each value must name. Else empty.
  std::string_view Named() const;
};

// What happens to the thing when its resource goes from the stack.
enum class DeletionPolicy { kDelete, kRetain, kRetainExceptOnCreate, kSnapshot };

struct Resource {
  std::string logical_id;
  Mark mark;
  std::string type;
  Node properties;        // a map; empty where there are none
  Node metadata;          // only kept to be compared
  std::string condition;  // empty: always there
  DeletionPolicy deletion_policy = DeletionPolicy::kDelete;
  DeletionPolicy replace_policy = DeletionPolicy::kDelete;
  std::set<std::string> explicit_depends_on;  // DependsOn
  // Every resource that must be there before this one: DependsOn, Ref, Fn::GetAtt, Fn::Sub.
  std::set<std::string> depends_on;
};

struct Output {
  std::string name;
  std::string description;
  Node value;
  std::string condition;            // empty: always there
  std::optional<Node> export_name;  // a value that depends on no resource
};

struct Condition {
  std::string name;
  Mark mark;
  Node body;
};

// The lists and strings of Mappings: map name, top-level key, second-level key.
using Mappings = std::map<std::string, std::map<std::string, std::map<std::string, Node>>>;

struct Template {
  std::string version;
  std::string description;
  Node metadata;
  std::vector<Parameter> parameters;
  Mappings mappings;
  std::vector<Condition> conditions;
  std::vector<Resource> resources;
  std::vector<Output> outputs;

  const Parameter* FindParameter(std::string_view name) const;
  const Resource* FindResource(std::string_view logical_id) const;
  const Condition* FindCondition(std::string_view name) const;
};

// `file` names the text in errors: a path, or "template" for one that came by the API.
Result<Template> ParseTemplate(std::string_view text, std::string_view file = "template");

// The pieces, each in a file of its own.
Result<std::vector<Parameter>> ReadParameters(const Node& section, const Source& source);
Result<std::vector<Resource>> ReadResources(const Node& section, const Source& source);
Result<Mappings> ReadMappings(const Node& section, const Source& source);
Result<std::vector<Condition>> ReadConditions(const Node& section, const Source& source);
Result<std::vector<Output>> ReadOutputs(const Node& section, const Source& source);
// Every reference of conditions, resources and outputs must lead somewhere; fills in depends_on.
Result<> LinkConditions(const Template& made, const Source& source);
Result<> LinkResources(Template& made, const Source& source);
// kInvalid naming the resources of a circle.
Result<> CheckAcyclic(const Template& made, const Source& source);
bool IsPseudoParameter(std::string_view name);
// A logical id or a name of a parameter, mapping, condition or output: letters and digits, ≤ 255.
bool IsLogicalName(std::string_view text);
// "Number of resources, 501, is greater than maximum allowed, 500", as AWS says it.
Result<> CheckCount(const Node& section, std::string_view what, std::size_t most,
                    const Source& source);

}  // namespace howdah::cfn
