// Pages of a list as RDS has them: MaxRecords and an opaque Marker. A marker holds the key of the
// last item of its page, so that what is added or removed between two calls neither repeats nor
// hides anything else.
#pragma once

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "aws/fault.h"
#include "aws/shape.h"

namespace howdah::services::rds {

// 20 to 100; 100 where the caller does not say.
aws::Outcome<std::size_t> PageSize(const std::optional<std::int64_t>& max_records);
std::string MarkerAfter(std::string_view key);
// The key after which to go on; nullopt: from the beginning.
aws::Outcome<std::optional<std::string>> KeyOf(const std::optional<std::string>& marker);

// The page of `items`, which are sorted by `key`; sets `next` where more follow. `In` is any of the
// messages that have MaxRecords and Marker.
template <typename T, typename In, typename Key>
aws::Outcome<aws::List<T>> Page(std::vector<T> items, const In& in,
                                std::optional<std::string>& next, Key key) {
  OUTCOME_ASSIGN(const std::size_t size, PageSize(in.max_records));
  OUTCOME_ASSIGN(const std::optional<std::string> after, KeyOf(in.marker));
  if (after) {
    const auto seen = [&](const T& item) { return key(item) <= *after; };
    items.erase(items.begin(), std::ranges::find_if_not(items, seen));
  }
  if (items.size() > size) {
    items.resize(size);
    next = MarkerAfter(key(items.back()));
  }
  aws::List<T> page(std::move(items));
  page.MarkPresent();
  return page;
}

}  // namespace howdah::services::rds
