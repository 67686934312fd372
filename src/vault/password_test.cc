// The rules of GetRandomPassword hold for every password, not for most.
#include "vault/password.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>
#include <set>

#include "system/fake/seeded_entropy.h"

namespace howdah::vault {
namespace {

constexpr const char* kLower = "abcdefghijklmnopqrstuvwxyz";
constexpr const char* kUpper = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
constexpr const char* kDigits = "0123456789";

bool Has(const std::string& text, const char* characters) {
  return text.find_first_of(characters) != std::string::npos;
}

TEST(Password, HoldsOneOfEachTypeByDefault) {
  system::SeededEntropy entropy;
  for (int i = 0; i < 300; ++i) {
    const std::string password = *GeneratePassword(entropy, {.length = 4});
    EXPECT_EQ(password.size(), 4U);
    EXPECT_TRUE(Has(password, kLower) && Has(password, kUpper) && Has(password, kDigits));
    EXPECT_TRUE(std::ranges::any_of(password, [](unsigned char c) { return std::ispunct(c); }));
  }
  EXPECT_EQ(GeneratePassword(entropy, {})->size(), 32U);
}

TEST(Password, NeverHoldsWhatIsExcluded) {
  system::SeededEntropy entropy;
  const PasswordRules rules{.length = 400,
                            .exclude_characters = "\"@/\\ abc",
                            .exclude_numbers = true,
                            .exclude_uppercase = true,
                            .include_space = true};
  const std::string password = *GeneratePassword(entropy, rules);
  EXPECT_FALSE(Has(password, "\"@/\\ abc"));
  EXPECT_FALSE(Has(password, kDigits));
  EXPECT_FALSE(Has(password, kUpper));
}

TEST(Password, ASpaceComesOnlyWhenAskedFor) {
  system::SeededEntropy entropy;
  EXPECT_FALSE(Has(*GeneratePassword(entropy, {.length = 4096}), " "));
  EXPECT_TRUE(Has(*GeneratePassword(entropy, {.length = 4096, .include_space = true}), " "));
}

TEST(Password, RulesThatCannotHoldAreRefused) {
  system::SeededEntropy entropy;
  EXPECT_EQ(GeneratePassword(entropy, {.length = 0}).error().code(), Code::kInvalid);
  EXPECT_EQ(GeneratePassword(entropy, {.length = 4097}).error().code(), Code::kInvalid);
  EXPECT_EQ(GeneratePassword(entropy, {.length = 3}).error().code(), Code::kInvalid);
  EXPECT_TRUE(GeneratePassword(entropy, {.length = 3, .require_each_included_type = false}));
  EXPECT_EQ(GeneratePassword(entropy, {.exclude_numbers = true,
                                       .exclude_punctuation = true,
                                       .exclude_uppercase = true,
                                       .exclude_lowercase = true})
                .error()
                .code(),
            Code::kInvalid);
}

TEST(Password, EveryPositionSeesEveryType) {
  system::SeededEntropy entropy;
  std::set<char> first;
  for (int i = 0; i < 3000; ++i) first.insert(GeneratePassword(entropy, {.length = 4})->front());
  EXPECT_EQ(first.size(), 94U);  // all of printable ASCII but the space
}

}  // namespace
}  // namespace howdah::vault
