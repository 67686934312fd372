// The intrinsic functions at work. Their shapes have been checked when the template was read; what
// can still go wrong depends on values.
#include "services/cloudformation/template/evaluate.h"

#include <fmt/format.h>

#include <charconv>

#include "services/cloudformation/template/functions.h"
#include "services/cloudformation/template/text_functions.h"

namespace howdah::cfn {

namespace {

using Value = Result<std::optional<json::value>>;

// Evaluated text can grow by joining what was joined; templates are bounded, so is this.
constexpr std::size_t kMaxTextBytes = std::size_t{1} << 20;

std::string_view View(const json::value& value) {
  return {value.get_string().data(), value.get_string().size()};
}

Value TextValue(std::string_view text) {
  return json::value(json::string(text));
}

Value PseudoValue(std::string_view name, const Scope& scope) {
  if (name == "AWS::Region") return TextValue(scope.region);
  if (name == "AWS::AccountId") return TextValue(scope.account_id);
  if (name == "AWS::StackName") return TextValue(scope.stack_name);
  if (name == "AWS::StackId") return TextValue(scope.stack_id);
  if (name == "AWS::Partition") return TextValue("aws");
  if (name == "AWS::URLSuffix") return TextValue("amazonaws.com");
  if (name == "AWS::NotificationARNs") return json::value(json::array());
  return std::nullopt;  // AWS::NoValue
}

Value RefValue(const std::string& name, const Scope& scope) {
  if (IsPseudoParameter(name)) return PseudoValue(name, scope);
  const Parameter* parameter = scope.made.FindParameter(name);
  if (parameter == nullptr) {
    TRY_ASSIGN(const std::string text, scope.ref(name));
    return TextValue(text);
  }
  const auto found = scope.parameters.find(name);
  if (found == scope.parameters.end()) {
    return Fail(Code::kInvalid, fmt::format("Parameters: [{}] must have values", name));
  }
  if (!parameter->IsList()) return TextValue(found->second);
  return json::value(ToJsonArray(SplitList(found->second)));
}

Value ReferenceValue(const Reference& reference, const Scope& scope) {
  if (reference.attribute.empty()) return RefValue(reference.target, scope);
  TRY_ASSIGN(json::value value, scope.attribute(reference.target, reference.attribute));
  return value;
}

Result<std::string> RequireText(const Value& value, std::string_view what) {
  if (!value) return Fail(value.error());
  if (!*value || !(*value)->is_string()) {
    return Fail(Code::kInvalid, fmt::format("{} needs a string", what));
  }
  return std::string(View(**value));
}

Result<json::array> RequireList(const Value& value, std::string_view what) {
  if (!value) return Fail(value.error());
  if (!*value || !(*value)->is_array()) {
    return Fail(Code::kInvalid, fmt::format("{} needs a list", what));
  }
  return (*value)->get_array();
}

// In a comparison: does the text stand for what a resource will give?
bool IsSymbol(const Scope& scope, std::string_view text) {
  return scope.symbolic && text.find("${") != std::string_view::npos;
}

Value SubValue(const Node& argument, const Scope& scope) {
  const Node& text = argument.IsList() ? argument.items[0] : argument;
  const Node* given = argument.IsList() ? &argument.items[1] : nullptr;
  TRY_ASSIGN(const std::vector<SubPart> parts, ParseSub(text, Source("template")));
  std::string made;
  for (const SubPart& part : parts) {
    if (!part.is_name) {
      made += part.text;
    } else {
      const Node* own = given == nullptr ? nullptr : given->Find(part.text);
      const Value value = own != nullptr ? Evaluate(*own, scope)
                                         : ReferenceValue(ParseReference(part.text, {}), scope);
      TRY_ASSIGN(const std::string piece, RequireText(value, "Fn::Sub"));
      made += piece;
    }
    if (made.size() > kMaxTextBytes) return Fail(Code::kInvalid, "Fn::Sub: the text is too long");
  }
  return TextValue(made);
}

Value JoinValue(const Node& argument, const Scope& scope) {
  const Value items = Evaluate(argument.items[1], scope);
  if (items && *items && (*items)->is_string() && IsSymbol(scope, View(**items))) {
    return TextValue(fmt::format("${{Join {} {}}}", argument.items[0].text, View(**items)));
  }
  TRY_ASSIGN(const json::array list, RequireList(items, "Fn::Join"));
  std::string made;
  bool first = true;
  for (const json::value& item : list) {
    if (!item.is_string()) return Fail(Code::kInvalid, "Fn::Join needs a list of strings");
    if (!first) made += argument.items[0].text;
    first = false;
    made += View(item);
    if (made.size() > kMaxTextBytes) return Fail(Code::kInvalid, "Fn::Join: the text is too long");
  }
  return TextValue(made);
}

Value SelectValue(const Node& argument, const Scope& scope) {
  TRY_ASSIGN(const std::string text, RequireText(Evaluate(argument.items[0], scope), "Fn::Select"));
  const Value items = Evaluate(argument.items[1], scope);
  if (items && *items && (*items)->is_string() && IsSymbol(scope, View(**items))) {
    return TextValue(fmt::format("${{Select {} {}}}", text, View(**items)));
  }
  TRY_ASSIGN(const json::array list, RequireList(items, "Fn::Select"));
  std::size_t index = 0;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), index);
  if (problem != std::errc() || end != text.data() + text.size() || index >= list.size()) {
    return Fail(Code::kInvalid,
                "Template error: Fn::Select cannot select nonexistent value at index " + text);
  }
  return list[index];
}

Value ZonesValue(const Node& argument, const Scope& scope) {
  TRY_ASSIGN(std::string region, RequireText(Evaluate(argument, scope), "Fn::GetAZs"));
  if (region.empty()) region = scope.region;
  TRY_ASSIGN(const std::vector<std::string> zones, scope.zones(region));
  return json::value(ToJsonArray(zones));
}

Value SplitValue(const Node& argument, const Scope& scope) {
  TRY_ASSIGN(const std::string text, RequireText(Evaluate(argument.items[1], scope), "Fn::Split"));
  if (IsSymbol(scope, text)) {
    return TextValue(fmt::format("${{Split {} {}}}", argument.items[0].text, text));
  }
  return json::value(ToJsonArray(SplitText(text, argument.items[0].text)));
}

Value MapValue(const Node& argument, const Scope& scope) {
  std::string keys[3];
  for (std::size_t i = 0; i < 3; ++i) {
    TRY_ASSIGN(keys[i], RequireText(Evaluate(argument.items[i], scope), "Fn::FindInMap"));
  }
  const auto map = scope.made.mappings.find(keys[0]);
  if (map != scope.made.mappings.end()) {
    const auto row = map->second.find(keys[1]);
    if (row != map->second.end()) {
      const auto value = row->second.find(keys[2]);
      if (value != row->second.end()) return Evaluate(value->second, scope);
    }
  }
  return Fail(Code::kInvalid, fmt::format("Template error: Unable to get mapping for {}::{}::{}",
                                          keys[0], keys[1], keys[2]));
}

Value CidrValue(const Node& argument, const Scope& scope) {
  std::string texts[3] = {"", "", "8"};  // without bits, AWS gives blocks of 256 addresses
  for (std::size_t i = 0; i < argument.items.size(); ++i) {
    TRY_ASSIGN(texts[i], RequireText(Evaluate(argument.items[i], scope), "Fn::Cidr"));
  }
  if (IsSymbol(scope, texts[0]) || IsSymbol(scope, texts[1]) || IsSymbol(scope, texts[2])) {
    return TextValue(fmt::format("${{Cidr {} {} {}}}", texts[0], texts[1], texts[2]));
  }
  TRY_ASSIGN(const std::vector<std::string> blocks, CidrBlocks(texts[0], texts[1], texts[2]));
  return json::value(ToJsonArray(blocks));
}

Value CallValue(Function function, const Node& argument, const Scope& scope) {
  switch (function) {
    case Function::kRef:
      return RefValue(argument.text, scope);
    case Function::kGetAtt:
      return ReferenceValue(GetAttTarget(argument), scope);
    case Function::kSub:
      return SubValue(argument, scope);
    case Function::kJoin:
      return JoinValue(argument, scope);
    case Function::kSelect:
      return SelectValue(argument, scope);
    case Function::kGetAZs:
      return ZonesValue(argument, scope);
    case Function::kSplit:
      return SplitValue(argument, scope);
    case Function::kFindInMap:
      return MapValue(argument, scope);
    case Function::kCidr:
      return CidrValue(argument, scope);
    case Function::kBase64: {
      TRY_ASSIGN(const std::string text, RequireText(Evaluate(argument, scope), "Fn::Base64"));
      return TextValue(Base64Of(text));
    }
    case Function::kImportValue: {
      TRY_ASSIGN(const std::string name, RequireText(Evaluate(argument, scope), "Fn::ImportValue"));
      TRY_ASSIGN(const std::string text, scope.import(name));
      return TextValue(text);
    }
    default:
      return Fail(Code::kInvalid, "the conditions of the template have not been decided");
  }
}

}  // namespace

Result<std::optional<json::value>> Evaluate(const Node& value, const Scope& scope) {
  if (value.IsScalar()) return TextValue(value.text);
  if (value.IsList()) {
    json::array list;
    for (const Node& item : value.items) {
      TRY_ASSIGN(std::optional<json::value> made, Evaluate(item, scope));
      if (made) list.push_back(*std::move(made));
    }
    return json::value(std::move(list));
  }
  if (const auto function = FunctionOf(value)) {
    return CallValue(*function, value.entries[0].value, scope);
  }
  json::object map;
  for (const Entry& entry : value.entries) {
    TRY_ASSIGN(std::optional<json::value> made, Evaluate(entry.value, scope));
    if (made) map.emplace(entry.key, *std::move(made));
  }
  return json::value(std::move(map));
}

Result<json::object> EvaluateProperties(const Resource& resource, const Scope& scope) {
  TRY_ASSIGN(std::optional<json::value> value, Evaluate(resource.properties, scope));
  if (!value || !value->is_object()) return json::object();
  return std::move(value->get_object());
}

Result<std::string> EvaluateText(const Node& value, const Scope& scope) {
  return RequireText(Evaluate(value, scope), "an output");
}

}  // namespace howdah::cfn
