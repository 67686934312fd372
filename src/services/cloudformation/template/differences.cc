// A walk through two trees at once.
#include "services/cloudformation/template/differences.h"

#include <fmt/format.h>

#include <algorithm>

namespace howdah::cfn {

namespace {

using Kind = Difference::Kind;

std::string TextOf(const json::value& value) {
  if (value.is_string()) return {value.get_string().data(), value.get_string().size()};
  return json::serialize(value);
}

// Tags and the like: the same thing with another value.
bool HaveSameKey(const json::value& one, const json::value& other) {
  if (!one.is_object() || !other.is_object()) return false;
  const json::value* key = one.get_object().if_contains("Key");
  const json::value* same = other.get_object().if_contains("Key");
  return key != nullptr && same != nullptr && *key == *same;
}

class Walk {
 public:
  void Values(const std::string& path, const json::value& expected, const json::value& actual) {
    if (expected == actual) return;
    if (expected.is_object() && actual.is_object()) {
      Objects(path, expected.get_object(), actual.get_object());
    } else if (expected.is_array() && actual.is_array()) {
      Lists(path, expected.get_array(), actual.get_array());
    } else {
      found.push_back({path, Kind::kNotEqual, TextOf(expected), TextOf(actual)});
    }
  }

  std::vector<Difference> found;

 private:
  void Objects(const std::string& path, const json::object& expected, const json::object& actual) {
    for (const auto& member : expected) {
      const std::string at = fmt::format("{}/{}", path, std::string_view(member.key()));
      const json::value* is = actual.if_contains(member.key());
      if (is == nullptr) {
        found.push_back({at, Kind::kRemove, TextOf(member.value()), ""});
      } else {
        Values(at, member.value(), *is);
      }
    }
    for (const auto& member : actual) {
      if (expected.contains(member.key())) continue;
      found.push_back({fmt::format("{}/{}", path, std::string_view(member.key())), Kind::kAdd, "",
                       TextOf(member.value())});
    }
  }

  void Lists(const std::string& path, const json::array& expected, const json::array& actual) {
    std::vector<const json::value*> left;
    for (const json::value& item : actual) left.push_back(&item);
    std::vector<std::size_t> missing;
    for (std::size_t at = 0; at < expected.size(); ++at) {
      const auto same = std::ranges::find_if(
          left, [&](const json::value* item) { return *item == expected[at]; });
      if (same == left.end()) {
        missing.push_back(at);
      } else {
        left.erase(same);
      }
    }
    for (const std::size_t at : missing) {
      const std::string where = fmt::format("{}/{}", path, at);
      const auto changed = std::ranges::find_if(
          left, [&](const json::value* item) { return HaveSameKey(expected[at], *item); });
      if (changed == left.end()) {
        found.push_back({where, Kind::kRemove, TextOf(expected[at]), ""});
        continue;
      }
      Values(where, expected[at], **changed);
      left.erase(changed);
    }
    std::size_t at = expected.size();
    for (const json::value* item : left) {
      found.push_back({fmt::format("{}/{}", path, at++), Kind::kAdd, "", TextOf(*item)});
    }
  }
};

}  // namespace

std::vector<Difference> FindDifferences(const json::object& expected, const json::object& actual) {
  Walk walk;
  for (const auto& member : expected) {
    const json::value* is = actual.if_contains(member.key());
    if (is == nullptr) continue;
    walk.Values(fmt::format("/{}", std::string_view(member.key())), member.value(), *is);
  }
  return std::move(walk.found);
}

}  // namespace howdah::cfn
