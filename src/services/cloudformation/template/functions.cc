// Which functions there are, and what they refer to.
#include "services/cloudformation/template/functions.h"

#include <array>
#include <utility>

namespace howdah::cfn {

namespace {

constexpr std::array<std::pair<std::string_view, Function>, 17> kFunctions = {{
    {"Ref", Function::kRef},
    {"Fn::GetAtt", Function::kGetAtt},
    {"Fn::Sub", Function::kSub},
    {"Fn::Join", Function::kJoin},
    {"Fn::Select", Function::kSelect},
    {"Fn::GetAZs", Function::kGetAZs},
    {"Fn::Split", Function::kSplit},
    {"Fn::FindInMap", Function::kFindInMap},
    {"Fn::If", Function::kIf},
    {"Fn::Base64", Function::kBase64},
    {"Fn::Cidr", Function::kCidr},
    {"Fn::ImportValue", Function::kImportValue},
    {"Condition", Function::kCondition},
    {"Fn::Equals", Function::kEquals},
    {"Fn::And", Function::kAnd},
    {"Fn::Or", Function::kOr},
    {"Fn::Not", Function::kNot},
}};

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

}  // namespace howdah::cfn
