// The master key's file and the seal: nothing changed, moved or foreign ever opens.
#include "vault/keyring.h"

#include <gtest/gtest.h>

#include "system/fake/memory_disk.h"
#include "system/fake/seeded_entropy.h"
#include "vault/crypto.h"
#include "vault/files.h"

namespace howdah::vault {
namespace {

class KeyringTest : public testing::Test {
 protected:
  void SetUp() override { ASSERT_TRUE(disk_.MakeDirectories("/home")); }
  Keyring Open() {
    Result<Keyring> keyring = Keyring::OpenOrCreate(disk_, entropy_, "/home");
    EXPECT_TRUE(keyring);
    return *std::move(keyring);
  }

  system::MemoryDisk disk_;
  system::SeededEntropy entropy_;
};

TEST_F(KeyringTest, TheMasterKeyIsMadeOnceAndPrivate) {
  const std::string sealed = Open().Seal("value", "place");
  const std::string key = *disk_.Read(MasterKeyPath("/home"));
  EXPECT_EQ(key.size(), 32U);
  EXPECT_EQ(disk_.Inspect(MasterKeyPath("/home"))->mode, 0600U);
  EXPECT_EQ(*Open().Open(sealed, "place"), "value");
  EXPECT_EQ(*disk_.Read(MasterKeyPath("/home")), key);
}

TEST_F(KeyringTest, AMasterKeyOfAnotherSizeOrOpenToOthersStopsTheStart) {
  ASSERT_TRUE(disk_.WriteDurably(MasterKeyPath("/home"), std::string(31, 'k')));
  EXPECT_EQ(Keyring::OpenOrCreate(disk_, entropy_, "/home").error().code(), Code::kCorrupt);
  ASSERT_TRUE(disk_.WriteDurably(MasterKeyPath("/home"), std::string(32, 'k'), 0640));
  EXPECT_EQ(Keyring::OpenOrCreate(disk_, entropy_, "/home").error().code(), Code::kPermission);
  ASSERT_TRUE(disk_.WriteDurably(MasterKeyPath("/home"), std::string(32, 'k')));
  EXPECT_TRUE(Keyring::OpenOrCreate(disk_, entropy_, "/home"));
}

TEST_F(KeyringTest, AFullDiskIsAnErrorAndNoKeyIsPretended) {
  disk_.FailAfter(1, Error(Code::kExhausted, "full"));
  EXPECT_EQ(Keyring::OpenOrCreate(disk_, entropy_, "/home").error().code(), Code::kExhausted);
}

TEST_F(KeyringTest, WhatIsSealedOpensAndDoesNotShow) {
  const Keyring keyring = Open();
  for (const std::string& value :
       {std::string(), std::string("a"), std::string(65536, 'x'), std::string("nul\0inside", 10)}) {
    const std::string sealed = keyring.Seal(value, "place");
    EXPECT_EQ(*keyring.Open(sealed, "place"), value);
  }
  EXPECT_EQ(keyring.Seal("hunter2-hunter2", "p").find("hunter2"), std::string::npos);
  EXPECT_NE(keyring.Seal("same", "p"), keyring.Seal("same", "p"));
}

TEST_F(KeyringTest, EveryChangedCharacterIsFound) {
  const Keyring keyring = Open();
  const std::string sealed = keyring.Seal("value", "place");
  for (std::size_t i = 0; i < sealed.size(); ++i) {
    std::string changed = sealed;
    changed[i] = changed[i] == 'A' ? 'B' : 'A';
    const Result<std::string> opened = keyring.Open(changed, "place");
    ASSERT_FALSE(opened) << i;
    EXPECT_EQ(opened.error().code(), Code::kCorrupt);
  }
  for (std::size_t size = 0; size < sealed.size(); ++size) {
    EXPECT_FALSE(keyring.Open(sealed.substr(0, size), "place"));
  }
  EXPECT_FALSE(keyring.Open(sealed + "\n", "place"));
}

TEST_F(KeyringTest, ASealedTextOpensOnlyInItsPlaceAndUnderItsKey) {
  const Keyring keyring = Open();
  const std::string sealed = keyring.Seal("value", "secret 1");
  EXPECT_EQ(keyring.Open(sealed, "secret 2").error().code(), Code::kCorrupt);
  const Keyring other(std::string(32, 'o'), entropy_);
  EXPECT_EQ(other.Open(sealed, "secret 1").error().code(), Code::kCorrupt);
}

TEST_F(KeyringTest, ADataKeyOfOneSecretDoesNotOpenTheValueOfAnother) {
  const Keyring keyring = Open();
  const std::string one = keyring.Seal("one", "place");
  const std::string other = keyring.Seal("other", "place");
  const std::string mixed = one.substr(0, one.rfind('.')) + other.substr(other.rfind('.'));
  EXPECT_FALSE(keyring.Open(mixed, "place"));
}

TEST(Base64, HasOneSpellingOnly) {
  EXPECT_EQ(Base64Encode("Man"), "TWFu");
  EXPECT_EQ(*Base64Decode("TWE="), "Ma");
  EXPECT_EQ(*Base64Decode("TQ=="), "M");
  EXPECT_EQ(*Base64Decode(""), "");
  for (const char* bad :
       {"TWF", "TWE", "TR==", "TWFu\n", "TWF=u", "====", "T===", " TWF", "TW-_"}) {
    EXPECT_FALSE(Base64Decode(bad)) << bad;
  }
}

}  // namespace
}  // namespace howdah::vault
