// What CreateDBInstance and the two restores have in common: a new instance as the fleet is asked
// for it, every value checked. The restores say what they want as a creation would.
#pragma once

#include "fleet/commands.h"
#include "services/rds/instances.h"

namespace howdah::services::rds {

// The exact version that was asked for, or the newest of its major version that is installed.
Outcome<std::string> ChooseVersion(const fleet::Context& context,
                                   const std::optional<std::string>& wanted);

// All but names, the master user, the database and where the data come from. The version is exact.
Outcome<fleet::NewInstance> NewInstanceFrom(const fleet::Context& context,
                                            const api::CreateDBInstanceMessage& in,
                                            const std::string& version);

template <typename T>
Outcome<T> Required(const std::optional<T>& value, std::string_view name) {
  if (value) return *value;
  return Refuse(
      aws::MissingParameter("The request must contain the parameter " + std::string(name)));
}

}  // namespace howdah::services::rds
