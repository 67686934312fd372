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

struct Row {
  std::string id;
  std::vector<std::string> groups;
  vpc::Tags tags;
};
constexpr Column<Row> kColumns[] = {{"group-id", [](const Row& row) { return row.groups; }},
                                    {"outpost-arn", nullptr},
                                    {"row-id", [](const Row& row) { return row.id; }}};
constexpr Resource<Row> kRows = {.ids = "rowIds",
                                 .columns = kColumns,
                                 .key = [](const Row& row) { return row.id; },
                                 .tags = [](const Row& row) { return &row.tags; }};

std::vector<Row> Rows() {
  return {{"a", {"sg-1", "sg-2"}, {{"Name", "db"}}}, {"b", {"sg-1"}, {}}, {"c", {}, {}}};
}

// The ids of the rows that the filters match; the fault's code where they are no filters.
std::string Matched(const aws::List<api::Filter>& filters) {
  std::vector<Row> rows = Rows();
  const auto outcome = Filter(kRows, filters, rows);
  if (!outcome) return outcome.error().code;
  std::string ids;
  for (const Row& row : rows) ids += row.id;
  return ids;
}

TEST(Filters, AllFiltersMustMatchAndAnyOfTheirValues) {
  EXPECT_EQ(Matched({}), "abc");
  EXPECT_EQ(Matched({MakeFilter("group-id", {"sg-9", "sg-1"})}), "ab");
  EXPECT_EQ(Matched({MakeFilter("group-id", {"sg-1"}), MakeFilter("tag:Name", {"d*"})}), "a");
  EXPECT_EQ(Matched({MakeFilter("tag-key", {"Name"})}), "a");
  EXPECT_EQ(Matched({MakeFilter("tag:Name", {"x"})}), "");
}

TEST(Filters, AFilterOfAwsThatNothingHereHasMatchesNothing) {
  EXPECT_EQ(Matched({MakeFilter("outpost-arn", {"*"})}), "");
}

TEST(Filters, AnUnknownOrEmptyFilterIsRefused) {
  EXPECT_EQ(Matched({MakeFilter("group", {"a"})}), "InvalidParameterValue");
  EXPECT_EQ(Matched({MakeFilter("group-id", {})}), "InvalidParameterValue");
  EXPECT_EQ(
      Matched({MakeFilter("row-id", aws::List<std::string>(std::vector<std::string>(201, "a")))}),
      "FilterLimitExceeded");
}

TEST(Pages, FollowEachOtherUntilNothingIsLeft) {
  std::string seen;
  std::optional<std::string> token;
  int pages = 0;
  do {
    const auto page = TakePage(kRows, Rows(), 2, token).value();
    for (const Row& row : page.records) seen += row.id;
    token = page.next_token;
    ++pages;
  } while (token);
  EXPECT_EQ(seen, "abc");
  EXPECT_EQ(pages, 2);
  EXPECT_FALSE(TakePage(kRows, Rows(), 0, std::nullopt));
}

TEST(Pages, ATokenComesBackAndNonsenseDoesNot) {
  EXPECT_EQ(DecodeToken(EncodeToken("vpc-1\nName")).value(), "vpc-1\nName");
  for (const auto* token : {"", "abc", "zz"}) EXPECT_FALSE(DecodeToken(token)) << token;
}

}  // namespace
}  // namespace howdah::services::ec2
