// Protects where a client looks for a daemon, and that a credentials file is read as AWS's tools
// do.
#include "cli/home.h"

#include <gtest/gtest.h>

#include <map>

namespace howdah::cli {
namespace {

Environment Of(std::map<std::string, std::string> variables) {
  return [variables](const std::string& name) -> std::optional<std::string> {
    const auto at = variables.find(name);
    if (at == variables.end()) return std::nullopt;
    return at->second;
  };
}

TEST(DefaultHome, PrefersHowdahHomeOverAllElse) {
  const auto environment = Of({{"HOWDAH_HOME", "/srv/h/"}, {"XDG_STATE_HOME", "/s"}});
  EXPECT_EQ(DefaultHome(environment, false).value(), "/srv/h");
  EXPECT_EQ(DefaultHome(environment, true).value(), "/srv/h");
}

TEST(DefaultHome, OfRootIsTheSystems) {
  EXPECT_EQ(DefaultHome(Of({{"HOME", "/root"}}), true).value(), "/var/lib/howdah");
}

TEST(DefaultHome, OfAUserIsTheStateDirectory) {
  EXPECT_EQ(DefaultHome(Of({{"XDG_STATE_HOME", "/s"}, {"HOME", "/u"}}), false).value(),
            "/s/howdah");
  EXPECT_EQ(DefaultHome(Of({{"HOME", "/u"}}), false).value(), "/u/.local/state/howdah");
  EXPECT_FALSE(DefaultHome(Of({}), false));
}

TEST(ParseCredentials, TakesTheFirstWholeSection) {
  const auto key = ParseCredentials(
      "# root key\n[half]\naws_access_key_id = A\n\n[default]\r\naws_access_key_id=AK\r\n"
      "aws_secret_access_key = se/cr=et \nregion = eu-west-1\n[other]\naws_access_key_id = B\n");
  ASSERT_TRUE(key);
  EXPECT_EQ(key->access_key_id, "AK");
  EXPECT_EQ(key->secret_access_key, "se/cr=et");
  EXPECT_EQ(key->region, "eu-west-1");
}

TEST(ParseCredentials, RefusesHalfAKey) {
  EXPECT_FALSE(ParseCredentials("[default]\naws_access_key_id = A\n"));
  EXPECT_FALSE(ParseCredentials(""));
}

}  // namespace
}  // namespace howdah::cli
