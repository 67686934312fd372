// Ids and texts drawn from any source of entropy, without bias: a byte that does not divide evenly
// over the alphabet is thrown away.
#include "system/entropy.h"

#include <array>

#include "base/check.h"

namespace howdah::system {

std::string RandomText(Entropy& entropy, std::size_t length, std::string_view alphabet) {
  Check(!alphabet.empty() && alphabet.size() <= 256, "an alphabet has 1 to 256 characters");
  const std::size_t usable = 256 - 256 % alphabet.size();
  std::string text;
  text.reserve(length);
  std::array<std::byte, 64> pool{};
  while (text.size() < length) {
    entropy.Fill(pool);
    for (const std::byte drawn : pool) {
      const auto value = std::to_integer<std::size_t>(drawn);
      if (value < usable && text.size() < length) text += alphabet[value % alphabet.size()];
    }
  }
  return text;
}

std::string RandomHex(Entropy& entropy, std::size_t length) {
  return RandomText(entropy, length, "0123456789abcdef");
}

std::string RandomUuid(Entropy& entropy) {
  std::string hex = RandomHex(entropy, 32);
  hex[12] = '4';                                     // version
  hex[16] = RandomText(entropy, 1, "89ab").front();  // variant
  for (const std::size_t dash : {8U, 13U, 18U, 23U}) hex.insert(dash, 1, '-');
  return hex;
}

}  // namespace howdah::system
