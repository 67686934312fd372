// Filters, wildcards and page tokens.
#include "services/ec2/selection.h"

#include <fmt/format.h>

#include <algorithm>

namespace howdah::services::ec2 {
namespace {

constexpr std::string_view kHexDigits = "0123456789abcdef";

}  // namespace

bool IsAboutTags(std::string_view filter) {
  return filter == "tag-key" || filter.starts_with("tag:");
}

bool MatchesAny(const Values& values, const std::vector<std::string>& patterns) {
  return std::ranges::any_of(values.texts(), [&](const std::string& text) {
    return std::ranges::any_of(
        patterns, [&](const std::string& pattern) { return MatchesWildcard(text, pattern); });
  });
}

bool MatchesTags(const vpc::Tags& tags, std::string_view filter,
                 const std::vector<std::string>& patterns) {
  std::vector<std::string> found;
  for (const auto& [key, value] : tags) {
    if (filter == "tag-key") found.push_back(key);
    if (filter.starts_with("tag:") && filter.substr(4) == key) found.push_back(value);
  }
  return MatchesAny(found, patterns);
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

aws::Outcome<void> CheckFilter(const api::Filter& filter, bool known) {
  const std::string name = filter.name.value_or("");
  if (!known)
    return aws::Refuse(aws::InvalidParameterValue(fmt::format("The filter '{}' is invalid", name)));
  if (filter.values.empty())
    return aws::Refuse(aws::InvalidParameterValue(
        fmt::format("The filter '{}' requires at least one value", name)));
  if (filter.values.size() > kMaxFilterValues)
    return aws::Refuse("FilterLimitExceeded",
                       fmt::format("The maximum number of filter values specified on a single "
                                   "call is {}",
                                   kMaxFilterValues));
  return {};
}

aws::Outcome<std::size_t> PageSize(const std::optional<std::int64_t>& max_results) {
  const std::int64_t wish = max_results.value_or(kMaxPage);
  if (wish < 1)
    return aws::Refuse(InvalidValue(std::to_string(wish), "MaxResults", "It must be at least 1."));
  return static_cast<std::size_t>(std::min(wish, kMaxPage));
}

std::string EncodeToken(std::string_view last_key) {
  std::string token;
  for (const char c : last_key) {
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
