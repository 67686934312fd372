// Ids and texts: shape, and no bias from an alphabet that does not divide 256.
#include "system/entropy.h"

#include <gtest/gtest.h>

#include <map>
#include <regex>

#include "system/fake/seeded_entropy.h"
#include "system/real/os_entropy.h"

namespace howdah::system {
namespace {

TEST(Entropy, TextHasTheLengthAndOnlyTheAlphabet) {
  OsEntropy entropy;
  const std::string text = RandomText(entropy, 200, "abc");
  EXPECT_EQ(text.size(), 200U);
  EXPECT_EQ(text.find_first_not_of("abc"), std::string::npos);
  EXPECT_EQ(RandomText(entropy, 0, "abc"), "");
}

TEST(Entropy, CharactersAreDrawnEvenly) {
  SeededEntropy entropy(7);
  std::string alphabet;
  for (char c = '!'; c < '!' + 90; ++c) alphabet += c;  // 256 % 90 = 76: bias would be 3 to 2
  std::map<char, int> counts;
  for (const char c : RandomText(entropy, 90'000, alphabet)) ++counts[c];
  for (const auto& [c, count] : counts) EXPECT_NEAR(count, 1000, 170) << c;
}

TEST(Entropy, UuidIsVersion4) {
  SeededEntropy entropy;
  const std::regex shape("[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}");
  for (int i = 0; i < 100; ++i) EXPECT_TRUE(std::regex_match(RandomUuid(entropy), shape));
}

TEST(Entropy, ASeedRepeats) {
  SeededEntropy one(3);
  SeededEntropy other(3);
  EXPECT_EQ(RandomHex(one, 32), RandomHex(other, 32));
}

}  // namespace
}  // namespace howdah::system
