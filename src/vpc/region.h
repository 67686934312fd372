// The region that this Howdah plays, and its availability zones. A zone is where a node's disk is;
// its name and its id (which AWS maps per account) are both told to clients.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace howdah::vpc {

struct Zone {
  std::string name;  // "us-west-2a"
  std::string id;    // "usw2-az1"
};

struct Region {
  std::string name;  // "us-west-2"
  std::vector<Zone> zones;

  // The zone of this name or zone id, or nullptr.
  const Zone* Find(std::string_view name_or_id) const;
};

// A region with zones a, b, c and d. Ids are built as AWS builds them: us-west-2 → usw2-az1.
Region MakeRegion(std::string_view name, int zones = 4);

}  // namespace howdah::vpc
