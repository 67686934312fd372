// Zones of a region, and the short form of a region's name that zone ids begin with.
#include "vpc/region.h"

#include <algorithm>

namespace howdah::vpc {
namespace {

// "us-west-2" → "usw2", "eu-central-1" → "euc1", "ap-southeast-2" → "apse2".
std::string ShortName(std::string_view name) {
  const auto first = name.find('-');
  const auto last = name.rfind('-');
  if (first == std::string_view::npos || first == last) return std::string(name);
  const std::string_view middle = name.substr(first + 1, last - first - 1);
  std::string direction;
  for (const std::string_view word : {"north", "south", "east", "west", "central"})
    if (middle.starts_with(word)) direction += word.front();
  for (const std::string_view word : {"east", "west"})
    if (middle.size() > word.size() && middle.ends_with(word)) direction += word.front();
  if (direction.empty()) direction = middle;
  return std::string(name.substr(0, first)) + direction + std::string(name.substr(last + 1));
}

}  // namespace

const Zone* Region::Find(std::string_view name_or_id) const {
  const auto found = std::ranges::find_if(
      zones, [&](const Zone& zone) { return zone.name == name_or_id || zone.id == name_or_id; });
  return found == zones.end() ? nullptr : &*found;
}

Region MakeRegion(std::string_view name, int zones) {
  Region region{std::string(name), {}};
  for (int i = 0; i < zones; ++i) {
    region.zones.push_back({region.name + static_cast<char>('a' + i),
                            ShortName(name) + "-az" + std::to_string(i + 1)});
  }
  return region;
}

}  // namespace howdah::vpc
