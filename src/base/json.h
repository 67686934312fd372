// Thin helpers over Boost.JSON: parsing as a Result (Boost's exceptions stop here) and readers that
// fall back when a member is absent, for documents that older versions wrote without it.
#pragma once

#include <boost/json.hpp>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace howdah {

namespace json = boost::json;

// Parses a whole text. Depth is limited to 64.
Result<json::value> ParseJson(std::string_view text);
// Parses a whole text that must be an object.
Result<json::object> ParseJsonObject(std::string_view text);

// Readers: the member's value, or the fallback when it is absent or of another type.
std::string JsonString(const json::object& object, std::string_view name,
                       std::string_view fallback = "");
std::int64_t JsonInt(const json::object& object, std::string_view name, std::int64_t fallback = 0);
bool JsonBool(const json::object& object, std::string_view name, bool fallback = false);
std::vector<std::string> JsonStrings(const json::object& object, std::string_view name);
// The member if it is an object, else an empty one.
json::object JsonObject(const json::object& object, std::string_view name);

json::array ToJsonArray(const std::vector<std::string>& strings);

}  // namespace howdah
