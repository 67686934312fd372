// Every operation as a client sees it: shapes, AWS's fault codes, filters, pages; and that what is
// not kept is refused.
#include "services/secretsmanager/secretsmanager.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "aws/generated/secretsmanager.h"
#include "secrets/test_world.h"

namespace howdah::services {
namespace {

namespace sm = aws::secretsmanager;
using testing::HasSubstr;

const std::string kToken1(32, '1');
const std::string kToken2(32, '2');

class SecretsManagerTest : public testing::Test {
 protected:
  SecretsManagerTest() { RegisterSecretsManager(service_, world_.secrets(), world_.entropy()); }

  // Calls a handler as the protocol code does.
  template <typename Op>
  aws::Outcome<typename Op::Output> Call(const typename Op::Input& input) {
    const aws::Service::Handler* handler = service_.Find(Op::kName);
    if (handler == nullptr) return aws::Refuse("NoHandler", std::string(Op::kName));
    typename Op::Output output{};
    const aws::Outcome<void> called = handler->call(
        {.now = world_.clock().Now()},
        [&](void* decoded) -> aws::Outcome<void> {
          *static_cast<typename Op::Input*>(decoded) = input;
          return {};
        },
        [&](const void* encoded) { output = *static_cast<const typename Op::Output*>(encoded); });
    if (!called) return std::unexpected(called.error());
    return output;
  }
  template <typename Op>
  std::string CodeOf(const typename Op::Input& input) {
    const auto outcome = Call<Op>(input);
    return outcome ? "" : outcome.error().code;
  }
  sm::CreateSecretResponse Make(const std::string& name, const std::string& value = "hunter2") {
    world_.clock().Advance(1s);
    return Call<sm::CreateSecret>(
               {.name = name, .client_request_token = kToken1, .secret_string = value})
        .value();
  }
  std::vector<std::string> Names(sm::ListSecretsRequest request) {
    std::vector<std::string> names;
    const auto listed = Call<sm::ListSecrets>(request);
    for (const auto& entry : listed->secret_list) names.push_back(*entry.name);
    return names;
  }

  secrets::TestWorld world_;
  aws::Service service_{sm::kService};
};

TEST_F(SecretsManagerTest, ServesEveryOperationOfTheModel) {
  for (const aws::OperationDesc* operation : sm::kService.operations) {
    EXPECT_NE(service_.Find(operation->name), nullptr) << operation->name;
  }
}

TEST_F(SecretsManagerTest, ASecretIsCreatedReadAndDescribed) {
  const sm::CreateSecretResponse made = Make("prod-e/db");
  EXPECT_EQ(made.version_id, kToken1);
  const auto value = Call<sm::GetSecretValue>({.secret_id = made.arn});
  EXPECT_EQ(value->secret_string, "hunter2");
  EXPECT_FALSE(value->secret_binary);
  EXPECT_EQ(value->version_stages, std::vector<std::string>{"AWSCURRENT"});
  const auto described = Call<sm::DescribeSecret>({.secret_id = "prod-e/db"});
  EXPECT_EQ(described->arn, made.arn);
  EXPECT_EQ(described->version_ids_to_stages.at(kToken1), std::vector<std::string>{"AWSCURRENT"});
  EXPECT_FALSE(described->deleted_date);
  EXPECT_FALSE(described->rotation_enabled);
  EXPECT_FALSE(Call<sm::GetResourcePolicy>({.secret_id = "prod-e/db"})->resource_policy);
}

TEST_F(SecretsManagerTest, ASecretWithoutAValueAndOneOfBytes) {
  EXPECT_FALSE(Call<sm::CreateSecret>({.name = "empty"})->version_id);
  EXPECT_EQ(CodeOf<sm::GetSecretValue>({.secret_id = "empty"}), "ResourceNotFoundException");
  ASSERT_TRUE(Call<sm::PutSecretValue>({.secret_id = "empty", .secret_binary = aws::Blob{"\x01"}}));
  EXPECT_EQ(Call<sm::GetSecretValue>({.secret_id = "empty"})->secret_binary->bytes, "\x01");
}

TEST_F(SecretsManagerTest, FaultsAreAwssOwn) {
  const auto missing = Call<sm::GetSecretValue>({.secret_id = "none"});
  EXPECT_EQ(missing.error().code, "ResourceNotFoundException");
  EXPECT_EQ(missing.error().http_status, 400);
  EXPECT_EQ(missing.error().message, "Secrets Manager can't find the specified secret.");
  Make("s");
  EXPECT_EQ(CodeOf<sm::CreateSecret>({.name = "s", .secret_string = "x"}),
            "ResourceExistsException");
  EXPECT_EQ(CodeOf<sm::PutSecretValue>(
                {.secret_id = "s", .client_request_token = kToken1, .secret_string = "x"}),
            "ResourceExistsException");
  EXPECT_EQ(CodeOf<sm::PutSecretValue>({.secret_id = "s"}), "InvalidRequestException");
  EXPECT_EQ(CodeOf<sm::PutSecretValue>(
                {.secret_id = "s", .secret_binary = aws::Blob{"b"}, .secret_string = "x"}),
            "InvalidParameterException");
  EXPECT_EQ(
      CodeOf<sm::DeleteSecret>(
          {.secret_id = "s", .recovery_window_in_days = 7, .force_delete_without_recovery = true}),
      "InvalidParameterException");
  EXPECT_EQ(CodeOf<sm::ListSecrets>({.next_token = "nonsense"}), "InvalidNextTokenException");
  EXPECT_EQ(CodeOf<sm::GetRandomPassword>({.password_length = 2}), "InvalidParameterException");
  ASSERT_TRUE(Call<sm::DeleteSecret>({.secret_id = "s"}));
  EXPECT_EQ(Call<sm::GetSecretValue>({.secret_id = "s"}).error(),
            (aws::Fault{"InvalidRequestException", 400,
                        "You can't perform this operation on the secret because it was marked for "
                        "deletion.",
                        true}));
  EXPECT_EQ(CodeOf<sm::CreateSecret>({.name = "s"}), "InvalidRequestException");
}

TEST_F(SecretsManagerTest, WhatIsNotKeptIsRefused) {
  EXPECT_EQ(CodeOf<sm::CreateSecret>({.name = "s", .kms_key_id = "alias/mine"}),
            "InvalidParameterException");
  EXPECT_EQ(
      CodeOf<sm::CreateSecret>({.name = "s", .add_replica_regions = {{.region = "eu-west-1"}}}),
      "InvalidParameterException");
  EXPECT_EQ(CodeOf<sm::CreateSecret>({.name = "s", .type = "partner"}),
            "InvalidParameterException");
  EXPECT_EQ(CodeOf<sm::CreateSecret>({.name = "s", .tags = {{.key = "aws:x"}}}),
            "InvalidParameterException");
  EXPECT_EQ(CodeOf<sm::DescribeSecret>({.secret_id = "s"}), "ResourceNotFoundException");
  EXPECT_TRUE(Call<sm::CreateSecret>({.name = "s", .kms_key_id = "alias/aws/secretsmanager"}));
  EXPECT_EQ(CodeOf<sm::UpdateSecret>({.secret_id = "s", .kms_key_id = "1234"}),
            "InvalidParameterException");
  EXPECT_EQ(CodeOf<sm::PutSecretValue>(
                {.secret_id = "s", .secret_string = "x", .rotation_token = std::string(36, 'r')}),
            "InvalidParameterException");
}

TEST_F(SecretsManagerTest, DeletionHasADateAndRestoreTakesItBack) {
  Make("s");
  const auto deleted = Call<sm::DeleteSecret>({.secret_id = "s", .recovery_window_in_days = 7});
  EXPECT_EQ(deleted->deletion_date, world_.clock().Now() + std::chrono::days(7));
  EXPECT_EQ(Call<sm::DescribeSecret>({.secret_id = "s"})->deleted_date, deleted->deletion_date);
  EXPECT_TRUE(Names({}).empty());
  EXPECT_EQ(Names({.include_planned_deletion = true}), std::vector<std::string>{"s"});
  ASSERT_TRUE(Call<sm::RestoreSecret>({.secret_id = "s"}));
  EXPECT_EQ(Names({}), std::vector<std::string>{"s"});
  const sm::DeleteSecretRequest force{.secret_id = "s", .force_delete_without_recovery = true};
  EXPECT_TRUE(Call<sm::DeleteSecret>(force)->arn);
  EXPECT_EQ(CodeOf<sm::DeleteSecret>(force), "");  // as on AWS
  EXPECT_EQ(CodeOf<sm::DescribeSecret>({.secret_id = "s"}), "ResourceNotFoundException");
}

TEST_F(SecretsManagerTest, StagesMoveAndVersionsAreListed) {
  Make("s");
  const auto put = Call<sm::PutSecretValue>(
      {.secret_id = "s", .client_request_token = kToken2, .secret_string = "two"});
  EXPECT_EQ(put->version_stages, std::vector<std::string>{"AWSCURRENT"});
  ASSERT_TRUE(Call<sm::UpdateSecretVersionStage>({.secret_id = "s",
                                                  .version_stage = "AWSCURRENT",
                                                  .remove_from_version_id = kToken2,
                                                  .move_to_version_id = kToken1}));
  EXPECT_EQ(Call<sm::GetSecretValue>({.secret_id = "s"})->secret_string, "hunter2");
  EXPECT_EQ(Call<sm::ListSecretVersionIds>({.secret_id = "s"})->versions.size(), 2U);
  ASSERT_TRUE(Call<sm::UpdateSecretVersionStage>(
      {.secret_id = "s", .version_stage = "AWSPREVIOUS", .remove_from_version_id = kToken2}));
  EXPECT_EQ(Call<sm::ListSecretVersionIds>({.secret_id = "s"})->versions.size(), 1U);
  EXPECT_EQ(Call<sm::ListSecretVersionIds>({.secret_id = "s", .include_deprecated = true})
                ->versions.size(),
            2U);
}

TEST_F(SecretsManagerTest, ListsAreSortedFilteredAndCutIntoPages) {
  using Strings = std::vector<std::string>;
  for (const char* name : {"prod/c", "prod/a", "test/b"}) Make(name);
  ASSERT_TRUE(
      Call<sm::TagResource>({.secret_id = "test/b", .tags = {{.key = "Team", .value = "x"}}}));
  ASSERT_TRUE(Call<sm::UpdateSecret>({.secret_id = "prod/c", .description = "The Database here"}));
  EXPECT_EQ(Names({}), (Strings{"prod/c", "prod/a", "test/b"}));
  EXPECT_EQ(Names({.sort_order = "desc"}), (Strings{"test/b", "prod/a", "prod/c"}));
  EXPECT_EQ(Names({.sort_by = "name"}), (Strings{"prod/a", "prod/c", "test/b"}));
  EXPECT_EQ(Names({.filters = {{.key = "name", .values = {"prod/"}}}}),
            (Strings{"prod/c", "prod/a"}));
  EXPECT_EQ(Names({.filters = {{.key = "name", .values = {"!prod/"}}}}), Strings{"test/b"});
  EXPECT_EQ(Names({.filters = {{.key = "tag-key", .values = {"Te"}}}}), Strings{"test/b"});
  EXPECT_EQ(Names({.filters = {{.key = "tag-key", .values = {"te"}}}}), Strings{});
  EXPECT_EQ(Names({.filters = {{.key = "tag-value", .values = {"x"}}}}), Strings{"test/b"});
  EXPECT_EQ(Names({.filters = {{.key = "all", .values = {"database"}}}}), Strings{"prod/c"});
  EXPECT_EQ(Names({.filters = {{.key = "all", .values = {"here data"}}}}), Strings{"prod/c"});
  EXPECT_EQ(Names({.filters = {{.key = "all", .values = {"here nowhere"}}}}), Strings{});
  EXPECT_EQ(Names({.filters = {{.key = "all", .values = {"TEAM"}}}}), Strings{"test/b"});
  EXPECT_EQ(Names({.filters = {{.key = "description", .values = {"the data"}}}}),
            Strings{"prod/c"});
  EXPECT_EQ(Names({.filters = {{.key = "description", .values = {"database"}}}}), Strings{});
  EXPECT_EQ(Names({.filters = {{.key = "name", .values = {"!prod/c", "!test/"}}}}),
            Strings{"prod/a"});
  EXPECT_EQ(Names({.filters = {{.key = "name", .values = {"prod/", "!prod/c"}}}}),
            Strings{"prod/a"});
  EXPECT_EQ(Names({.filters = {{.key = "primary-region", .values = {"us-"}}}}), Strings{});
  EXPECT_EQ(Names({.filters = {{.key = "owning-service", .values = {"!rds"}}}}).size(), 3U);
  EXPECT_EQ(Names({.filters = {{.key = "name", .values = {"prod", "test"}},
                               {.key = "description", .values = {"the"}}}}),
            Strings{"prod/c"});
  for (const char* order : {"asc", "desc"}) {
    Strings paged;
    std::optional<std::string> token;
    do {
      const auto page =
          Call<sm::ListSecrets>({.max_results = 2, .next_token = token, .sort_order = order});
      for (const auto& entry : page->secret_list) paged.push_back(*entry.name);
      token = page->next_token;
    } while (token);
    EXPECT_EQ(paged, Names({.sort_order = order}));
  }
}

TEST_F(SecretsManagerTest, NamesHaveAwssCharacters) {
  for (const std::string& name : {std::string("a b"), std::string("a\0", 2), std::string("a*"),
                                  std::string("\xc3\xbc"), std::string(513, 'a')}) {
    EXPECT_EQ(CodeOf<sm::CreateSecret>({.name = name}), "ValidationException") << name;
  }
  EXPECT_EQ(CodeOf<sm::CreateSecret>({.name = "/_+=.@!-" + std::string(500, 'a')}), "");
}

TEST_F(SecretsManagerTest, ATokenSaysWhetherItIsTheSameCall) {
  const sm::CreateSecretRequest create{
      .name = "s", .client_request_token = kToken1, .secret_string = "x"};
  const auto first = Call<sm::CreateSecret>(create);
  EXPECT_EQ(Call<sm::CreateSecret>(create)->arn, first->arn);
  auto other = create;
  other.secret_string = "y";
  EXPECT_EQ(CodeOf<sm::CreateSecret>(other), "ResourceExistsException");
  const sm::PutSecretValueRequest put{
      .secret_id = "s", .client_request_token = kToken2, .secret_string = "two"};
  ASSERT_TRUE(Call<sm::PutSecretValue>(put));
  EXPECT_EQ(Call<sm::PutSecretValue>(put)->version_id, kToken2);
  EXPECT_EQ(CodeOf<sm::UpdateSecret>(
                {.secret_id = "s", .client_request_token = kToken2, .secret_string = "three"}),
            "ResourceExistsException");
  EXPECT_EQ(Call<sm::ListSecretVersionIds>({.secret_id = "s"})->versions.size(), 2U);
}

TEST_F(SecretsManagerTest, ASecretIsFoundByWholeAndPartialArnOnly) {
  const std::string arn = *Make("prod/db").arn;
  const std::string partial = arn.substr(0, arn.size() - 7);
  for (const std::string& id : {arn, partial, std::string("prod/db")}) {
    EXPECT_EQ(CodeOf<sm::GetSecretValue>({.secret_id = id}), "") << id;
  }
  const std::string region = "us-west-2";
  std::string elsewhere = arn;
  elsewhere.replace(elsewhere.find(region), region.size(), "eu-west-1");
  for (const std::string& id : {elsewhere, partial.substr(0, partial.size() - 1), arn + "x",
                                partial + "-zzzzzz", std::string("db"), std::string("arn:")}) {
    EXPECT_EQ(CodeOf<sm::GetSecretValue>({.secret_id = id}), "ResourceNotFoundException") << id;
  }
}

TEST_F(SecretsManagerTest, TheRecoveryWindowIsSevenToThirtyDays) {
  Make("s");
  for (const std::int64_t days : {-1, 0, 6, 31, 1'000'000}) {
    EXPECT_EQ(CodeOf<sm::DeleteSecret>({.secret_id = "s", .recovery_window_in_days = days}),
              "InvalidParameterException")
        << days;
  }
  const auto deleted = Call<sm::DeleteSecret>({.secret_id = "s"});
  EXPECT_EQ(deleted->deletion_date, world_.clock().Now() + std::chrono::days(30));
  EXPECT_EQ(CodeOf<sm::DeleteSecret>({.secret_id = "s"}), "InvalidRequestException");
  world_.clock().Advance(std::chrono::days(31));
  EXPECT_EQ(world_.secrets().PurgeDue(world_.clock().Now()).value(), 1);
  EXPECT_EQ(CodeOf<sm::RestoreSecret>({.secret_id = "s"}), "ResourceNotFoundException");
  Make("s");  // the name is free again
}

TEST_F(SecretsManagerTest, ValuesHave65536Bytes) {
  const std::string most(65536, 'x');
  Make("s", most);
  EXPECT_EQ(Call<sm::GetSecretValue>({.secret_id = "s"})->secret_string, most);
  EXPECT_EQ(CodeOf<sm::PutSecretValue>({.secret_id = "s", .secret_string = most + "x"}),
            "InvalidParameterException");
  EXPECT_EQ(CodeOf<sm::PutSecretValue>({.secret_id = "s", .secret_binary = aws::Blob{most}}), "");
}

TEST_F(SecretsManagerTest, ManyValuesAtOnce) {
  const std::string arn = *Make("a", "1").arn;
  Make("b", "2");
  ASSERT_TRUE(Call<sm::CreateSecret>({.name = "empty"}));
  const auto listed =
      Call<sm::BatchGetSecretValue>({.secret_id_list = {arn, "b", "none", "empty"}});
  ASSERT_EQ(listed->secret_values.size(), 2U);
  EXPECT_EQ(listed->secret_values[0].secret_string, "1");
  EXPECT_EQ(listed->secret_values[1].name, "b");
  ASSERT_EQ(listed->errors.size(), 2U);
  EXPECT_EQ(listed->errors[0].secret_id, "none");
  EXPECT_EQ(listed->errors[0].error_code, "ResourceNotFoundException");
  const sm::BatchGetSecretValueRequest by_name{.filters = {{.key = "name", .values = {"!e"}}},
                                               .max_results = 1};
  const auto first = Call<sm::BatchGetSecretValue>(by_name);
  EXPECT_EQ(first->secret_values.at(0).name, "a");
  auto next = by_name;
  next.next_token = first->next_token;
  const auto second = Call<sm::BatchGetSecretValue>(next);
  EXPECT_EQ(second->secret_values.at(0).name, "b");
  EXPECT_FALSE(second->next_token);
  EXPECT_EQ(CodeOf<sm::BatchGetSecretValue>({}), "InvalidParameterException");
  EXPECT_EQ(CodeOf<sm::BatchGetSecretValue>(
                {.secret_id_list = {"a"}, .filters = {{.key = "name", .values = {"a"}}}}),
            "InvalidParameterException");
  EXPECT_EQ(CodeOf<sm::BatchGetSecretValue>({.secret_id_list = {"a"}, .max_results = 1}),
            "InvalidParameterException");
}

TEST_F(SecretsManagerTest, StagesMoveOnlyAsTheirHoldersAllow) {
  Make("s");
  ASSERT_TRUE(Call<sm::PutSecretValue>({.secret_id = "s",
                                        .client_request_token = kToken2,
                                        .secret_string = "two",
                                        .version_stages = {"mine"}}));
  const auto move = [&](const char* stage, std::optional<std::string> from,
                        std::optional<std::string> to) {
    return CodeOf<sm::UpdateSecretVersionStage>({.secret_id = "s",
                                                 .version_stage = stage,
                                                 .remove_from_version_id = from,
                                                 .move_to_version_id = to});
  };
  EXPECT_EQ(move("mine", {}, {}), "InvalidParameterException");
  EXPECT_EQ(move("mine", kToken1, {}), "InvalidParameterException");        // it is not there
  EXPECT_EQ(move("mine", {}, kToken1), "InvalidParameterException");        // it is elsewhere
  EXPECT_EQ(move("AWSCURRENT", kToken1, {}), "InvalidParameterException");  // needs a holder
  EXPECT_EQ(move("mine", kToken2, std::string(32, '9')), "ResourceNotFoundException");
  EXPECT_EQ(move("mine", kToken2, kToken1), "");
  EXPECT_EQ(move("fresh", {}, kToken2), "");
  EXPECT_EQ(move("fresh", {}, kToken2), "");  // it is there already
  EXPECT_EQ(move("AWSCURRENT", kToken1, kToken2), "");
  const auto stages = Call<sm::DescribeSecret>({.secret_id = "s"})->version_ids_to_stages;
  EXPECT_THAT(stages.at(kToken1), testing::UnorderedElementsAre("mine", "AWSPREVIOUS"));
  EXPECT_THAT(stages.at(kToken2), testing::UnorderedElementsAre("fresh", "AWSCURRENT"));
}

TEST_F(SecretsManagerTest, VersionsComeInPages) {
  Make("s");
  for (int i = 2; i < 10; ++i) {
    ASSERT_TRUE(
        Call<sm::PutSecretValue>({.secret_id = "s", .secret_string = "x" + std::to_string(i)}));
  }
  std::set<std::string> seen;
  sm::ListSecretVersionIdsRequest request{
      .secret_id = "s", .max_results = 2, .include_deprecated = true};
  do {
    const auto page = Call<sm::ListSecretVersionIds>(request);
    EXPECT_LE(page->versions.size(), 2U);
    for (const auto& version : page->versions) seen.insert(*version.version_id);
    request.next_token = page->next_token;
  } while (request.next_token);
  EXPECT_EQ(seen.size(), 9U);
}

TEST_F(SecretsManagerTest, FiftyTagsAreTheMost) {
  Make("s");
  aws::List<sm::Tag> tags;
  for (int i = 0; i < 50; ++i) tags.push_back({.key = std::to_string(i)});
  EXPECT_EQ(CodeOf<sm::TagResource>({.secret_id = "s", .tags = tags}), "");
  EXPECT_EQ(CodeOf<sm::TagResource>({.secret_id = "s", .tags = {{.key = "more"}}}),
            "InvalidParameterException");
  EXPECT_EQ(CodeOf<sm::TagResource>({.secret_id = "s", .tags = {{.key = "1", .value = "v"}}}), "");
  EXPECT_EQ(CodeOf<sm::TagResource>({.secret_id = "s", .tags = {{.key = "a"}, {.key = "a"}}}),
            "InvalidParameterException");
}

TEST_F(SecretsManagerTest, TagsComeAndGo) {
  Make("s");
  ASSERT_TRUE(Call<sm::TagResource>(
      {.secret_id = "s", .tags = {{.key = "a", .value = "1"}, {.key = "b"}}}));
  ASSERT_TRUE(Call<sm::UntagResource>({.secret_id = "s", .tag_keys = {"a"}}));
  const auto tags = Call<sm::DescribeSecret>({.secret_id = "s"})->tags;
  ASSERT_EQ(tags.size(), 1U);
  EXPECT_EQ(tags[0].key, "b");
  EXPECT_EQ(tags[0].value, "");
}

TEST_F(SecretsManagerTest, RandomPasswordsFollowTheRules) {
  const auto password =
      Call<sm::GetRandomPassword>({.password_length = 40, .exclude_punctuation = true});
  EXPECT_EQ(password->random_password->size(), 40U);
  EXPECT_EQ(Call<sm::GetRandomPassword>({})->random_password->size(), 32U);
  const auto odd = Call<sm::GetRandomPassword>({.password_length = 200,
                                                .exclude_characters = "abc",
                                                .exclude_numbers = true,
                                                .exclude_punctuation = true,
                                                .exclude_uppercase = true,
                                                .include_space = true});
  EXPECT_EQ(odd->random_password->find_first_not_of("defghijklmnopqrstuvwxyz "), std::string::npos);
  EXPECT_TRUE(odd->random_password->contains(' '));
  EXPECT_EQ(CodeOf<sm::GetRandomPassword>({.password_length = 3}), "InvalidParameterException");
  EXPECT_EQ(
      CodeOf<sm::GetRandomPassword>({.password_length = 3, .require_each_included_type = false}),
      "");
  EXPECT_EQ(CodeOf<sm::GetRandomPassword>({.exclude_numbers = true,
                                           .exclude_punctuation = true,
                                           .exclude_uppercase = true,
                                           .exclude_lowercase = true}),
            "InvalidParameterException");
  EXPECT_EQ(password->random_password->find_first_of("!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~"),
            std::string::npos);
}

}  // namespace
}  // namespace howdah::services
