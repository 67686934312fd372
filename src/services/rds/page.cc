#include "services/rds/page.h"

#include <fmt/format.h>

namespace howdah::services::rds {

using aws::InvalidParameterValue;
using aws::Outcome;
using aws::Refuse;

namespace {

constexpr std::int64_t kLeastRecords = 20;
constexpr std::int64_t kMostRecords = 100;
constexpr std::string_view kVersion = "h1.";  // of the form of markers
constexpr std::string_view kDigits = "0123456789abcdef";

}  // namespace

Outcome<std::size_t> PageSize(const std::optional<std::int64_t>& max_records) {
  const std::int64_t size = max_records.value_or(kMostRecords);
  if (size >= kLeastRecords && size <= kMostRecords) return static_cast<std::size_t>(size);
  return Refuse(InvalidParameterValue(
      fmt::format("Invalid value {} for MaxRecords. Must be between {} and {}", size, kLeastRecords,
                  kMostRecords)));
}

std::string MarkerAfter(std::string_view key) {
  std::string marker(kVersion);
  for (const char c : key) {
    const auto byte = static_cast<unsigned char>(c);
    marker += kDigits[byte >> 4];
    marker += kDigits[byte & 15];
  }
  return marker;
}

Outcome<std::optional<std::string>> KeyOf(const std::optional<std::string>& marker) {
  if (!marker || marker->empty()) return std::nullopt;
  const auto refuse = [&] {
    return Refuse(InvalidParameterValue(
        fmt::format("The parameter Marker is not valid: {}", marker->substr(0, 64))));
  };
  std::string_view text = *marker;
  if (!text.starts_with(kVersion)) return refuse();
  text.remove_prefix(kVersion.size());
  if (text.empty() || text.size() % 2 != 0) return refuse();
  std::string key;
  for (std::size_t i = 0; i < text.size(); i += 2) {
    const std::size_t high = kDigits.find(text[i]);
    const std::size_t low = kDigits.find(text[i + 1]);
    if (high == kDigits.npos || low == kDigits.npos) return refuse();
    key += static_cast<char>(high << 4 | low);
  }
  return key;
}

}  // namespace howdah::services::rds
