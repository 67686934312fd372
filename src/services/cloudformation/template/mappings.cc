// The Mappings section: literal values under two keys.
#include <fmt/format.h>

#include "services/cloudformation/template/template.h"

namespace howdah::cfn {

namespace {

constexpr std::size_t kMaxMappings = 200;
constexpr std::size_t kMaxAttributes = 200;

bool IsLiteral(const Node& node) {
  if (node.IsScalar()) return true;
  if (!node.IsList() || node.items.empty()) return false;
  for (const Node& item : node.items) {
    if (!item.IsScalar()) return false;
  }
  return true;
}

Result<std::map<std::string, Node>> ReadRow(const Entry& row, const Source& source) {
  if (!row.value.IsMap() || row.value.entries.empty()) {
    return source.Refuse(row.mark, fmt::format("Every Mappings member {} must be a map", row.key));
  }
  TRY(CheckCount(row.value, "mapping attributes", kMaxAttributes, source));
  std::map<std::string, Node> values;
  for (const Entry& value : row.value.entries) {
    if (!IsLiteral(value.value)) {
      return source.Refuse(value.mark, fmt::format("Every Mappings attribute must be a String or a "
                                                   "List: {}",
                                                   value.key));
    }
    values[value.key] = value.value;
  }
  return values;
}

}  // namespace

Result<Mappings> ReadMappings(const Node& section, const Source& source) {
  if (!section.IsMap()) return source.Refuse(section.mark, "Mappings must be a map");
  TRY(CheckCount(section, "mappings", kMaxMappings, source));
  Mappings mappings;
  for (const Entry& map : section.entries) {
    if (!IsLogicalName(map.key)) {
      return source.Refuse(map.mark, fmt::format("Mapping name {} is non alphanumeric.", map.key));
    }
    if (!map.value.IsMap() || map.value.entries.empty()) {
      return source.Refuse(map.mark,
                           fmt::format("Every Mappings object must be a map: {}", map.key));
    }
    for (const Entry& row : map.value.entries) {
      TRY_ASSIGN(mappings[map.key][row.key], ReadRow(row, source));
    }
  }
  return mappings;
}

}  // namespace howdah::cfn
