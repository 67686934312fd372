// See scram.h.
#include "vault/scram.h"

#include <fmt/format.h>

#include <charconv>
#include <span>

#include "vault/crypto.h"

namespace howdah::vault {

namespace {

constexpr std::size_t kSaltSize = 16;
constexpr std::string_view kMechanism = "SCRAM-SHA-256$";

}  // namespace

std::string ScramVerifier(std::string_view password, std::string_view salt, int iterations) {
  std::string salted = Pbkdf2Sha256(password, salt, iterations);
  const Wiper wiper(salted);
  const std::string stored_key = Sha256(HmacSha256(salted, "Client Key"));
  const std::string server_key = HmacSha256(salted, "Server Key");
  return fmt::format("{}{}:{}${}:{}", kMechanism, iterations, Base64Encode(salt),
                     Base64Encode(stored_key), Base64Encode(server_key));
}

std::string NewScramVerifier(std::string_view password, system::Entropy& entropy) {
  std::string salt(kSaltSize, '\0');
  entropy.Fill(std::as_writable_bytes(std::span(salt)));
  return ScramVerifier(password, salt);
}

bool ScramMatches(std::string_view verifier, std::string_view password) {
  if (!verifier.starts_with(kMechanism)) return false;
  const std::string_view rest = verifier.substr(kMechanism.size());
  const std::size_t colon = rest.find(':');
  const std::size_t dollar = rest.find('$');
  if (colon == std::string_view::npos || dollar == std::string_view::npos || colon > dollar) {
    return false;
  }
  int iterations = 0;
  const auto [end, error] = std::from_chars(rest.data(), rest.data() + colon, iterations);
  if (error != std::errc() || end != rest.data() + colon || iterations < 1 ||
      iterations > 1'000'000) {
    return false;
  }
  const Result<std::string> salt = Base64Decode(rest.substr(colon + 1, dollar - colon - 1));
  return salt && EqualSecrets(ScramVerifier(password, *salt, iterations), verifier);
}

}  // namespace howdah::vault
