// Filters of the Describe operations: each operation says which names it knows and how an item is
// matched; any value of a filter may match, every filter must.
#pragma once

#include <initializer_list>
#include <string_view>
#include <vector>

#include "services/rds/handlers.h"

namespace howdah::services::rds {

// Refuses names that are not known, and filters without values.
Outcome<void> ValidFilters(const aws::List<api::Filter>& filters,
                           std::initializer_list<std::string_view> known = {});

// Keeps the items for which every filter has a value with `matches(item, name, value)`.
template <typename T, typename Matches>
void KeepMatching(std::vector<T>& items, const aws::List<api::Filter>& filters, Matches matches) {
  for (const api::Filter& filter : filters) {
    std::erase_if(items, [&](const T& item) {
      return std::ranges::none_of(filter.values, [&](const std::string& value) {
        return matches(item, std::string_view(*filter.name), value);
      });
    });
  }
}

}  // namespace howdah::services::rds
