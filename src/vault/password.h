// Random passwords by the rules of Secrets Manager's GetRandomPassword, which the same fields of a
// secret's GenerateSecretString share.
#pragma once

#include <cstdint>
#include <string>

#include "base/result.h"
#include "system/entropy.h"

namespace howdah::vault {

struct PasswordRules {
  std::int64_t length = 32;  // 1 to 4096
  std::string exclude_characters;
  bool exclude_numbers = false;
  bool exclude_punctuation = false;
  bool exclude_uppercase = false;
  bool exclude_lowercase = false;
  bool include_space = false;
  bool require_each_included_type = true;  // of the four classes; a space is no class
};

// kInvalid: no character is left, or the length does not hold one of each type.
Result<std::string> GeneratePassword(system::Entropy& entropy, const PasswordRules& rules);

}  // namespace howdah::vault
