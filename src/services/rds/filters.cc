#include "services/rds/filters.h"

namespace howdah::services::rds {

Outcome<void> ValidFilters(const aws::List<api::Filter>& filters,
                           std::initializer_list<std::string_view> known) {
  for (const api::Filter& filter : filters) {
    const std::string name = filter.name.value_or("");
    if (name.empty() || std::ranges::find(known, name) == known.end()) {
      return Refuse(aws::InvalidParameterValue("Unrecognized filter name: " + name));
    }
    if (filter.values.empty()) {
      return Refuse(aws::InvalidParameterValue("The filter " + name + " has no Values."));
    }
  }
  return {};
}

}  // namespace howdah::services::rds
