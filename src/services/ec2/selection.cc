// Filters, wildcards and page tokens.
#include "services/ec2/selection.h"

#include <fmt/format.h>

#include <algorithm>

namespace howdah::services::ec2 {
namespace {

constexpr std::string_view kHexDigits = "0123456789abcdef";

bool IsAboutTags(std::string_view name) {
  return name == "tag-key" || name.starts_with("tag:");
}

}  // namespace

void Attributes::AddTags(const vpc::Tags& tags) {
  for (const auto& [key, value] : tags) {
    Add("tag:" + key, value);
    Add("tag-key", key);
  }
}

bool Attributes::Match(const std::string& name, const std::vector<std::string>& patterns) const {
  const auto [first, last] = values_.equal_range(name);
  return std::any_of(first, last, [&](const auto& attribute) {
    return std::ranges::any_of(patterns, [&](const std::string& pattern) {
      return MatchesWildcard(attribute.second, pattern);
    });
  });
}

// Greedy with one point to come back to: a later '*' makes earlier ones final, so this is linear in
// the text for each star and never exponential.
bool MatchesWildcard(std::string_view text, std::string_view pattern) {
  std::size_t at = 0;
  std::size_t in = 0;
  std::size_t star = std::string_view::npos;
  std::size_t star_at = 0;
  while (at < text.size()) {
    if (in < pattern.size() && pattern[in] == '*') {
      star = in++;
      star_at = at;
      continue;
    }
    const bool escaped = in + 1 < pattern.size() && pattern[in] == '\\';
    const std::size_t literal = escaped ? in + 1 : in;
    if (in < pattern.size() && (pattern[literal] == text[at] || (!escaped && pattern[in] == '?'))) {
      in = literal + 1;
      ++at;
      continue;
    }
    if (star == std::string_view::npos) return false;
    in = star + 1;
    at = ++star_at;
  }
  while (in < pattern.size() && pattern[in] == '*') ++in;
  return in == pattern.size();
}

aws::Outcome<void> CheckFilters(const aws::List<api::Filter>& filters,
                                std::span<const std::string_view> names) {
  for (const api::Filter& filter : filters) {
    const std::string name = filter.name.value_or("");
    if (!IsAboutTags(name) && std::ranges::find(names, name) == names.end())
      return aws::Refuse(
          aws::InvalidParameterValue(fmt::format("The filter '{}' is invalid", name)));
    if (filter.values.empty())
      return aws::Refuse(aws::InvalidParameterValue(
          fmt::format("The filter '{}' requires at least one value", name)));
    if (filter.values.size() > kMaxFilterValues)
      return aws::Refuse(
          "FilterLimitExceeded",
          fmt::format("The maximum number of filter values is {}", kMaxFilterValues));
  }
  return {};
}

bool MatchesAll(const aws::List<api::Filter>& filters, const Attributes& attributes) {
  return std::ranges::all_of(filters, [&](const api::Filter& filter) {
    return attributes.Match(filter.name.value_or(""), filter.values);
  });
}

std::string EncodeToken(std::string_view last_id) {
  std::string token;
  for (const char c : last_id) {
    const auto byte = static_cast<unsigned char>(c);
    token += kHexDigits[byte >> 4];
    token += kHexDigits[byte & 15];
  }
  return token;
}

aws::Outcome<std::string> DecodeToken(const std::string& token) {
  std::string text;
  bool good = token.size() % 2 == 0 && !token.empty();
  for (std::size_t i = 0; good && i < token.size(); i += 2) {
    const auto high = kHexDigits.find(token[i]);
    const auto low = kHexDigits.find(token[i + 1]);
    good = high != std::string_view::npos && low != std::string_view::npos;
    if (good) text += static_cast<char>(high * 16 + low);
  }
  if (!good) return aws::Refuse("InvalidNextToken", "The given next token is not valid.");
  return text;
}

}  // namespace howdah::services::ec2
