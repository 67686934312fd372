// Checks and conversions along the property tables.
#include "services/cloudformation/template/properties.h"

#include <fmt/format.h>

#include <charconv>

#include "services/cloudformation/template/functions.h"

namespace howdah::cfn {

namespace {

using enum PropertyKind;

bool ReadInteger(std::string_view text, std::int64_t& value) {
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), value);
  return problem == std::errc() && end == text.data() + text.size() && !text.empty();
}

bool ReadBoolean(std::string_view text, bool& value) {
  value = text == "true" || text == "True" || text == "TRUE";
  return value || text == "false" || text == "False" || text == "FALSE";
}

// A dynamic reference or the like has no value yet.
bool IsOpen(const Node& node) {
  return FunctionOf(node).has_value() ||
         (node.IsScalar() && node.text.find("{{resolve:") != std::string::npos);
}

std::string_view Expected(PropertyKind kind) {
  switch (kind) {
    case kString:
      return "a string";
    case kInteger:
      return "an integer";
    case kBoolean:
      return "true or false";
    case kStrings:
      return "a list of strings";
    case kObject:
      return "a map";
    case kObjects:
      return "a list of maps";
  }
  return "another value";
}

Result<> CheckMembers(std::span<const Property> table, const Node& map, Mark where,
                      std::string_view owner, const Source& source);

Result<> CheckPropertyValue(const Property& property, const Node& node, const Source& source) {
  if (IsOpen(node)) return {};
  const auto wrong = [&] {
    return source.Refuse(
        node.mark, fmt::format("property {} must be {}", property.name, Expected(property.kind)));
  };
  std::int64_t number = 0;
  bool boolean = false;
  switch (property.kind) {
    case kString:
      return node.IsScalar() ? Result<>() : wrong();
    case kInteger:
      return node.IsScalar() && ReadInteger(node.text, number) ? Result<>() : wrong();
    case kBoolean:
      return node.IsScalar() && ReadBoolean(node.text, boolean) ? Result<>() : wrong();
    case kStrings:
      if (!node.IsList()) return wrong();
      for (const Node& item : node.items) {
        if (!item.IsScalar() && !IsOpen(item)) return wrong();
      }
      return {};
    case kObject:
      if (!node.IsMap()) return wrong();
      return CheckMembers(property.members, node, node.mark, property.name, source);
    case kObjects:
      if (!node.IsList()) return wrong();
      for (const Node& item : node.items) {
        if (IsOpen(item)) continue;
        if (!item.IsMap()) return wrong();
        TRY(CheckMembers(property.members, item, item.mark, property.name, source));
      }
      return {};
  }
  return {};
}

Result<> CheckMembers(std::span<const Property> table, const Node& map, Mark where,
                      std::string_view owner, const Source& source) {
  for (const Entry& entry : map.entries) {
    const Property* property = FindProperty(table, entry.key);
    if (property == nullptr) {
      return source.Refuse(
          entry.mark, fmt::format("Encountered unsupported property {} of {}", entry.key, owner));
    }
    TRY(CheckPropertyValue(*property, entry.value, source));
  }
  for (const Property& property : table) {
    if (property.required && map.Find(property.name) == nullptr) {
      return source.Refuse(where,
                           fmt::format("Property {} of {} cannot be empty", property.name, owner));
    }
  }
  return {};
}

Result<json::object> TypedMembers(std::span<const Property> table, const json::object& evaluated);
json::object CanonicalMembers(std::span<const Property> table, const json::object& evaluated);

std::unexpected<Error> Wrong(const Property& property) {
  return Fail(Code::kInvalid, fmt::format("Value of property {} must be {}", property.name,
                                          Expected(property.kind)));
}

Result<json::value> TypedScalar(const Property& property, const json::value& value) {
  if ((property.kind == kInteger && value.is_int64()) ||
      (property.kind == kBoolean && value.is_bool())) {
    return value;
  }
  if (!value.is_string()) return Wrong(property);
  const std::string_view text(value.get_string().data(), value.get_string().size());
  if (text.find("{{resolve:") != std::string_view::npos) return value;
  std::int64_t number = 0;
  bool boolean = false;
  if (property.kind == kInteger) {
    if (!ReadInteger(text, number)) return Wrong(property);
    return json::value(number);
  }
  if (property.kind == kBoolean) {
    if (!ReadBoolean(text, boolean)) return Wrong(property);
    return json::value(boolean);
  }
  return value;
}

Result<json::value> TypedList(const Property& property, const json::value& value) {
  if (!value.is_array()) return Wrong(property);
  json::array list;
  for (const json::value& item : value.get_array()) {
    if (property.kind == kStrings) {
      if (!item.is_string()) return Wrong(property);
      list.push_back(item);
      continue;
    }
    if (!item.is_object()) return Wrong(property);
    TRY_ASSIGN(json::object typed, TypedMembers(property.members, item.get_object()));
    list.emplace_back(std::move(typed));
  }
  return json::value(std::move(list));
}

Result<json::value> TypedValue(const Property& property, const json::value& value) {
  switch (property.kind) {
    case kString:
    case kInteger:
    case kBoolean:
      return TypedScalar(property, value);
    case kStrings:
    case kObjects:
      return TypedList(property, value);
    case kObject:
      break;
  }
  if (!value.is_object()) return Wrong(property);
  TRY_ASSIGN(json::object typed, TypedMembers(property.members, value.get_object()));
  return json::value(std::move(typed));
}

Result<json::object> TypedMembers(std::span<const Property> table, const json::object& evaluated) {
  json::object typed;
  for (const auto& member : evaluated) {
    const Property* property = FindProperty(table, {member.key().data(), member.key().size()});
    if (property == nullptr) {
      return Fail(Code::kInvalid, fmt::format("Encountered unsupported property {}",
                                              std::string_view(member.key())));
    }
    TRY_ASSIGN(json::value value, TypedValue(*property, member.value()));
    typed.emplace(property->name, std::move(value));
  }
  for (const Property& property : table) {
    if (property.required && !typed.contains(property.name)) {
      return Fail(Code::kInvalid, fmt::format("Property {} cannot be empty", property.name));
    }
  }
  return typed;
}

json::value CanonicalValue(const Property& property, const json::value& value) {
  if (property.kind == kObject && value.is_object()) {
    return CanonicalMembers(property.members, value.get_object());
  }
  if (property.kind == kObjects && value.is_array()) {
    json::array list;
    for (const json::value& item : value.get_array()) {
      list.push_back(item.is_object()
                         ? json::value(CanonicalMembers(property.members, item.get_object()))
                         : item);
    }
    return list;
  }
  if (property.kind != kInteger && property.kind != kBoolean) return value;
  auto typed = TypedScalar(property, value);
  return typed ? *std::move(typed) : value;
}

json::object CanonicalMembers(std::span<const Property> table, const json::object& evaluated) {
  json::object made;
  for (const auto& member : evaluated) {
    const Property* property = FindProperty(table, {member.key().data(), member.key().size()});
    made.emplace(member.key(),
                 property == nullptr ? member.value() : CanonicalValue(*property, member.value()));
  }
  return made;
}

}  // namespace

json::object CanonicalProperties(const ResourceType& type, const json::object& evaluated) {
  return CanonicalMembers(type.properties, evaluated);
}

Result<> CheckProperties(const ResourceType& type, const Node& properties, Mark where,
                         const Source& source) {
  return CheckMembers(type.properties, properties, where, type.name, source);
}

Result<json::object> TypedProperties(const ResourceType& type, const json::object& evaluated) {
  return TypedMembers(type.properties, evaluated);
}

}  // namespace howdah::cfn
