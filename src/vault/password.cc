// See password.h.
#include "vault/password.h"

#include <fmt/format.h>

#include <array>
#include <span>
#include <utility>
#include <vector>

namespace howdah::vault {

namespace {

constexpr std::int64_t kMaximumLength = 4096;
constexpr std::string_view kLowercase = "abcdefghijklmnopqrstuvwxyz";
constexpr std::string_view kUppercase = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
constexpr std::string_view kNumbers = "0123456789";
constexpr std::string_view kPunctuation = R"(!"#$%&'()*+,-./:;<=>?@[\]^_`{|}~)";

// Evenly from [0, bound): what does not divide evenly is drawn again.
std::size_t RandomBelow(system::Entropy& entropy, std::size_t bound) {
  const std::uint64_t usable = (std::uint64_t{1} << 32U) / bound * bound;
  for (;;) {
    std::array<std::uint32_t, 1> drawn{};
    entropy.Fill(std::as_writable_bytes(std::span(drawn)));
    if (drawn[0] < usable) return drawn[0] % bound;
  }
}

std::string Without(std::string_view characters, std::string_view excluded) {
  std::string left;
  for (const char c : characters) {
    if (!excluded.contains(c)) left += c;
  }
  return left;
}

// The classes that the rules leave, each with at least one character.
std::vector<std::string> Classes(const PasswordRules& rules) {
  const std::pair<bool, std::string_view> all[] = {{rules.exclude_lowercase, kLowercase},
                                                   {rules.exclude_uppercase, kUppercase},
                                                   {rules.exclude_numbers, kNumbers},
                                                   {rules.exclude_punctuation, kPunctuation}};
  std::vector<std::string> classes;
  for (const auto& [excluded, characters] : all) {
    std::string left = excluded ? "" : Without(characters, rules.exclude_characters);
    if (!left.empty()) classes.push_back(std::move(left));
  }
  return classes;
}

void Shuffle(system::Entropy& entropy, std::string& text) {
  for (std::size_t i = text.size(); i > 1; --i) {
    std::swap(text[i - 1], text[RandomBelow(entropy, i)]);
  }
}

}  // namespace

Result<std::string> GeneratePassword(system::Entropy& entropy, const PasswordRules& rules) {
  if (rules.length < 1 || rules.length > kMaximumLength) {
    return Fail(Code::kInvalid, fmt::format("a password has 1 to {} characters", kMaximumLength));
  }
  const std::vector<std::string> classes = Classes(rules);
  std::string alphabet;
  for (const std::string& characters : classes) alphabet += characters;
  if (rules.include_space) alphabet += Without(" ", rules.exclude_characters);
  if (alphabet.empty()) return Fail(Code::kInvalid, "every character is excluded");
  const auto length = static_cast<std::size_t>(rules.length);
  std::string password;
  if (rules.require_each_included_type) {
    if (classes.size() > length) {
      return Fail(Code::kInvalid, "the length is less than the number of required types");
    }
    for (const std::string& characters : classes) {
      password += characters[RandomBelow(entropy, characters.size())];
    }
  }
  while (password.size() < length) password += alphabet[RandomBelow(entropy, alphabet.size())];
  Shuffle(entropy, password);
  return password;
}

}  // namespace howdah::vault
