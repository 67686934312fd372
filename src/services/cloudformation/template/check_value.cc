// Shapes of the intrinsic functions. The messages are AWS's where AWS has one.
#include <fmt/format.h>

#include "services/cloudformation/template/function_shapes.h"
#include "services/cloudformation/template/functions.h"

namespace howdah::cfn {

namespace {

bool LooksLikeFunction(std::string_view key) {
  return key == "Ref" || key == "Condition" || key.starts_with("Fn::");
}

// Looks through one value, in order of its text.
class Checker {
 public:
  Checker(Place place, const Source& source, Uses& uses)
      : place_(place), source_(source), uses_(uses) {}

  Result<> Value(const Node& value);
  Result<> Condition(const Node& value);

 private:
  Result<> Call(Function function, const Node& argument);
  Result<> GetAtt(const Node& argument);
  Result<> Sub(const Node& argument);
  Result<> Join(const Node& argument);
  Result<> Split(const Node& argument);
  Result<> Select(const Node& argument);
  Result<> FindInMap(const Node& argument);
  Result<> If(const Node& argument);
  Result<> Cidr(const Node& argument);
  Result<> ImportValue(const Node& argument);
  Result<> Boolean(Function function, const Node& argument);
  Result<> OtherKey(const Entry& entry, bool alone);

  Result<> Wrong(const Node& node, std::string_view shape) const {
    return source_.Refuse(node.mark, shape);
  }
  static bool IsCall(const Node& node) { return FunctionOf(node).has_value(); }

  Place place_;
  const Source& source_;
  Uses& uses_;
};

Result<> Checker::GetAtt(const Node& argument) {
  const bool pair = argument.IsList() && argument.items.size() == 2 &&
                    argument.items[0].IsScalar() && argument.items[1].IsScalar();
  if (!argument.IsScalar() && !pair) return Wrong(argument, kGetAttShape);
  Reference reference = GetAttTarget(argument);
  if (reference.target.empty() || reference.attribute.empty()) return Wrong(argument, kGetAttShape);
  uses_.references.push_back(std::move(reference));
  return {};
}

Result<> Checker::Sub(const Node& argument) {
  const Node* text = &argument;
  const Node* values = nullptr;
  if (argument.IsList()) {
    if (argument.items.size() != 2 || !argument.items[1].IsMap() || IsCall(argument.items[1])) {
      return Wrong(argument, kSubShape);
    }
    text = argument.items.data();
    values = &argument.items[1];
    for (const Entry& entry : values->entries) TRY(Value(entry.value));
  }
  if (!text->IsScalar()) return Wrong(argument, kSubShape);
  TRY_ASSIGN(const std::vector<SubPart> parts, ParseSub(*text, source_));
  for (const SubPart& part : parts) {
    if (!part.is_name || (values != nullptr && values->Find(part.text) != nullptr)) continue;
    uses_.references.push_back(ParseReference(part.text, text->mark));
  }
  return {};
}

Result<> Checker::Join(const Node& argument) {
  if (!argument.IsList() || argument.items.size() != 2 ||
      (!argument.items[1].IsList() && !IsCall(argument.items[1]))) {
    return Wrong(argument, kJoinShape);
  }
  // An empty delimiter is written '' and is a scalar; a bare null is not a string.
  if (!argument.items[0].IsScalar()) return Wrong(argument.items[0], kJoinShape);
  return Value(argument.items[1]);
}

Result<> Checker::Split(const Node& argument) {
  if (!argument.IsList() || argument.items.size() != 2 || !argument.items[0].IsScalar() ||
      argument.items[0].text.empty() ||
      (!argument.items[1].IsScalar() && !IsCall(argument.items[1]))) {
    return Wrong(argument, kSplitShape);
  }
  return Value(argument.items[1]);
}

Result<> Checker::Select(const Node& argument) {
  if (!argument.IsList() || argument.items.size() != 2 ||
      (!argument.items[1].IsList() && !IsCall(argument.items[1]))) {
    return Wrong(argument, kSelectShape);
  }
  const Node& index = argument.items[0];
  const bool number = index.IsScalar() && !index.text.empty() && index.text.size() < 6 &&
                      index.text.find_first_not_of("0123456789") == std::string::npos;
  if (!number && !IsCall(index)) return Wrong(index, kSelectShape);
  TRY(Value(index));
  return Value(argument.items[1]);
}

Result<> Checker::FindInMap(const Node& argument) {
  if (!argument.IsList() || argument.items.size() != 3) return Wrong(argument, kFindInMapShape);
  for (const Node& item : argument.items) {
    const auto function = FunctionOf(item);
    const bool right =
        item.IsScalar() || function == Function::kRef || function == Function::kFindInMap;
    if (!right) return Wrong(item, kFindInMapShape);
    const std::size_t before = uses_.references.size();
    TRY(Value(item));
    for (std::size_t at = before; at < uses_.references.size(); ++at) {
      uses_.references[at].attribute.clear();  // only Ref is possible here
    }
  }
  const Node& map = argument.items[0];
  if (map.IsScalar()) uses_.maps.push_back({map.text, "", map.mark});
  return {};
}

Result<> Checker::If(const Node& argument) {
  if (!argument.IsList() || argument.items.size() != 3 || !argument.items[0].IsScalar()) {
    return Wrong(argument, kIfShape);
  }
  if (place_ == Place::kCondition) {
    return source_.Refuse(argument.mark, "Fn::If cannot be used in the Conditions section");
  }
  uses_.conditions.push_back({argument.items[0].text, "", argument.items[0].mark});
  TRY(Value(argument.items[1]));
  return Value(argument.items[2]);
}

Result<> Checker::Cidr(const Node& argument) {
  if (!argument.IsList() || argument.items.size() < 2 || argument.items.size() > 3) {
    return Wrong(argument, kCidrShape);
  }
  for (const Node& item : argument.items) {
    if (!item.IsScalar() && !IsCall(item)) return Wrong(item, kCidrShape);
    TRY(Value(item));
  }
  return {};
}

Result<> Checker::ImportValue(const Node& argument) {
  if (!argument.IsScalar() && !IsCall(argument)) return Wrong(argument, kImportShape);
  Uses own;
  TRY(Checker(place_, source_, own).Value(argument));
  bool depends = own.imports || own.zones || place_ == Place::kCondition;
  for (const Reference& one : own.references) depends = depends || !one.attribute.empty();
  if (depends) return Wrong(argument, kImportShape);
  for (Reference& reference : own.references) uses_.references.push_back(std::move(reference));
  for (Reference& one : own.conditions) uses_.conditions.push_back(std::move(one));
  for (Reference& one : own.maps) uses_.maps.push_back(std::move(one));
  uses_.imports = true;
  return {};
}

Result<> Checker::Boolean(Function function, const Node& argument) {
  if (function == Function::kEquals) {
    if (!argument.IsList() || argument.items.size() != 2) {
      return Wrong(argument, "every Fn::Equals object requires a list of 2 string parameters.");
    }
    TRY(Value(argument.items[0]));
    return Value(argument.items[1]);
  }
  const bool negation = function == Function::kNot;
  const std::size_t least = negation ? 1 : 2;
  const std::size_t most = negation ? 1 : 10;
  if (!argument.IsList() || argument.items.size() < least || argument.items.size() > most) {
    if (negation) {
      return Wrong(argument, "every Fn::Not object requires one boolean parameter.");
    }
    return Wrong(argument, fmt::format("every {} object requires a list of at least 2 and at most "
                                       "10 boolean parameters.",
                                       function == Function::kAnd ? "Fn::And" : "Fn::Or"));
  }
  for (const Node& item : argument.items) TRY(Condition(item));
  return {};
}

Result<> Checker::Call(Function function, const Node& argument) {
  switch (function) {
    case Function::kRef:
      if (!argument.IsScalar() || argument.text.empty()) {
        return source_.Refuse(argument.mark, "all Ref references must be of type string");
      }
      uses_.references.push_back({argument.text, "", argument.mark});
      return {};
    case Function::kGetAtt:
      return GetAtt(argument);
    case Function::kSub:
      return Sub(argument);
    case Function::kJoin:
      return Join(argument);
    case Function::kSplit:
      return Split(argument);
    case Function::kSelect:
      return Select(argument);
    case Function::kFindInMap:
      return FindInMap(argument);
    case Function::kIf:
      return If(argument);
    case Function::kCidr:
      return Cidr(argument);
    case Function::kImportValue:
      return ImportValue(argument);
    case Function::kBase64:
      if (!argument.IsScalar() && !IsCall(argument)) {
        return Wrong(argument, "every Fn::Base64 object must have a String-typed value.");
      }
      return Value(argument);
    case Function::kGetAZs:
      if (!argument.IsScalar() && FunctionOf(argument) != Function::kRef) {
        return source_.Refuse(argument.mark,
                              "Fn::GetAZs takes a region: a string, '' or Ref AWS::Region");
      }
      uses_.zones = true;
      return Value(argument);
    case Function::kCondition:
      if (!argument.IsScalar()) {
        return source_.Refuse(argument.mark, "Condition must be the name of a condition");
      }
      uses_.conditions.push_back({argument.text, "", argument.mark});
      return {};
    default:
      return Boolean(function, argument);
  }
}

bool IsBoolean(Function function) {
  return function >= Function::kCondition;
}

Result<> Checker::Condition(const Node& value) {
  const auto function = FunctionOf(value);
  if (function && IsBoolean(*function)) return Call(*function, value.entries[0].value);
  return source_.Refuse(value.mark,
                        "Conditions can only be boolean operations on "
                        "parameters and other conditions");
}

// A key of an ordinary map, which must not look like a function.
Result<> Checker::OtherKey(const Entry& entry, bool alone) {
  if (!LooksLikeFunction(entry.key)) return Value(entry.value);
  if (!alone) {
    return source_.Refuse(entry.mark,
                          fmt::format("{}: a function must be the only key of its map", entry.key));
  }
  if (entry.key == "Fn::Length" || entry.key == "Fn::ToJsonString" ||
      entry.key.starts_with("Fn::ForEach")) {
    return source_.Refuse(entry.mark,
                          fmt::format("{} needs the transform "
                                      "AWS::LanguageExtensions, and transforms are not supported",
                                      entry.key));
  }
  return source_.Refuse(entry.mark, fmt::format("Encountered unsupported function: {} Supported "
                                                "functions are: {}",
                                                entry.key, kServed));
}

Result<> Checker::Value(const Node& value) {
  switch (value.kind) {
    case Node::Kind::kNull:
      return source_.Refuse(value.mark, "null values are not allowed in templates");
    case Node::Kind::kScalar:
      return {};
    case Node::Kind::kList:
      for (const Node& item : value.items) TRY(Value(item));
      return {};
    case Node::Kind::kMap:
      break;
  }
  const auto function = FunctionOf(value);
  if (function && !IsBoolean(*function)) return Call(*function, value.entries[0].value);
  if (function) {
    return source_.Refuse(value.mark, fmt::format("{} can only be used in Conditions; choose "
                                                  "between values with Fn::If",
                                                  value.entries[0].key));
  }
  for (const Entry& entry : value.entries) TRY(OtherKey(entry, value.entries.size() == 1));
  return {};
}

}  // namespace

Result<> CheckValue(const Node& value, Place place, const Source& source, Uses& uses) {
  return Checker(place, source, uses).Value(value);
}

Result<> CheckCondition(const Node& value, const Source& source, Uses& uses) {
  return Checker(Place::kCondition, source, uses).Condition(value);
}

}  // namespace howdah::cfn
