#include "base/json.h"

namespace howdah {

Result<json::value> ParseJson(std::string_view text) {
  json::parse_options options;
  options.max_depth = 64;
  boost::system::error_code error;
  json::value value = json::parse(text, error, {}, options);
  if (error) return Fail(Code::kInvalid, "not valid JSON: " + error.message());
  return value;
}

Result<json::object> ParseJsonObject(std::string_view text) {
  TRY_ASSIGN(json::value value, ParseJson(text));
  if (!value.is_object()) return Fail(Code::kInvalid, "not a JSON object");
  return std::move(value.as_object());
}

std::string JsonString(const json::object& object, std::string_view name,
                       std::string_view fallback) {
  const json::value* value = object.if_contains(name);
  if (value == nullptr || !value->is_string()) return std::string(fallback);
  return std::string(value->get_string());
}

std::int64_t JsonInt(const json::object& object, std::string_view name, std::int64_t fallback) {
  const json::value* value = object.if_contains(name);
  if (value == nullptr || !value->is_int64()) return fallback;
  return value->get_int64();
}

bool JsonBool(const json::object& object, std::string_view name, bool fallback) {
  const json::value* value = object.if_contains(name);
  if (value == nullptr || !value->is_bool()) return fallback;
  return value->get_bool();
}

std::vector<std::string> JsonStrings(const json::object& object, std::string_view name) {
  std::vector<std::string> strings;
  const json::value* value = object.if_contains(name);
  if (value == nullptr || !value->is_array()) return strings;
  for (const json::value& item : value->get_array()) {
    if (item.is_string()) strings.emplace_back(item.get_string());
  }
  return strings;
}

json::object JsonObject(const json::object& object, std::string_view name) {
  const json::value* value = object.if_contains(name);
  if (value == nullptr || !value->is_object()) return {};
  return value->get_object();
}

json::array ToJsonArray(const std::vector<std::string>& strings) {
  json::array array;
  for (const std::string& text : strings) array.emplace_back(text);
  return array;
}

}  // namespace howdah
