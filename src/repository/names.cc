// See names.h.
#include "repository/names.h"

#include <algorithm>
#include <string>

namespace howdah::repository {

namespace {

bool IsNameCharacter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
         c == '_' || c == '-';
}

std::unexpected<Error> FailName(std::string_view what, std::string_view name) {
  return Fail(Code::kInvalid, std::string(what) + " '" + std::string(name.substr(0, 100)) +
                                  "': segments of letters, digits, '.', '_' and '-' that begin "
                                  "with no dot, joined by '/'");
}

}  // namespace

bool IsSegment(std::string_view segment) {
  return !segment.empty() && segment.size() <= kMostSegmentBytes && segment.front() != '.' &&
         std::ranges::all_of(segment, IsNameCharacter);
}

bool IsName(std::string_view name) {
  if (name.size() > kMostNameBytes) return false;
  for (;;) {
    const std::size_t slash = name.find('/');
    if (!IsSegment(name.substr(0, slash))) return false;
    if (slash == name.npos) return true;
    name.remove_prefix(slash + 1);
  }
}

Result<> CheckName(std::string_view name) {
  if (!IsName(name)) return FailName("no name of an object", name);
  return {};
}

Result<> CheckPrefix(std::string_view prefix) {
  const bool whole = prefix.empty() || prefix.ends_with('/');
  if (prefix.empty() || IsName(whole ? prefix.substr(0, prefix.size() - 1) : prefix)) return {};
  return FailName("no prefix of names", prefix);
}

Result<> CheckSegmentsPrefix(std::string_view prefix) {
  if (!prefix.ends_with('/')) return FailName("no prefix that ends with '/'", prefix);
  return CheckPrefix(prefix);
}

}  // namespace howdah::repository
