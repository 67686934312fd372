// Filters select what AWS's select: wildcards, escapes, tags, and no filter that does not exist.
#include "services/ec2/selection.h"

#include <gtest/gtest.h>

namespace howdah::services::ec2 {
namespace {

TEST(Wildcards, StarAndQuestionMarkMatchAsOnAws) {
  EXPECT_TRUE(MatchesWildcard("prod-e-db", "prod-*"));
  EXPECT_TRUE(MatchesWildcard("prod-e-db", "*-?-db"));
  EXPECT_TRUE(MatchesWildcard("", "*"));
  EXPECT_TRUE(MatchesWildcard("aab", "*ab"));
  EXPECT_FALSE(MatchesWildcard("prod-e-db", "prod"));
  EXPECT_FALSE(MatchesWildcard("ab", "a?b"));
  EXPECT_FALSE(MatchesWildcard("", "?"));
}

TEST(Wildcards, ABackslashTakesTheNextLiterally) {
  EXPECT_TRUE(MatchesWildcard("a*b", "a\\*b"));
  EXPECT_FALSE(MatchesWildcard("axb", "a\\*b"));
  EXPECT_TRUE(MatchesWildcard("a\\", "a\\"));  // nothing follows: itself
}

TEST(Wildcards, ManyStarsTakeNoExponentialTime) {
  std::string pattern;
  for (int i = 0; i < 40; ++i) pattern += "*a";
  EXPECT_FALSE(MatchesWildcard(std::string(5000, 'a') + "b", pattern));
}

api::Filter MakeFilter(std::string name, aws::List<std::string> values) {
  return {.name = std::move(name), .values = std::move(values)};
}

TEST(Filters, AllFiltersMustMatchAndAnyOfTheirValues) {
  Attributes attributes;
  attributes.Add("group-id", "sg-1");
  attributes.Add("group-id", "sg-2");
  attributes.AddTags({{"Name", "db"}});
  EXPECT_TRUE(MatchesAll({MakeFilter("group-id", {"sg-9", "sg-2"}), MakeFilter("tag:Name", {"d*"})},
                         attributes));
  EXPECT_TRUE(MatchesAll({MakeFilter("tag-key", {"Name"})}, attributes));
  EXPECT_FALSE(
      MatchesAll({MakeFilter("group-id", {"sg-1"}), MakeFilter("tag:Name", {"x"})}, attributes));
}

TEST(Filters, AnUnknownOrEmptyFilterIsRefused) {
  const std::string_view names[] = {"vpc-id"};
  EXPECT_TRUE(CheckFilters({MakeFilter("vpc-id", {"a"}), MakeFilter("tag:x", {"a"})}, names));
  EXPECT_EQ(CheckFilters({MakeFilter("vpc", {"a"})}, names).error().code, "InvalidParameterValue");
  EXPECT_FALSE(CheckFilters({MakeFilter("vpc-id", {})}, names));
}

TEST(Pages, ATokenComesBackAndNonsenseDoesNot) {
  EXPECT_EQ(DecodeToken(EncodeToken("vpc-1\nName")).value(), "vpc-1\nName");
  for (const auto* token : {"", "abc", "zz"}) EXPECT_FALSE(DecodeToken(token)) << token;
}

}  // namespace
}  // namespace howdah::services::ec2
