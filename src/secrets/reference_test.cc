// A dynamic reference gives exactly the value it names, and its errors never hold one.
#include "secrets/reference.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/json.h"
#include "secrets/test_world.h"

namespace howdah::secrets {
namespace {

const std::string kToken(32, '1');

class ReferenceTest : public testing::Test {
 protected:
  void SetUp() override {
    const Content content{.bytes = R"({"username":"u","password":"hunter2","port":5432})"};
    arn_ = world_.secrets()
               .Create({.name = "prod-e/db", .token = kToken, .content = content})
               ->record.arn;
  }
  Result<std::string> Resolve(const std::string& inside) {
    return ResolveReference(world_.secrets(), "{{resolve:secretsmanager:" + inside + "}}");
  }
  TestWorld world_;
  std::string arn_;
};

TEST_F(ReferenceTest, NamesASecretAKeyAndAVersion) {
  EXPECT_EQ(*Resolve("prod-e/db:SecretString:password"), "hunter2");
  EXPECT_EQ(*Resolve("prod-e/db:SecretString:password::"), "hunter2");
  EXPECT_EQ(*Resolve(arn_ + ":SecretString:username"), "u");
  EXPECT_EQ(*Resolve("prod-e/db:SecretString:port:AWSCURRENT"), "5432");
  EXPECT_EQ(*Resolve("prod-e/db:SecretString:username::" + kToken), "u");
  EXPECT_THAT(*Resolve("prod-e/db"), testing::HasSubstr("hunter2"));
  EXPECT_EQ(*Resolve(arn_), *Resolve("prod-e/db:SecretString"));
}

TEST_F(ReferenceTest, WhatIsMissingIsNotFoundAndNothingLeaks) {
  for (const std::string& missing :
       {std::string("none:SecretString:x"), std::string("prod-e/db:SecretString:nokey"),
        std::string("prod-e/db:SecretString:password:AWSPENDING")}) {
    const Result<std::string> resolved = Resolve(missing);
    ASSERT_FALSE(resolved) << missing;
    EXPECT_EQ(resolved.error().code(), Code::kNotFound);
    EXPECT_EQ(resolved.error().what().find("hunter2"), std::string::npos);
  }
}

TEST_F(ReferenceTest, MalformedOnesAreRefused) {
  for (const char* bad : {"", "prod-e/db:SecretBinary:x", "a:SecretString:b:c:d:e",
                          "a:SecretString:k:STAGE:VERSION"}) {
    EXPECT_EQ(Resolve(bad).error().code(), Code::kInvalid) << bad;
  }
}

TEST_F(ReferenceTest, AGeneratedStringTakesItsPlaceInTheTemplate) {
  const std::string made =
      *GenerateSecretString(world_.entropy(), {.length = 20}, R"({"username":"u"})", "password");
  const json::object object = *ParseJsonObject(made);
  EXPECT_EQ(JsonString(object, "username"), "u");
  EXPECT_EQ(JsonString(object, "password").size(), 20U);
  EXPECT_EQ(GenerateSecretString(world_.entropy(), {}, "", "")->size(), 32U);
  EXPECT_FALSE(GenerateSecretString(world_.entropy(), {}, "{}", ""));
  EXPECT_FALSE(GenerateSecretString(world_.entropy(), {}, "[]", "password"));
}

}  // namespace
}  // namespace howdah::secrets
