// What people see who turn pages while others change what is on them.
#include "services/rds/page.h"

#include <gmock/gmock.h>

namespace howdah::services::rds {
namespace {

using ::testing::ElementsAre;

struct In {
  std::optional<std::int64_t> max_records;
  std::optional<std::string> marker;
};

std::vector<std::string> Names(int from, int to) {
  std::vector<std::string> names;
  for (int i = from; i < to; ++i) names.push_back("name-" + std::to_string(1000 + i));
  return names;
}

const auto kSame = [](const std::string& name) { return name; };

TEST(PageTest, EveryItemIsSeenOnce) {
  In in{.max_records = 20, .marker = {}};
  std::vector<std::string> seen;
  for (int pages = 0; pages < 10; ++pages) {
    std::optional<std::string> next;
    const auto page = Page(Names(0, 45), in, next, kSame);
    ASSERT_TRUE(page);
    seen.insert(seen.end(), page->begin(), page->end());
    in.marker = next;
    if (!next) break;
  }
  EXPECT_EQ(seen, Names(0, 45));
}

TEST(PageTest, WhatIsRemovedBetweenTwoPagesHidesNothing) {
  std::optional<std::string> next;
  ASSERT_TRUE(Page(Names(0, 40), In{20, {}}, next, kSame));
  std::optional<std::string> last;
  const auto page = Page(Names(19, 22), In{20, next}, last, kSame);
  ASSERT_TRUE(page);
  EXPECT_THAT(*page, ElementsAre("name-1020", "name-1021"));
  EXPECT_FALSE(last);
}

TEST(PageTest, BoundsAndMarkersAreChecked) {
  for (const std::int64_t size : {19, 101, -1}) {
    const auto refused = PageSize(size);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, "InvalidParameterValue");
    EXPECT_NE(refused.error().message.find("MaxRecords"), std::string::npos);
  }
  for (const char* bad : {"1", "h1.", "h1.4", "h1.zz", "H1.61", "h1.61 "}) {
    const auto refused = KeyOf(bad);
    ASSERT_FALSE(refused) << bad;
    EXPECT_NE(refused.error().message.find("Marker"), std::string::npos);
  }
  EXPECT_EQ(*KeyOf(MarkerAfter("n\xc3\xa4me")), "n\xc3\xa4me");
  EXPECT_EQ(*KeyOf(""), std::nullopt);
}

}  // namespace
}  // namespace howdah::services::rds
