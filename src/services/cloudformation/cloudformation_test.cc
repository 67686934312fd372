// The life of a stack as clients see it: creation, deletion, failures, listings, change sets.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "services/cloudformation/test_stack.h"

namespace howdah::cfn {
namespace {

using testing::HasSubstr;

TEST_F(CloudFormation, CreatesEverythingInOrderAndDeletesItAgain) {
  const auto created = Create();
  ASSERT_TRUE(created) << created.error().message;
  EXPECT_EQ(*Describe().stack_status, "CREATE_IN_PROGRESS");
  RunToEnd();
  const api::Stack stack = Describe();
  EXPECT_EQ(*stack.stack_status, "CREATE_COMPLETE") << fmt::format("{}", fmt::join(Events(), "\n"));
  EXPECT_EQ(cloud_.Names(), kEverything);
  ASSERT_EQ(stack.outputs.size(), 1U);
  EXPECT_THAT(*stack.outputs[0].output_value, HasSubstr("prod-e-db-"));
  for (const auto& [id, thing] : cloud_.things) {
    if (thing.kind == "db-instance") EXPECT_EQ(thing.values.at("password"), "s3cr3t-value");
    if (thing.kind == "subnet") EXPECT_EQ(thing.values.at("zone"), "us-west-2b");
    if (thing.kind == "secret") EXPECT_THAT(thing.values.at("value"), HasSubstr("\"host\""));
  }
  const auto events = Events();
  EXPECT_EQ(events.front(), "prod-e CREATE_IN_PROGRESS: User Initiated");
  EXPECT_EQ(events[1], "Vpc CREATE_IN_PROGRESS");
  EXPECT_EQ(events.back(), "prod-e CREATE_COMPLETE");

  ASSERT_TRUE(Call<api::DeleteStack>({.stack_name = "prod-e"}));
  RunToEnd();
  EXPECT_EQ(cloud_.Names(), "");
  const auto gone = Call<api::DescribeStacks>({.stack_name = "prod-e"});
  ASSERT_FALSE(gone);
  EXPECT_EQ(gone.error().code, "ValidationError");
  EXPECT_EQ(gone.error().message, "Stack with id prod-e does not exist");
  EXPECT_EQ(*Describe(*created->stack_id).stack_status, "DELETE_COMPLETE");
  EXPECT_TRUE(Create()) << "the name is free again";
}

TEST_F(CloudFormation, KeepsNoSecretInTheStore) {
  ASSERT_TRUE(Create());
  RunToEnd();
  const auto listing = (*store_).List("/");
  ASSERT_TRUE(listing);
  for (const auto& document : listing->documents) {
    EXPECT_EQ(document.value.find("s3cr3t-value"), std::string::npos) << document.key;
    EXPECT_EQ(document.value.find("hidden-default"), std::string::npos) << document.key;
  }
  const api::Stack stack = Describe();
  ASSERT_EQ(stack.parameters.size(), 2U);
  EXPECT_EQ(*stack.parameters[1].parameter_value, "****");
}

TEST_F(CloudFormation, RollsBackWhenAResourceFails) {
  cloud_.refused = {"CreateDBInstance"};
  ASSERT_TRUE(Create());
  RunToEnd();
  EXPECT_EQ(*Describe().stack_status, "ROLLBACK_COMPLETE");
  EXPECT_EQ(cloud_.Names(), "");
  const auto events = Events();
  EXPECT_THAT(events, testing::Contains(HasSubstr("Db CREATE_FAILED: Resource handler returned "
                                                  "message: \"refused by the test")));
  EXPECT_THAT(events,
              testing::Contains("prod-e ROLLBACK_IN_PROGRESS: The following resource(s) failed to "
                                "create: [Db]. Rollback requested by user."));
  EXPECT_TRUE(Call<api::DeleteStack>({.stack_name = "prod-e"}));
  RunToEnd();
  EXPECT_FALSE(Call<api::DescribeStacks>({.stack_name = "prod-e"}));
}

TEST_F(CloudFormation, KeepsWhatWasMadeWhenRollbackIsDisabled) {
  cloud_.refused = {"CreateDBInstance"};
  api::CreateStackInput in;
  in.stack_name = "prod-e";
  in.template_body = std::string(kTemplate);
  in.disable_rollback = true;
  ASSERT_TRUE(Call<api::CreateStack>(in));
  RunToEnd();
  EXPECT_EQ(*Describe().stack_status, "CREATE_FAILED");
  EXPECT_THAT(cloud_.Names(), HasSubstr("vpc"));
}

TEST_F(CloudFormation, DeletesAStackThatIsBeingCreated) {
  cloud_.instance_looks = 1'000'000;
  ASSERT_TRUE(Create());
  for (int i = 0; i < 200; ++i) {
    if (!engine_.StepOnce()) store_.clock.Advance(100ms);
  }
  EXPECT_THAT(cloud_.Names(), HasSubstr("db-instance"));
  ASSERT_TRUE(Call<api::DeleteStack>({.stack_name = "prod-e"}));
  RunToEnd();
  EXPECT_EQ(cloud_.Names(), "");
}

TEST_F(CloudFormation, RetainsWhatThePolicySays) {
  ASSERT_TRUE(Create(Replace("  Vpc:\n    Type: AWS::EC2::VPC\n",
                             "  Vpc:\n    Type: AWS::EC2::VPC\n    DeletionPolicy: Retain\n")));
  RunToEnd();
  ASSERT_TRUE(Call<api::DeleteStack>({.stack_name = "prod-e"}));
  RunToEnd();
  EXPECT_EQ(cloud_.Names(), "1 vpc\n");
}

TEST_F(CloudFormation, SaysWhatCouldNotBeDeletedAndTriesAgain) {
  ASSERT_TRUE(Create());
  RunToEnd();
  cloud_.refused = {"DeleteVpc"};
  ASSERT_TRUE(Call<api::DeleteStack>({.stack_name = "prod-e"}));
  RunToEnd();
  EXPECT_EQ(*Describe().stack_status, "DELETE_FAILED");
  EXPECT_EQ(cloud_.Names(), "1 vpc\n");
  cloud_.refused.clear();
  ASSERT_TRUE(Call<api::DeleteStack>({.stack_name = "prod-e"}));
  RunToEnd();
  EXPECT_EQ(cloud_.Names(), "");
}

TEST_F(CloudFormation, DeploysByChangeSetsAsTheCommandLineDoes) {
  EXPECT_EQ(Call<api::DescribeStacks>({.stack_name = "prod-e"}).error().message,
            "Stack with id prod-e does not exist");
  ASSERT_TRUE(ChangeSetFor("CREATE", std::string(kTemplate)));
  EXPECT_EQ(*Describe().stack_status, "REVIEW_IN_PROGRESS");
  EXPECT_EQ(*DescribeSet().status, "CREATE_COMPLETE");
  EXPECT_EQ(DescribeSet().changes.size(), 8U);
  ASSERT_TRUE(Call<api::ExecuteChangeSet>({.change_set_name = "c1", .stack_name = "prod-e"}));
  RunToEnd();
  EXPECT_EQ(*Describe().stack_status, "CREATE_COMPLETE");
  EXPECT_EQ(*DescribeSet().execution_status, "EXECUTE_COMPLETE");

  ASSERT_TRUE(ChangeSetFor("UPDATE", std::string(kTemplate), "same"));
  EXPECT_EQ(*DescribeSet("same").status, "FAILED");
  EXPECT_EQ(*DescribeSet("same").status_reason,
            "The submitted information didn't contain changes. Submit different information to "
            "create a change set.");
}

TEST_F(CloudFormation, RefusesWhatItDoesNotServe) {
  api::CreateStackInput in;
  in.stack_name = "prod-e";
  in.template_body = std::string(kTemplate);
  in.role_arn = "arn:aws:iam::1:role/x-role-of-some-length";
  EXPECT_EQ(Call<api::CreateStack>(in).error().message, "RoleARN is not supported");
  in.role_arn.reset();
  in.stack_name = "1bad";
  EXPECT_EQ(Call<api::CreateStack>(in).error().code, "ValidationError");
  EXPECT_THAT(Create("Resources: {A: {Type: 'AWS::X::Y'}}").error().message,
              HasSubstr("Template format error: template:1:23: Unrecognized resource types"));
  ASSERT_TRUE(Create());
  EXPECT_EQ(Create().error().code, "AlreadyExistsException");
}

TEST_F(CloudFormation, ListsResourcesAndTemplates) {
  ASSERT_TRUE(Create());
  RunToEnd();
  const auto resources = Call<api::DescribeStackResources>({.stack_name = "prod-e"});
  ASSERT_TRUE(resources);
  EXPECT_EQ(resources->stack_resources.size(), 8U);
  EXPECT_EQ(*resources->stack_resources[0].logical_resource_id, "Attachment");
  EXPECT_TRUE(
      Call<api::DescribeStackResource>({.stack_name = "prod-e", .logical_resource_id = "Vpc"}));
  EXPECT_EQ(*Call<api::GetTemplate>({.stack_name = "prod-e"})->template_body, kTemplate);
  EXPECT_EQ(
      Call<api::ValidateTemplate>({.template_body = std::string(kTemplate)})->parameters.size(),
      2U);
  const auto summary = Call<api::GetTemplateSummary>({.stack_name = "prod-e"});
  ASSERT_TRUE(summary);
  EXPECT_EQ(summary->resource_types.size(), 8U);
}

TEST_F(CloudFormation, IsProtectedFromDeletionWhenAskedTo) {
  api::CreateStackInput in;
  in.stack_name = "prod-e";
  in.template_body = std::string(kTemplate);
  in.enable_termination_protection = true;
  ASSERT_TRUE(Call<api::CreateStack>(in));
  RunToEnd();
  EXPECT_TRUE(*Describe().enable_termination_protection);
  EXPECT_EQ(Call<api::DeleteStack>({.stack_name = "prod-e"}).error().message,
            "Stack [prod-e] cannot be deleted while TerminationProtection is enabled");
  ASSERT_TRUE(Call<api::UpdateTerminationProtection>(
      {.enable_termination_protection = false, .stack_name = "prod-e"}));
  EXPECT_TRUE(Call<api::DeleteStack>({.stack_name = "prod-e"}));
  RunToEnd();
  EXPECT_EQ(cloud_.Names(), "");
}

TEST_F(CloudFormation, TakesARequestWithTheSameTokenOnce) {
  api::CreateStackInput in;
  in.stack_name = "prod-e";
  in.template_body = std::string(kTemplate);
  in.client_request_token = "token-1";
  const auto first = Call<api::CreateStack>(in);
  const auto again = Call<api::CreateStack>(in);
  ASSERT_TRUE(first && again);
  EXPECT_EQ(*first->stack_id, *again->stack_id);
  RunToEnd();
  api::UpdateStackInput update;
  update.stack_name = "prod-e";
  update.template_body = Replace("Default: 20", "Default: 40");
  update.client_request_token = "token-1";
  EXPECT_EQ(Call<api::UpdateStack>(update).error().code, "TokenAlreadyExistsException");
  update.client_request_token = "token-2";
  EXPECT_TRUE(Call<api::UpdateStack>(update));
  EXPECT_TRUE(Call<api::UpdateStack>(update)) << "the same again";
  RunToEnd();
  EXPECT_EQ(Status(), "UPDATE_COMPLETE");
}

TEST_F(CloudFormation, ChecksParametersThatNameThings) {
  const std::string body =
      "Parameters: {Vpc: {Type: 'AWS::EC2::VPC::Id'}}\n"
      "Resources:\n  S: {Type: 'AWS::EC2::Subnet', Properties: {VpcId: !Ref Vpc, CidrBlock: x}}\n";
  api::CreateStackInput in;
  in.stack_name = "prod-e";
  in.template_body = body;
  in.parameters.push_back({.parameter_key = "Vpc", .parameter_value = "vpc-7"});
  EXPECT_EQ(Call<api::CreateStack>(in).error().message,
            "Parameter validation failed: parameter value vpc-7 for parameter name Vpc does not "
            "exist");
}

TEST_F(CloudFormation, ForgetsADeletedStackAfterNinetyDays) {
  const auto created = Create();
  ASSERT_TRUE(created);
  RunToEnd();
  ASSERT_TRUE(Call<api::DeleteStack>({.stack_name = "prod-e"}));
  RunToEnd();
  const WallTime now = store_.clock.Now();
  ASSERT_TRUE(ForgetDeletedStacks(process_.world, now + std::chrono::hours(89 * 24)));
  EXPECT_EQ(Status(*created->stack_id), "DELETE_COMPLETE");
  ASSERT_TRUE(ForgetDeletedStacks(process_.world, now + std::chrono::hours(91 * 24)));
  EXPECT_FALSE(Call<api::DescribeStacks>({.stack_name = *created->stack_id}));
  EXPECT_TRUE((*store_).List("/cloudformation/")->documents.empty());
}

}  // namespace
}  // namespace howdah::cfn
