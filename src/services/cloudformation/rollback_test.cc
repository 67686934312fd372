// Updates that are cancelled, left as they failed, rolled back later, or cannot be rolled back.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "services/cloudformation/test_stack.h"

namespace howdah::cfn {
namespace {

using testing::HasSubstr;

TEST_F(CloudFormation, CancelsAnUpdate) {
  ASSERT_TRUE(Create());
  RunToEnd();
  EXPECT_EQ(Call<api::CancelUpdateStack>({.stack_name = "prod-e"}).error().message,
            "CancelUpdateStack cannot be called from current stack status");
  const std::string old_name = Only("db-instance")->id;
  cloud_.instance_looks = 1'000'000;
  ASSERT_TRUE(Update(Replace("Engine: postgres", "Engine: postgres\n      DBName: other")));
  for (int i = 0; i < 100; ++i) {
    if (!engine_.StepOnce()) store_.clock.Advance(100ms);
  }
  EXPECT_THAT(cloud_.Names(), HasSubstr("2 db-instance"));
  ASSERT_TRUE(Call<api::CancelUpdateStack>({.stack_name = "prod-e"}));
  RunToEnd();
  EXPECT_EQ(Status(), "UPDATE_ROLLBACK_COMPLETE") << Story();
  EXPECT_EQ(Only("db-instance")->id, old_name);
  EXPECT_THAT(Events(), testing::Contains("Db UPDATE_FAILED: Resource update cancelled"));
}

TEST_F(CloudFormation, LeavesAFailedUpdateAsItIsWhenAskedToAndRollsBackLater) {
  ASSERT_TRUE(Create());
  RunToEnd();
  cloud_.refused = {"PutSecretValue"};
  api::UpdateStackInput in;
  in.stack_name = "prod-e";
  in.template_body = Replace("Engine: postgres", "Engine: postgres\n      DBName: other");
  in.disable_rollback = true;
  ASSERT_TRUE(Call<api::UpdateStack>(in));
  RunToEnd();
  EXPECT_EQ(Status(), "UPDATE_FAILED");
  EXPECT_THAT(cloud_.Names(), HasSubstr("2 db-instance"));
  EXPECT_THAT(Call<api::UpdateStack>(in).error().message,
              HasSubstr("is in UPDATE_FAILED state and can not be updated."));
  cloud_.refused.clear();
  ASSERT_TRUE(Call<api::RollbackStack>({.stack_name = "prod-e"}));
  RunToEnd();
  EXPECT_EQ(Status(), "UPDATE_ROLLBACK_COMPLETE") << Story();
  EXPECT_EQ(cloud_.Names(), kEverything);
}

TEST_F(CloudFormation, DeletesAStackInTheMiddleOfAFailedReplacement) {
  ASSERT_TRUE(Create());
  RunToEnd();
  cloud_.refused = {"PutSecretValue"};
  api::UpdateStackInput in;
  in.stack_name = "prod-e";
  in.template_body = Replace("Engine: postgres", "Engine: postgres\n      DBName: other");
  in.disable_rollback = true;
  ASSERT_TRUE(Call<api::UpdateStack>(in));
  RunToEnd();
  ASSERT_TRUE(Call<api::DeleteStack>({.stack_name = "prod-e"}));
  RunToEnd();
  EXPECT_EQ(cloud_.Names(), "");
}

TEST_F(CloudFormation, ContinuesARollbackThatFailedPerhapsWithoutAResource) {
  ASSERT_TRUE(Create());
  RunToEnd();
  std::string body = Replace("db.t3.micro", "db.t3.small");
  body.insert(body.find("  Subnet:\n"),
              "  Other:\n    Type: AWS::EC2::VPC\n    DependsOn: Db\n"
              "    Properties: {CidrBlock: 10.9.0.0/16}\n");
  cloud_.refused = {"CreateVpc"};
  ASSERT_TRUE(Update(body));
  for (int i = 0; i < 3000 && Status() != "UPDATE_ROLLBACK_IN_PROGRESS"; ++i) {
    if (!engine_.StepOnce()) store_.clock.Advance(100ms);
  }
  cloud_.refused = {"ModifyDBInstance"};
  RunToEnd();
  EXPECT_EQ(Status(), "UPDATE_ROLLBACK_FAILED") << Story();
  ASSERT_TRUE(Call<api::ContinueUpdateRollback>({.stack_name = "prod-e"}));
  RunToEnd();
  EXPECT_EQ(Status(), "UPDATE_ROLLBACK_FAILED");
  EXPECT_FALSE(
      Call<api::ContinueUpdateRollback>({.stack_name = "prod-e", .resources_to_skip = {"Vpc"}}));
  ASSERT_TRUE(
      Call<api::ContinueUpdateRollback>({.stack_name = "prod-e", .resources_to_skip = {"Db"}}));
  RunToEnd();
  EXPECT_EQ(Status(), "UPDATE_ROLLBACK_COMPLETE") << Story();
  EXPECT_EQ(cloud_.Names(), kEverything);
}

}  // namespace
}  // namespace howdah::cfn
