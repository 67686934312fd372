// The first start makes the root key and the account once; later starts find the same.
#include "vault/root_credentials.h"

#include <gtest/gtest.h>

#include <regex>

#include "system/fake/memory_disk.h"
#include "system/fake/seeded_entropy.h"
#include "vault/files.h"

namespace howdah::vault {
namespace {

class RootCredentialsTest : public testing::Test {
 protected:
  void SetUp() override { ASSERT_TRUE(disk_.MakeDirectories("/home")); }
  system::MemoryDisk disk_;
  system::SeededEntropy entropy_;
};

TEST_F(RootCredentialsTest, AreMadeOnceInAwssFormAndPrivate) {
  EXPECT_EQ(ReadRootCredentials(disk_, "/home").error().code(), Code::kNotFound);
  const RootCredentials made = *OpenOrCreateRootCredentials(disk_, entropy_, "/home");
  EXPECT_TRUE(std::regex_match(made.access_key_id, std::regex("AKIA[A-Z2-7]{16}")));
  EXPECT_TRUE(std::regex_match(made.secret_access_key, std::regex("[A-Za-z0-9+/]{40}")));
  EXPECT_EQ(disk_.Inspect(CredentialsPath("/home"))->mode, 0600U);
  const RootCredentials again = *OpenOrCreateRootCredentials(disk_, entropy_, "/home");
  EXPECT_EQ(again.access_key_id, made.access_key_id);
  EXPECT_EQ(ReadRootCredentials(disk_, "/home")->secret_access_key, made.secret_access_key);
}

TEST_F(RootCredentialsTest, AFileThatAPersonEditedIsRead) {
  ASSERT_TRUE(disk_.WriteDurably(CredentialsPath("/home"),
                                 "# mine\n[other]\naws_access_key_id=no\n[default]\r\n"
                                 "aws_access_key_id=AKIAX\n aws_secret_access_key = a=b+c \n"));
  const RootCredentials read = *ReadRootCredentials(disk_, "/home");
  EXPECT_EQ(read.access_key_id, "AKIAX");
  EXPECT_EQ(read.secret_access_key, "a=b+c");
}

TEST_F(RootCredentialsTest, ABrokenOrOpenFileIsAnErrorAndIsNotReplaced) {
  ASSERT_TRUE(disk_.WriteDurably(CredentialsPath("/home"), "[default]\n"));
  EXPECT_EQ(OpenOrCreateRootCredentials(disk_, entropy_, "/home").error().code(), Code::kCorrupt);
  ASSERT_TRUE(disk_.WriteDurably(CredentialsPath("/home"), "[default]\n", 0644));
  EXPECT_EQ(OpenOrCreateRootCredentials(disk_, entropy_, "/home").error().code(),
            Code::kPermission);
}

TEST_F(RootCredentialsTest, TheAccountHasTwelveDigitsAndStays) {
  const std::string account = *OpenOrCreateAccountId(disk_, entropy_, "/home");
  EXPECT_TRUE(std::regex_match(account, std::regex("[1-9][0-9]{11}")));
  EXPECT_EQ(*OpenOrCreateAccountId(disk_, entropy_, "/home"), account);
  ASSERT_TRUE(disk_.WriteDurably(AccountPath("/home"), "12\n"));
  EXPECT_EQ(OpenOrCreateAccountId(disk_, entropy_, "/home").error().code(), Code::kCorrupt);
}

}  // namespace
}  // namespace howdah::vault
