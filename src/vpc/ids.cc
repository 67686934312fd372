// Making and recognising the identifiers of a virtual network.
#include "vpc/ids.h"

#include <algorithm>

namespace howdah::vpc {

std::string NewId(system::Entropy& entropy, std::string_view prefix) {
  return std::string(prefix) + system::RandomHex(entropy, 17);
}

bool IsWellFormed(std::string_view id, std::string_view prefix) {
  if (!id.starts_with(prefix)) return false;
  const std::string_view digits = id.substr(prefix.size());
  if (digits.size() != 8 && digits.size() != 17) return false;
  return std::ranges::all_of(
      digits, [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

}  // namespace howdah::vpc
