// A data key is durable before it is used, and opens only under the master key that sealed it.
#include "repository/keys.h"

#include <gtest/gtest.h>

#include "repository/memory_repository.h"
#include "system/fake/seeded_entropy.h"

namespace howdah::repository {
namespace {

class KeysTest : public testing::Test {
 protected:
  system::SeededEntropy entropy_;
  const vault::Keyring keyring_{std::string(32, 'm'), entropy_};
  MemoryRepository repository_;
  Keys keys_{repository_, keyring_, entropy_};
};

TEST_F(KeysTest, AKeyIsFoundByWhoeverHasTheRepositoryAndTheMasterKey) {
  const auto made = keys_.Make();
  ASSERT_TRUE(made);
  EXPECT_EQ(made->key.size(), 32U);
  EXPECT_EQ(keys_.Find(made->id)->key, made->key);
  Keys others(repository_, keyring_, entropy_);
  EXPECT_EQ(others.Find(made->id)->key, made->key);
  EXPECT_NE(keys_.Make()->id, made->id);
  EXPECT_EQ(repository_.Get("keys/" + made->id)->find(made->key), std::string::npos);
}

TEST_F(KeysTest, AKeyThatIsNotDurableIsNone) {
  repository_.FailAfter(0, Error(Code::kUnavailable, "full"));
  EXPECT_EQ(keys_.Make().error().code(), Code::kUnavailable);
}

TEST_F(KeysTest, AForeignMovedOrChangedKeyDoesNotOpen) {
  const std::string id = keys_.Make()->id;
  const std::string moved(32, 'b');
  repository_.Overwrite("keys/" + moved, *repository_.Get("keys/" + id));
  EXPECT_EQ(keys_.Find(moved).error().code(), Code::kCorrupt);
  const vault::Keyring foreign(std::string(32, 'f'), entropy_);
  Keys others(repository_, foreign, entropy_);
  EXPECT_EQ(others.Find(id).error().code(), Code::kCorrupt);
  repository_.Overwrite("keys/" + id, "hv1.x.y");
  EXPECT_EQ(Keys(repository_, keyring_, entropy_).Find(id).error().code(), Code::kCorrupt);
}

TEST_F(KeysTest, WhatIsNoKeyIsNotFound) {
  EXPECT_EQ(keys_.Find(std::string(32, 'a')).error().code(), Code::kNotFound);
  EXPECT_EQ(keys_.Find("../../etc/passwd").error().code(), Code::kNotFound);
}

}  // namespace
}  // namespace howdah::repository
