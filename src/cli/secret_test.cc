// Protects that a secret's parts reach the child, and that an unreadable one is not quoted.
#include "cli/secret.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace howdah::cli {
namespace {

TEST(ParseDatabaseSecret, ReadsWhatRdsWrites) {
  const auto secret = ParseDatabaseSecret(
      R"({"username":"app","password":"p w","dbname":"appdb","host":"h","port":5432})");
  ASSERT_TRUE(secret);
  EXPECT_THAT(
      EnvironmentOf(*secret),
      ::testing::ElementsAre(::testing::Pair("PGPASSWORD", "p w"), ::testing::Pair("PGUSER", "app"),
                             ::testing::Pair("PGDATABASE", "appdb")));
}

TEST(ParseDatabaseSecret, NeverQuotesTheSecretInItsError) {
  const auto broken = ParseDatabaseSecret("hunter2");
  ASSERT_FALSE(broken);
  EXPECT_EQ(broken.error().what().find("hunter2"), std::string::npos);
  EXPECT_FALSE(ParseDatabaseSecret(R"({"username":"app"})"));
}

}  // namespace
}  // namespace howdah::cli
