// The intrinsic functions: which exist, whether a use of one is well formed, and what it refers to.
// Pure. Functions that Howdah does not serve are an error here, never passed over.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "services/cloudformation/template/node.h"

namespace howdah::cfn {

enum class Function {
  kRef,
  kGetAtt,
  kSub,
  kJoin,
  kSelect,
  kGetAZs,
  kSplit,
  kFindInMap,
  kIf,
  kBase64,
  kCidr,
  kImportValue,
  // Only within Conditions.
  kCondition,
  kEquals,
  kAnd,
  kOr,
  kNot,
};

// The function that a map with one key calls, if it is a call: {"Ref": …}, {"Fn::Join": …}.
std::optional<Function> FunctionOf(const Node& node);

// What a value refers to: a parameter, pseudo parameter or resource, or an attribute of a resource.
struct Reference {
  std::string target;
  std::string attribute;  // empty: Ref
  Mark mark;
};

// Everything outside itself that a value needs.
struct Uses {
  std::vector<Reference> references;
  std::vector<Reference> conditions;  // the target is the condition's name
  std::vector<Reference> maps;        // the target is the map's name
  bool imports = false;               // Fn::ImportValue
  bool zones = false;                 // Fn::GetAZs
};

// The section in which a value stands: Equals, And, Or and Not belong to Conditions, which know no
// resources.
enum class Place { kValue, kCondition };

// The parts of an Fn::Sub text: literal texts and names such as "Vpc", "Db.Endpoint.Address".
struct SubPart {
  bool is_name = false;
  std::string text;
};
Result<std::vector<SubPart>> ParseSub(const Node& text, const Source& source);

// "Db.Endpoint.Address" is resource Db, attribute Endpoint.Address.
Reference ParseReference(std::string_view name, Mark mark);
// The resource and attribute of a GetAtt's argument, which CheckValue has found right.
Reference GetAttTarget(const Node& argument);

// Checks every function within `value` and gathers what they use.
Result<> CheckValue(const Node& value, Place place, const Source& source, Uses& uses);
// The body of a condition: it must come to true or false.
Result<> CheckCondition(const Node& value, const Source& source, Uses& uses);

}  // namespace howdah::cfn
