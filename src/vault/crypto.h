// The few primitives that the vault is made of, as values: OpenSSL's handles stay in crypto.cc.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace howdah::vault {

inline constexpr std::size_t kKeySize = 32;    // AES-256
inline constexpr std::size_t kNonceSize = 12;  // GCM's own size
inline constexpr std::size_t kTagSize = 16;

std::string Base64Encode(std::string_view bytes);
// Strict: alphabet, padding and unused bits must be exactly what Base64Encode writes. kCorrupt.
Result<std::string> Base64Decode(std::string_view text);

std::string Sha256(std::string_view bytes);
std::string HmacSha256(std::string_view key, std::string_view bytes);
std::string Pbkdf2Sha256(std::string_view password, std::string_view salt, int iterations);

// AES-256-GCM. A nonce must never meet the same key twice.
std::string GcmSeal(std::string_view key, std::string_view nonce, std::string_view plaintext,
                    std::string_view associated_data);  // ciphertext, then the tag
Result<std::string> GcmOpen(std::string_view key, std::string_view nonce, std::string_view sealed,
                            std::string_view associated_data);  // kCorrupt

// Equal, in a time that does not tell where they differ.
bool EqualSecrets(std::string_view one, std::string_view other);

// Overwrites the characters with zeros; for buffers that held a key or a password.
void Wipe(std::string& secret);

// Wipes a string at the end of a scope.
class Wiper {
 public:
  explicit Wiper(std::string& secret) : secret_(secret) {}
  ~Wiper() { Wipe(secret_); }
  Wiper(const Wiper&) = delete;
  Wiper& operator=(const Wiper&) = delete;

 private:
  std::string& secret_;
};

}  // namespace howdah::vault
