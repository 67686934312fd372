#include "nodes/storage.h"

#include <array>
#include <utility>

namespace howdah::nodes {

namespace {

constexpr std::array<std::pair<StorageState, std::string_view>, 5> kStates = {
    {{StorageState::kUnknown, "unknown"},
     {StorageState::kNormal, "normal"},
     {StorageState::kLow, "low"},
     {StorageState::kFull, "full"},
     {StorageState::kHeld, "held"}}};

}  // namespace

std::string_view StorageStateName(StorageState state) {
  for (const auto& [known, name] : kStates) {
    if (known == state) return name;
  }
  return "unknown";
}

json::object ToJson(const Storage& storage) {
  return {{"state", StorageStateName(storage.state)},
          {"disk_is_short", storage.disk_is_short},
          {"used_bytes", storage.used_bytes},
          {"free_bytes", storage.free_bytes},
          {"error", storage.error}};
}

// A document of before there was this part has none: nothing is known then.
Result<Storage> StorageFromJson(const json::object& object) {
  Storage storage;
  if (object.empty()) return storage;
  const std::string name = JsonString(object, "state");
  bool known = false;
  for (const auto& [state, text] : kStates) {
    if (text != name) continue;
    storage.state = state;
    known = true;
  }
  if (!known) return Fail(Code::kCorrupt, "node document: unknown state of storage '" + name + "'");
  storage.disk_is_short = JsonBool(object, "disk_is_short");
  storage.used_bytes = JsonInt(object, "used_bytes");
  storage.free_bytes = JsonInt(object, "free_bytes");
  storage.error = JsonString(object, "error");
  return storage;
}

}  // namespace howdah::nodes
