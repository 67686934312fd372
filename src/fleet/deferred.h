// What has been asked of an instance and waits: for its maintenance window, or for the next change
// that is to be applied at once. It is part of the instance's document, so it outlives every crash,
// and it is never shown as if it were true already.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/json.h"

namespace howdah::fleet {

struct Settings;

struct Deferred {
  std::optional<std::string> identifier;  // a new name; not reserved while it waits
  std::optional<std::string> instance_class;
  std::optional<std::int64_t> storage_gib;
  std::optional<std::string> storage_type;
  std::optional<bool> multi_az;
  std::optional<std::int64_t> backup_retention_days;  // between none and some
  bool operator==(const Deferred&) const = default;
  bool empty() const { return *this == Deferred{}; }
};

// What waits, on top of what is. The name is no setting.
Settings Apply(const Deferred& deferred, Settings settings);

json::object ToJson(const Deferred& deferred);
Deferred DeferredFromJson(const json::object& object);

}  // namespace howdah::fleet
