// Secrets keep what they were given, under every way of naming them, and give it to nobody else.
#include "secrets/secrets.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <regex>

#include "secrets/test_world.h"

namespace howdah::secrets {
namespace {

using testing::HasSubstr;

const std::string kToken1(32, '1');
const std::string kToken2(32, '2');
const std::string kToken3(32, '3');

Content Text(std::string bytes) {
  return {.bytes = std::move(bytes), .binary = false};
}

class SecretsTest : public testing::Test {
 protected:
  Secrets& secrets() { return world_.secrets(); }
  Written Made(const std::string& name = "prod-e/db", const std::string& value = "hunter2") {
    Result<Written> written =
        secrets().Create({.name = name, .token = kToken1, .content = Text(value)});
    EXPECT_TRUE(written) << (written ? "" : written.error().what());
    return *std::move(written);
  }
  std::string Read(const std::string& version = "", const std::string& stage = "") {
    const Result<Value> value = secrets().GetValue("prod-e/db", version, stage);
    return value ? value->content.bytes : "error: " + value.error().what();
  }
  TestWorld world_;
};

TEST_F(SecretsTest, AreFoundByNameByArnAndByArnWithoutItsEnding) {
  const std::string arn = Made().record.arn;
  EXPECT_TRUE(std::regex_match(
      arn, std::regex("arn:aws:secretsmanager:us-west-2:123456789012:secret:prod-e/db-\\w{6}")));
  EXPECT_EQ(secrets().Find("prod-e/db")->arn, arn);
  EXPECT_EQ(secrets().Find(arn)->name, "prod-e/db");
  EXPECT_EQ(secrets().Find(arn.substr(0, arn.size() - 7))->name, "prod-e/db");
  for (const std::string& other : {arn.substr(0, arn.size() - 1) + "!", arn.substr(4),
                                   std::string("prod-e"), std::string("arn:"), std::string("")}) {
    EXPECT_EQ(secrets().Find(other).error().code(), Code::kNotFound) << other;
  }
}

TEST_F(SecretsTest, ANameThatEndsLikeAnArnIsNotTakenForAnother) {
  const std::string plain = Made("a").record.arn;
  const std::string tricky = Made("a-AbCdEf").record.arn;
  EXPECT_EQ(secrets().Find(plain)->name, "a");
  EXPECT_EQ(secrets().Find(tricky)->name, "a-AbCdEf");
  EXPECT_EQ(secrets().Find(tricky.substr(0, tricky.size() - 7))->name, "a-AbCdEf");
}

TEST_F(SecretsTest, NoValueIsReadableInTheStore) {
  Made();
  for (const store::Document& document : world_.store().List("/")->documents) {
    EXPECT_EQ(document.value.find("hunter2"), std::string::npos) << document.key;
  }
}

TEST_F(SecretsTest, ASealedValueMovedToAnotherSecretDoesNotOpen) {
  const Record one = Made("one", "first").record;
  const Record other = Made("other", "second").record;
  const store::Document moved = *world_.store().Get(ValueKey(one.id, kToken1));
  ASSERT_TRUE(world_.store().Commit(
      {.compares = {}, .puts = {{ValueKey(other.id, kToken1), moved.value, ""}}, .deletes = {}}));
  EXPECT_EQ(secrets().GetValue("other", "", "").error().code(), Code::kCorrupt);
}

TEST_F(SecretsTest, CreatingAgainWithTheSameTokenAndContentIsTheSameAnswer) {
  const Written first = Made();
  EXPECT_EQ(Made().record.arn, first.record.arn);
  EXPECT_EQ(Made().version_id, kToken1);
  const Result<Written> different =
      secrets().Create({.name = "prod-e/db", .token = kToken1, .content = Text("other")});
  EXPECT_EQ(different.error().code(), Code::kAlreadyExists);
  EXPECT_THAT(different.error().what(), HasSubstr("prod-e/db already exists"));
  const Result<Written> generated = secrets().Create({.name = "prod-e/db",
                                                      .token = kToken1,
                                                      .content = Text("drawn anew"),
                                                      .content_is_generated = true});
  EXPECT_EQ(generated->version_id, kToken1);
  EXPECT_EQ(Read(), "hunter2");
}

TEST_F(SecretsTest, AnUnfitNameValueOrTagListIsRefused) {
  EXPECT_EQ(secrets().Create({.name = "a b"}).error().code(), Code::kInvalid);
  EXPECT_EQ(secrets().Create({.name = std::string(513, 'n')}).error().code(), Code::kInvalid);
  EXPECT_EQ(secrets().Create({.name = "x", .content = Text("")}).error().code(), Code::kInvalid);
  EXPECT_EQ(
      secrets().Create({.name = "x", .content = Text(std::string(65537, 'x'))}).error().code(),
      Code::kInvalid);
  EXPECT_TRUE(secrets().Create({.name = "x", .content = Text(std::string(65536, 'x'))}));
  Made();
  std::map<std::string, std::string> tags;
  for (int i = 0; i < 51; ++i) tags["t" + std::to_string(i)] = "";
  EXPECT_EQ(secrets().Tag("prod-e/db", tags).error().code(), Code::kInvalid);
  EXPECT_TRUE(secrets().Find("prod-e/db")->tags.empty());
}

TEST_F(SecretsTest, ANewValueIsCurrentAndTheOldOneIsPrevious) {
  Made();
  EXPECT_EQ(secrets()
                .Put({.secret_id = "prod-e/db", .token = kToken2, .content = Text("two")})
                ->version_id,
            kToken2);
  EXPECT_EQ(Read(), "two");
  EXPECT_EQ(Read("", "AWSPREVIOUS"), "hunter2");
  EXPECT_EQ(Read(kToken1), "hunter2");
  EXPECT_EQ(Read(kToken1, "AWSPREVIOUS"), "hunter2");
  EXPECT_THAT(Read(kToken1, "AWSCURRENT"), HasSubstr("not associated"));
  EXPECT_THAT(Read("", "AWSPENDING"), HasSubstr("for staging label: AWSPENDING"));
  EXPECT_THAT(Read(kToken3), HasSubstr("for VersionId: " + kToken3));
}

TEST_F(SecretsTest, AVersionIsNeverOverwritten) {
  Made();
  const PutRequest put{.secret_id = "prod-e/db", .token = kToken2, .content = Text("two")};
  ASSERT_TRUE(secrets().Put(put));
  EXPECT_TRUE(secrets().Put(put));
  PutRequest other = put;
  other.content = Text("three");
  EXPECT_EQ(secrets().Put(other).error().code(), Code::kAlreadyExists);
  other.content = {.bytes = "two", .binary = true};
  EXPECT_EQ(secrets().Put(other).error().code(), Code::kAlreadyExists);
  EXPECT_EQ(secrets().Find("prod-e/db")->versions.size(), 2U);
}

TEST_F(SecretsTest, AValueMayComeLaterAndAsBytes) {
  ASSERT_TRUE(secrets().Create({.name = "prod-e/db"}));
  EXPECT_THAT(Read(), HasSubstr("staging label: AWSCURRENT"));
  const std::string bytes("\0\xff", 2);
  ASSERT_TRUE(secrets().Put({.secret_id = "prod-e/db",
                             .token = kToken1,
                             .content = {.bytes = bytes, .binary = true},
                             .stages = {"mine"}}));
  const Result<Value> value = secrets().GetValue("prod-e/db", "", "");  // the first is current
  EXPECT_EQ(value->content.bytes, bytes);
  EXPECT_TRUE(value->content.binary);
}

TEST_F(SecretsTest, UpdateChangesDescriptionAndValueEachAlone) {
  Made();
  EXPECT_EQ(secrets().Update({.secret_id = "prod-e/db", .description = "mine"})->version_id, "");
  EXPECT_EQ(Read(), "hunter2");
  EXPECT_EQ(secrets()
                .Update({.secret_id = "prod-e/db", .token = kToken2, .content = Text("two")})
                ->version_id,
            kToken2);
  EXPECT_EQ(secrets().Find("prod-e/db")->description, "mine");
  EXPECT_EQ(Read(), "two");
}

TEST_F(SecretsTest, ADeletedSecretAnswersNothingUntilItIsRestored) {
  const std::string arn = Made().record.arn;
  EXPECT_EQ(secrets().Delete("prod-e/db", 6).error().code(), Code::kInvalid);
  EXPECT_EQ(secrets().Delete("prod-e/db", 31).error().code(), Code::kInvalid);
  EXPECT_EQ(secrets().Delete(arn, 7)->deletion, world_.clock().Now() + std::chrono::days(7));
  EXPECT_THAT(Read(), HasSubstr("marked for deletion"));
  EXPECT_EQ(secrets().Delete(arn, 7).error().code(), Code::kFailedState);
  EXPECT_EQ(secrets().Put({.secret_id = arn, .content = Text("x")}).error().code(),
            Code::kFailedState);
  EXPECT_EQ(secrets().Tag(arn, {{"a", "b"}}).error().code(), Code::kFailedState);
  EXPECT_EQ(secrets().Create({.name = "prod-e/db"}).error().code(), Code::kFailedState);
  EXPECT_TRUE(secrets().Find(arn)->deletion);
  EXPECT_FALSE(secrets().Restore(arn)->deletion);
  EXPECT_EQ(Read(), "hunter2");
}

TEST_F(SecretsTest, PurgeTakesWhatIsDueWholeAndNothingElse) {
  Made();
  Made("stays");
  ASSERT_TRUE(secrets().Delete("prod-e/db", 7));
  world_.clock().Advance(std::chrono::days(7) - 1s);
  EXPECT_EQ(*secrets().PurgeDue(world_.clock().Now()), 0);
  world_.clock().Advance(1s);
  EXPECT_EQ(*secrets().PurgeDue(world_.clock().Now()), 1);
  EXPECT_EQ(secrets().Find("prod-e/db").error().code(), Code::kNotFound);
  EXPECT_EQ(secrets().List()->size(), 1U);
  EXPECT_EQ(world_.store().List("/secrets/")->documents.size(), 3U);  // all of "stays"
  EXPECT_TRUE(Made().record.id.size());                               // the name is free again
}

TEST_F(SecretsTest, AForcedDeletionIsAtOnceAndMayBeRepeated) {
  Made();
  ASSERT_TRUE(secrets().Delete("prod-e/db", 30));
  EXPECT_TRUE(*secrets().ForceDelete("prod-e/db"));
  EXPECT_FALSE(*secrets().ForceDelete("prod-e/db"));
  EXPECT_TRUE(world_.store().List("/secrets/")->documents.empty());
}

TEST_F(SecretsTest, TagsAreAddedReplacedAndTakenAway) {
  Made();
  ASSERT_TRUE(secrets().Tag("prod-e/db", {{"a", "1"}, {"b", "2"}}));
  ASSERT_TRUE(secrets().Tag("prod-e/db", {{"a", "3"}}));
  ASSERT_TRUE(secrets().Untag("prod-e/db", {"b", "none"}));
  EXPECT_EQ(secrets().Find("prod-e/db")->tags, (std::map<std::string, std::string>{{"a", "3"}}));
}

TEST_F(SecretsTest, TheDayOfTheLastAccessIsKept) {
  Made();
  EXPECT_FALSE(secrets().Find("prod-e/db")->accessed);
  Read();
  EXPECT_EQ(FormatIso8601(*secrets().Find("prod-e/db")->accessed), "2026-11-23T00:00:00.000Z");
}

TEST_F(SecretsTest, ARecordSurvivesItsDocument) {
  Made();
  ASSERT_TRUE(secrets().Tag("prod-e/db", {{"a", "1"}}));
  ASSERT_TRUE(secrets().Delete("prod-e/db", 9));
  const Record record = *secrets().Find("prod-e/db");
  EXPECT_EQ(ToJson(*ParseRecord(ToJson(record))), ToJson(record));
  EXPECT_FALSE(ParseRecord("{}"));
  EXPECT_FALSE(ParseRecord("no"));
}

}  // namespace
}  // namespace howdah::secrets
