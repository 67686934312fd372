// Shapes of the intrinsic functions. The messages are AWS's where AWS has one.
#include "services/cloudformation/template/functions.h"

#include <fmt/format.h>

#include <array>
#include <utility>

namespace howdah::cfn {

namespace {

constexpr std::array<std::pair<std::string_view, Function>, 6> kFunctions = {{
    {"Ref", Function::kRef},
    {"Fn::GetAtt", Function::kGetAtt},
    {"Fn::Sub", Function::kSub},
    {"Fn::Join", Function::kJoin},
    {"Fn::Select", Function::kSelect},
    {"Fn::GetAZs", Function::kGetAZs},
}};

constexpr std::string_view kJoinShape =
    "every Fn::Join object requires two parameters, (1) a string delimiter and (2) a list of "
    "strings to be joined or a function that returns a list of strings (such as Fn::GetAZs) to be "
    "joined";
constexpr std::string_view kSelectShape =
    "Fn::Select requires a list argument with two elements: an integer index and a list";
constexpr std::string_view kGetAttShape =
    "every Fn::GetAtt object requires two non-empty parameters, the resource name and the resource "
    "attribute";
constexpr std::string_view kSubShape =
    "one or more Fn::Sub intrinsic functions don't specify expected arguments; specify a string as "
    "first argument, and an optional second argument to specify a mapping of values to replace in "
    "the string";

bool LooksLikeFunction(std::string_view key) {
  return key == "Ref" || key == "Condition" || key.starts_with("Fn::");
}

bool IsListLike(const Node& node) {
  return node.IsList() || FunctionOf(node).has_value();
}

Result<> CheckCall(Function function, const Node& argument, const Source& source,
                   std::vector<Reference>& references);

Result<> CheckGetAtt(const Node& argument, const Source& source,
                     std::vector<Reference>& references) {
  const bool dotted = argument.IsScalar() && argument.text.find('.') != std::string::npos;
  const bool pair = argument.IsList() && argument.items.size() == 2 &&
                    argument.items[0].IsScalar() && argument.items[1].IsScalar();
  if (!dotted && !pair) return source.Refuse(argument.mark, kGetAttShape);
  Reference reference = GetAttTarget(argument);
  if (reference.target.empty() || reference.attribute.empty()) {
    return source.Refuse(argument.mark, kGetAttShape);
  }
  references.push_back(std::move(reference));
  return {};
}

Result<> CheckSub(const Node& argument, const Source& source, std::vector<Reference>& references) {
  const Node* text = &argument;
  const Node* values = nullptr;
  if (argument.IsList()) {
    if (argument.items.size() != 2 || !argument.items[1].IsMap() ||
        FunctionOf(argument.items[1]).has_value()) {
      return source.Refuse(argument.mark, kSubShape);
    }
    text = argument.items.data();
    values = &argument.items[1];
    for (const Entry& entry : values->entries) TRY(CheckValue(entry.value, source, references));
  }
  if (!text->IsScalar()) return source.Refuse(argument.mark, kSubShape);
  TRY_ASSIGN(const std::vector<SubPart> parts, ParseSub(*text, source));
  for (const SubPart& part : parts) {
    if (!part.is_name || (values != nullptr && values->Find(part.text) != nullptr)) continue;
    references.push_back(ParseReference(part.text, text->mark));
  }
  return {};
}

Result<> CheckJoin(const Node& argument, const Source& source, std::vector<Reference>& references) {
  if (!argument.IsList() || argument.items.size() != 2 || !IsListLike(argument.items[1])) {
    return source.Refuse(argument.mark, kJoinShape);
  }
  // An empty delimiter is written '' and is a scalar; a bare null is not a string.
  if (!argument.items[0].IsScalar()) return source.Refuse(argument.items[0].mark, kJoinShape);
  return CheckValue(argument.items[1], source, references);
}

Result<> CheckSelect(const Node& argument, const Source& source,
                     std::vector<Reference>& references) {
  if (!argument.IsList() || argument.items.size() != 2 || !IsListLike(argument.items[1])) {
    return source.Refuse(argument.mark, kSelectShape);
  }
  const Node& index = argument.items[0];
  const bool number = index.IsScalar() && !index.text.empty() && index.text.size() < 6 &&
                      index.text.find_first_not_of("0123456789") == std::string::npos;
  if (!number && !FunctionOf(index).has_value()) return source.Refuse(index.mark, kSelectShape);
  TRY(CheckValue(index, source, references));
  return CheckValue(argument.items[1], source, references);
}

Result<> CheckCall(Function function, const Node& argument, const Source& source,
                   std::vector<Reference>& references) {
  switch (function) {
    case Function::kRef:
      if (!argument.IsScalar() || argument.text.empty()) {
        return source.Refuse(argument.mark, "all Ref references must be of type string");
      }
      references.push_back({argument.text, "", argument.mark});
      return {};
    case Function::kGetAtt:
      return CheckGetAtt(argument, source, references);
    case Function::kSub:
      return CheckSub(argument, source, references);
    case Function::kJoin:
      return CheckJoin(argument, source, references);
    case Function::kSelect:
      return CheckSelect(argument, source, references);
    case Function::kGetAZs:
      if (!argument.IsScalar() && FunctionOf(argument) != Function::kRef) {
        return source.Refuse(argument.mark,
                             "Fn::GetAZs takes a region: a string, '' or Ref AWS::Region");
      }
      return CheckValue(argument, source, references);
  }
  return {};
}

}  // namespace

std::optional<Function> FunctionOf(const Node& node) {
  if (!node.IsMap() || node.entries.size() != 1) return std::nullopt;
  for (const auto& [name, function] : kFunctions) {
    if (node.entries[0].key == name) return function;
  }
  return std::nullopt;
}

Reference ParseReference(std::string_view name, Mark mark) {
  const std::size_t dot = name.find('.');
  if (dot == std::string_view::npos) return {std::string(name), "", mark};
  return {std::string(name.substr(0, dot)), std::string(name.substr(dot + 1)), mark};
}

Reference GetAttTarget(const Node& argument) {
  if (argument.IsScalar()) return ParseReference(argument.text, argument.mark);
  return {argument.items[0].text, argument.items[1].text, argument.mark};
}

Result<std::vector<SubPart>> ParseSub(const Node& text, const Source& source) {
  std::vector<SubPart> parts;
  std::string literal;
  const std::string& from = text.text;
  for (std::size_t at = 0; at < from.size();) {
    if (!std::string_view(from).substr(at).starts_with("${")) {
      literal += from[at++];
      continue;
    }
    const std::size_t end = from.find('}', at);
    if (end == std::string::npos) return source.Refuse(text.mark, "Fn::Sub: ${ without }");
    std::string name = from.substr(at + 2, end - at - 2);
    at = end + 1;
    if (name.starts_with('!')) {  // ${!Literal} stands for ${Literal}
      literal += "${" + name.substr(1) + "}";
      continue;
    }
    const std::size_t first = name.find_first_not_of(" \t");
    const std::size_t last = name.find_last_not_of(" \t");
    if (first == std::string::npos) return source.Refuse(text.mark, "Fn::Sub: ${} names nothing");
    name = name.substr(first, last - first + 1);
    if (!literal.empty()) parts.push_back({false, std::exchange(literal, "")});
    parts.push_back({true, std::move(name)});
  }
  if (!literal.empty()) parts.push_back({false, std::move(literal)});
  return parts;
}

Result<> CheckValue(const Node& value, const Source& source, std::vector<Reference>& references) {
  switch (value.kind) {
    case Node::Kind::kNull:
      return source.Refuse(value.mark, "null values are not allowed in templates");
    case Node::Kind::kScalar:
      return {};
    case Node::Kind::kList:
      for (const Node& item : value.items) TRY(CheckValue(item, source, references));
      return {};
    case Node::Kind::kMap:
      break;
  }
  if (const auto function = FunctionOf(value)) {
    return CheckCall(*function, value.entries[0].value, source, references);
  }
  for (const Entry& entry : value.entries) {
    if (LooksLikeFunction(entry.key)) {
      const std::string_view why = value.entries.size() > 1
                                       ? "a function must be the only key of its map"
                                       : "this function is not supported";
      return source.Refuse(entry.mark, fmt::format("{}: {}", entry.key, why));
    }
    TRY(CheckValue(entry.value, source, references));
  }
  return {};
}

}  // namespace howdah::cfn
