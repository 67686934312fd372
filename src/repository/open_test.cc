// Places are understood or refused with a word on how they should be; keys come from a private file
// or the environment, and from nowhere else.
#include "repository/open.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "repository/place.h"
#include "system/fake/memory_disk.h"
#include "system/fake/seeded_entropy.h"

namespace howdah::repository {
namespace {

TEST(Place, IsADirectory) {
  EXPECT_EQ(std::get<DirectoryPlace>(*ParsePlace("/var/backups/howdah")).path,
            "/var/backups/howdah");
  EXPECT_EQ(std::get<DirectoryPlace>(*ParsePlace("/var/backups//")).path, "/var/backups");
}

TEST(Place, IsABucketOfAws) {
  const auto place =
      std::get<S3Place>(*ParsePlace("s3://my-bucket/howdah/prod/?region=eu-north-1"));
  EXPECT_EQ(place.bucket, "my-bucket");
  EXPECT_EQ(place.prefix, "howdah/prod");
  EXPECT_EQ(place.region, "eu-north-1");
  EXPECT_EQ(place.endpoint, "");
  EXPECT_FALSE(place.path_style);
  EXPECT_TRUE(std::get<S3Place>(*ParsePlace("s3://my.bucket?region=eu-north-1")).path_style);
}

TEST(Place, IsABucketOfAnotherServer) {
  const auto place = std::get<S3Place>(
      *ParsePlace("s3://bucket?endpoint=http://127.0.0.1:9000/&credentials=/etc/howdah/s3"));
  EXPECT_EQ(place.endpoint, "http://127.0.0.1:9000");
  EXPECT_EQ(place.region, "us-east-1");
  EXPECT_EQ(place.prefix, "");
  EXPECT_EQ(place.credentials_path, "/etc/howdah/s3");
  EXPECT_TRUE(place.path_style);
  EXPECT_FALSE(
      std::get<S3Place>(*ParsePlace("s3://bucket?endpoint=https://oss.example&style=virtual"))
          .path_style);
}

TEST(Place, IsRefusedWhereItIsNone) {
  for (const char* bad : {"",
                          "backups",
                          "./x",
                          "/",
                          "//",
                          "/var/../etc",
                          "http://bucket",
                          "s3://",
                          "s3://b",
                          "s3://UPPER?region=r",
                          "s3://a..b?region=r",
                          "s3://bucket",
                          "s3://bucket/a b?region=r",
                          "s3://bucket/../x?region=r",
                          "s3://bucket?region=",
                          "s3://bucket?region=eu/x",
                          "s3://bucket?endpoint=ftp://x",
                          "s3://bucket?endpoint=http://",
                          "s3://bucket?region=r&x=1",
                          "s3://bucket?endpoint=http://u@x",
                          "s3://bucket?endpoint=http://x/y",
                          "s3://bucket?region=r&",
                          "s3://bucket?region=r&credentials=x",
                          "s3://bucket?region=r&style=other",
                          "s3://bucket?region=r&access_key=AKIA"}) {
    const auto place = ParsePlace(bad);
    ASSERT_FALSE(place) << bad;
    EXPECT_EQ(place.error().code(), Code::kInvalid);
    EXPECT_THAT(place.error().what(), testing::HasSubstr(bad));
  }
}

class OpenTest : public testing::Test {
 protected:
  Result<std::unique_ptr<Repository>> Open(const std::string& place) {
    const Environment environment = [this](const std::string& name) {
      const auto at = variables_.find(name);
      return at == variables_.end() ? std::nullopt : std::optional(at->second);
    };
    return OpenRepository(place, environment, disk_, entropy_);
  }

  std::map<std::string, std::string> variables_;
  system::MemoryDisk disk_;
  system::SeededEntropy entropy_;
};

TEST_F(OpenTest, ABucketNeedsCredentials) {
  const std::string place = "s3://bucket/p?region=eu-north-1";
  EXPECT_EQ(Open(place).error().code(), Code::kInvalid);
  variables_["AWS_ACCESS_KEY_ID"] = "AKIA";
  EXPECT_EQ(Open(place).error().code(), Code::kInvalid);
  variables_["AWS_SECRET_ACCESS_KEY"] = "secret";
  ASSERT_TRUE(Open(place));
  EXPECT_EQ((*Open(place))->Place(), "s3://bucket/p");
}

TEST_F(OpenTest, AFileWithCredentialsIsPrivate) {
  const std::string place = "s3://bucket?region=eu-north-1&credentials=/s3";
  EXPECT_EQ(Open(place).error().code(), Code::kInvalid);
  const std::string good = "[default]\naws_access_key_id = A\naws_secret_access_key=S\r\n";
  ASSERT_TRUE(disk_.WriteDurably("/s3", good, 0644));
  EXPECT_EQ(Open(place).error().code(), Code::kPermission);
  ASSERT_TRUE(disk_.WriteDurably("/s3", good, 0600));
  EXPECT_TRUE(Open(place));
  ASSERT_TRUE(disk_.WriteDurably("/s3", "[other]\n" + good.substr(10), 0600));
  EXPECT_EQ(Open(place).error().code(), Code::kInvalid);
}

}  // namespace
}  // namespace howdah::repository
