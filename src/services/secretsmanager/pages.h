// Pages of a listing: a token holds the key of the last entry given, so that a page goes on rightly
// even when entries came or went meanwhile. Private to this room.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "services/secretsmanager/handlers.h"

namespace howdah::services::secretsmanager {

template <typename T>
struct Page {
  std::vector<T> items;
  std::optional<std::string> next_token;
};

// Items after `position` in the map's order or against it, at most `limit`.
template <typename T>
Page<T> Cut(const std::map<std::string, T>& sorted, const std::string& position, std::int64_t limit,
            bool descending) {
  Page<T> page;
  std::string last;
  const auto take = [&](const auto& entry) {
    if (page.items.size() == static_cast<std::size_t>(limit)) {
      page.next_token = EncodeToken(last);
      return false;
    }
    page.items.push_back(entry.second);
    last = entry.first;
    return true;
  };
  if (descending) {
    auto it = position.empty() ? sorted.end() : sorted.lower_bound(position);
    while (it != sorted.begin() && take(*--it)) {
    }
  } else {
    auto it = position.empty() ? sorted.begin() : sorted.upper_bound(position);
    for (; it != sorted.end() && take(*it); ++it) {
    }
  }
  return page;
}

}  // namespace howdah::services::secretsmanager
