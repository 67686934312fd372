// See scram.h. RFC 5802: SaltedPassword = PBKDF2; StoredKey = H(HMAC(SaltedPassword, "Client
// Key")); ServerKey = HMAC(SaltedPassword, "Server Key").
#include "postgres/scram.h"

#include <fmt/format.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <algorithm>
#include <array>

namespace howdah::postgres {
namespace {

constexpr std::size_t kKeyBytes = 32;
constexpr std::size_t kSaltBytes = 16;
using Key = std::array<unsigned char, kKeyBytes>;

Result<Key> Hmac(const Key& key, std::string_view text) {
  Key out{};
  unsigned length = 0;
  if (HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()),
           reinterpret_cast<const unsigned char*>(text.data()), text.size(), out.data(),
           &length) == nullptr) {
    return Fail(Code::kInternal, "HMAC failed");
  }
  return out;
}

std::string Base64(const unsigned char* bytes, std::size_t size) {
  std::string out((size + 2) / 3 * 4 + 1, '\0');
  const int length =
      EVP_EncodeBlock(reinterpret_cast<unsigned char*>(out.data()), bytes, static_cast<int>(size));
  out.resize(static_cast<std::size_t>(length));
  return out;
}

bool IsPrintableAscii(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return c >= ' ' && c <= '~'; });
}

}  // namespace

Result<std::string> MakeScramVerifier(std::string_view password, system::Entropy& entropy) {
  std::array<std::byte, kSaltBytes> salt{};
  entropy.Fill(salt);
  return MakeScramVerifier(
      password, std::string_view(reinterpret_cast<const char*>(salt.data()), salt.size()),
      kScramIterations);
}

Result<std::string> MakeScramVerifier(std::string_view password, std::string_view salt,
                                      int iterations) {
  if (password.empty() || !IsPrintableAscii(password)) {
    return Fail(Code::kInvalid, "a password must be printable ASCII and not empty");
  }
  const auto* salt_bytes = reinterpret_cast<const unsigned char*>(salt.data());
  Key salted{};
  if (PKCS5_PBKDF2_HMAC(password.data(), static_cast<int>(password.size()), salt_bytes,
                        static_cast<int>(salt.size()), iterations, EVP_sha256(),
                        static_cast<int>(salted.size()), salted.data()) != 1) {
    return Fail(Code::kInternal, "PBKDF2 failed");
  }
  TRY_ASSIGN(const Key client, Hmac(salted, "Client Key"));
  TRY_ASSIGN(const Key server, Hmac(salted, "Server Key"));
  Key stored{};
  if (EVP_Digest(client.data(), client.size(), stored.data(), nullptr, EVP_sha256(), nullptr) !=
      1) {
    return Fail(Code::kInternal, "SHA-256 failed");
  }
  OPENSSL_cleanse(salted.data(), salted.size());
  return fmt::format("SCRAM-SHA-256${}:{}${}:{}", iterations, Base64(salt_bytes, salt.size()),
                     Base64(stored.data(), stored.size()), Base64(server.data(), server.size()));
}

bool IsScramVerifier(std::string_view text) {
  constexpr std::string_view kPrefix = "SCRAM-SHA-256$";
  if (!text.starts_with(kPrefix) || text.size() > 512) return false;
  text.remove_prefix(kPrefix.size());
  return std::ranges::count(text, ':') == 2 && std::ranges::count(text, '$') == 1 &&
         text.find_first_not_of(
             "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=:$") ==
             std::string_view::npos;
}

}  // namespace howdah::postgres
