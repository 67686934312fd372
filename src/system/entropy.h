// The seam to randomness: ids, tokens, passwords, keys, jitter.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

namespace howdah::system {

class Entropy {
 public:
  virtual ~Entropy() = default;
  // Fills the whole span with bytes fit for keys.
  virtual void Fill(std::span<std::byte> bytes) = 0;
};

// `length` characters drawn evenly from `alphabet`.
std::string RandomText(Entropy& entropy, std::size_t length, std::string_view alphabet);
// Lower-case hexadecimal, as in AWS's ids: "0a1b2c…".
std::string RandomHex(Entropy& entropy, std::size_t length);
// A version 4 UUID.
std::string RandomUuid(Entropy& entropy);

}  // namespace howdah::system
