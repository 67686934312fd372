#include "base/json.h"

#include <gtest/gtest.h>

namespace howdah {
namespace {

TEST(Json, ReadersFallBackWhenAMemberIsAbsentOrOfAnotherType) {
  const json::object object = *ParseJsonObject(R"({"a":"x","n":3,"b":true,"l":["p",1,"q"]})");
  EXPECT_EQ(JsonString(object, "a"), "x");
  EXPECT_EQ(JsonString(object, "n", "none"), "none");
  EXPECT_EQ(JsonInt(object, "n"), 3);
  EXPECT_TRUE(JsonBool(object, "b"));
  EXPECT_EQ(JsonStrings(object, "l"), (std::vector<std::string>{"p", "q"}));
  EXPECT_TRUE(JsonObject(object, "o").empty());
}

TEST(Json, BrokenTextIsAnErrorAndNotAnException) {
  EXPECT_FALSE(ParseJson("{"));
  EXPECT_FALSE(ParseJsonObject("[]"));
  EXPECT_FALSE(ParseJson(std::string(100, '[') + std::string(100, ']')));
}

}  // namespace
}  // namespace howdah
