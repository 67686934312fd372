// Structs to JSON objects and back along a table of their members, so that a document's form stands
// in one place. A member that an older version did not write keeps the default of its type.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <vector>

#include "base/json.h"
#include "base/time.h"
#include "services/cloudformation/template/template.h"

namespace howdah::cfn::codec {

template <typename Owner, typename T>
struct Field {
  std::string_view name;
  T Owner::* member;
};
template <typename Owner, typename T>
constexpr Field<Owner, T> At(std::string_view name, T Owner::* member) {
  return {name, member};
}

// std::tuple of Field<T, …>, specialised for each document.
template <typename T>
inline constexpr std::nullptr_t kFields = nullptr;

std::string_view PolicyName(DeletionPolicy policy);
DeletionPolicy PolicyOf(std::string_view name);

template <typename T>
struct ListItem {};
template <typename T>
struct ListItem<std::vector<T>> {
  using Type = T;
};

template <typename T>
json::value Write(const T& value);

template <typename T>
json::object WriteObject(const T& from) {
  json::object made;
  std::apply(
      [&](const auto&... field) { (made.emplace(field.name, Write(from.*field.member)), ...); },
      kFields<T>);
  return made;
}

template <typename T>
json::value Write(const T& value) {
  if constexpr (std::is_same_v<T, WallTime>) {
    return ToMicros(value);
  } else if constexpr (std::is_same_v<T, std::optional<WallTime>>) {
    return value ? json::value(ToMicros(*value)) : json::value(nullptr);
  } else if constexpr (std::is_same_v<T, DeletionPolicy>) {
    return json::value(json::string(PolicyName(value)));
  } else if constexpr (requires { typename T::mapped_type; }) {
    json::object made;
    for (const auto& [key, text] : value) made.emplace(key, text);
    return made;
  } else if constexpr (std::is_same_v<T, std::string>) {
    return json::value(json::string(value));
  } else if constexpr (requires { typename ListItem<T>::Type; }) {
    json::array made;
    for (const auto& item : value) made.push_back(Write(item));
    return made;
  } else if constexpr (std::is_same_v<T, bool> || std::is_same_v<T, std::int64_t>) {
    return json::value(value);
  } else {
    return WriteObject(value);
  }
}

template <typename T>
void Read(const json::value& from, T& to);

template <typename T>
void ReadObject(const json::object& from, T& to) {
  const auto read = [&](const auto& field) {
    if (const json::value* value = from.if_contains(field.name)) Read(*value, to.*field.member);
  };
  std::apply([&](const auto&... field) { (read(field), ...); }, kFields<T>);
}

template <typename T>
void Read(const json::value& from, T& to) {
  if constexpr (std::is_same_v<T, WallTime> || std::is_same_v<T, std::optional<WallTime>>) {
    if (from.is_int64()) to = FromMicros(from.get_int64());
  } else if constexpr (std::is_same_v<T, DeletionPolicy>) {
    if (from.is_string()) to = PolicyOf(from.get_string());
  } else if constexpr (requires { typename T::mapped_type; }) {
    if (!from.is_object()) return;
    for (const auto& member : from.get_object()) Read(member.value(), to[member.key()]);
  } else if constexpr (std::is_same_v<T, std::string>) {
    if (from.is_string()) to.assign(from.get_string().data(), from.get_string().size());
  } else if constexpr (requires { typename ListItem<T>::Type; }) {
    if (!from.is_array()) return;
    for (const json::value& item : from.get_array()) Read(item, to.emplace_back());
  } else if constexpr (std::is_same_v<T, bool>) {
    if (from.is_bool()) to = from.get_bool();
  } else if constexpr (std::is_same_v<T, std::int64_t>) {
    if (from.is_int64()) to = from.get_int64();
  } else {
    if (from.is_object()) ReadObject(from.get_object(), to);
  }
}

template <typename T>
Result<T> Parse(std::string_view text) {
  TRY_ASSIGN(const json::object from, ParseJsonObject(text));
  T made;
  ReadObject(from, made);
  return made;
}

}  // namespace howdah::cfn::codec
