// Updates: in place, by replacement, undone.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "services/cloudformation/test_stack.h"

namespace howdah::cfn {
namespace {

using testing::HasSubstr;

TEST_F(CloudFormation, UpdatesInPlace) {
  ASSERT_TRUE(Create());
  RunToEnd();
  std::string body = Replace("Default: 20", "Default: 40");
  body.replace(body.find("FromPort: 22, ToPort: 22"), 24, "FromPort: 23, ToPort: 23");
  body.insert(body.find("  Subnet:\n"),
              "  Other:\n    Type: AWS::EC2::SecurityGroup\n"
              "    Properties: {GroupDescription: o, VpcId: !Ref Vpc}\n");
  const std::size_t rule = body.find("  Rule:\n");
  body.erase(rule, body.find("  Subnets:\n") - rule);
  ASSERT_TRUE(ChangeSetFor("UPDATE", body));
  EXPECT_EQ(*DescribeSet().status, "CREATE_COMPLETE") << *DescribeSet().status_reason;
  EXPECT_EQ(DescribeSet().changes.size(), 4U);
  ASSERT_TRUE(Call<api::ExecuteChangeSet>({.change_set_name = "c1", .stack_name = "prod-e"}));
  RunToEnd();
  EXPECT_EQ(*Describe().stack_status, "UPDATE_COMPLETE")
      << fmt::format("{}", fmt::join(Events(), "\n"));
  EXPECT_THAT(cloud_.Names(), HasSubstr("2 group\n1 rule"));
  for (const auto& [id, thing] : cloud_.things) {
    if (thing.kind == "db-instance") EXPECT_EQ(thing.values.at("storage"), "40");
    if (thing.kind == "rule") EXPECT_EQ(thing.values.at("port"), "23");
  }
}

TEST_F(CloudFormation, RestoresWhatAnUpdateThatFailedHadChanged) {
  ASSERT_TRUE(Create());
  RunToEnd();
  const std::string before = cloud_.Names();
  std::string body = Replace("Default: 20", "Default: 40");
  body.replace(body.find("db.t3.micro"), 11, "db.t3.small\n      DeletionProtection: true");
  body.insert(body.find("  Subnet:\n"),
              "  Other:\n    Type: AWS::EC2::VPC\n    DependsOn: Db\n"
              "    Properties: {CidrBlock: 10.9.0.0/16}\n");
  cloud_.refused = {"CreateVpc"};
  api::UpdateStackInput in;
  in.stack_name = "prod-e";
  in.template_body = body;
  ASSERT_TRUE(Call<api::UpdateStack>(in));
  RunToEnd();
  EXPECT_EQ(*Describe().stack_status, "UPDATE_ROLLBACK_COMPLETE")
      << fmt::format("{}", fmt::join(Events(), "\n"));
  EXPECT_EQ(cloud_.Names(), before);
  for (const auto& [id, thing] : cloud_.things) {
    if (thing.kind != "db-instance") continue;
    EXPECT_EQ(thing.values.at("class"), "db.t3.micro");
    EXPECT_EQ(thing.values.at("protected"), "no");
    EXPECT_EQ(thing.values.at("storage"), "40") << "storage never shrinks";
  }
}

// In this order, with anything between.
void ExpectInOrder(const std::vector<std::string>& events, const std::vector<std::string>& wanted) {
  auto at = events.begin();
  for (const std::string& line : wanted) {
    at = std::find(at, events.end(), line);
    ASSERT_NE(at, events.end()) << line << "\n  not in order in\n"
                                << fmt::format("{}", fmt::join(events, "\n"));
  }
}

constexpr std::string_view kHence =
    ": Requested update requires the creation of a new physical resource; hence creating one.";

TEST_F(CloudFormation, ReplacesAThingAndThenRemovesTheOldOne) {
  ASSERT_TRUE(Create());
  RunToEnd();
  const std::string old_name = Only("db-instance")->id;
  ASSERT_TRUE(Update(Replace("Engine: postgres", "Engine: postgres\n      DBName: other")));
  RunToEnd();
  EXPECT_EQ(Status(), "UPDATE_COMPLETE") << Story();
  EXPECT_EQ(cloud_.Names(), kEverything);
  const std::string new_name = Only("db-instance")->id;
  EXPECT_NE(new_name, old_name);
  EXPECT_THAT(Only("secret")->values.at("value"), HasSubstr(new_name + ".local"));
  EXPECT_EQ(*Describe().outputs.at(0).output_value, new_name + ".local");
  ExpectInOrder(
      Events(),
      {"prod-e UPDATE_IN_PROGRESS: User Initiated", "Db UPDATE_IN_PROGRESS" + std::string(kHence),
       "Db UPDATE_IN_PROGRESS: Resource creation Initiated", "Db UPDATE_COMPLETE",
       "Attachment UPDATE_COMPLETE", "prod-e UPDATE_COMPLETE_CLEANUP_IN_PROGRESS",
       "Db DELETE_IN_PROGRESS", "Db DELETE_COMPLETE", "prod-e UPDATE_COMPLETE"});
  ASSERT_TRUE(Call<api::DeleteStack>({.stack_name = "prod-e"}));
  RunToEnd();
  EXPECT_EQ(cloud_.Names(), "");
}

TEST_F(CloudFormation, ReplacesWhatDependsOnAThingThatIsReplaced) {
  ASSERT_TRUE(Create());
  RunToEnd();
  const std::string old_vpc = Only("vpc")->id;
  const std::string old_instance = Only("db-instance")->id;
  ASSERT_TRUE(ChangeSetFor(
      "UPDATE", Replace("CidrBlock: 10.0.0.0/16, Enable", "CidrBlock: 10.7.0.0/16, Enable")));
  const auto set = DescribeSet();
  std::map<std::string, std::string> replacements;
  for (const auto& change : set.changes) {
    replacements[*change.resource_change->logical_resource_id] =
        change.resource_change->replacement.value_or("");
  }
  EXPECT_EQ(replacements["Vpc"], "True");
  EXPECT_EQ(replacements["Subnet"], "Conditional");
  EXPECT_EQ(replacements["Group"], "Conditional");
  EXPECT_EQ(replacements["Rule"], "Conditional");
  EXPECT_EQ(replacements["Subnets"], "False");
  EXPECT_EQ(replacements["Db"], "False");
  ASSERT_TRUE(Call<api::ExecuteChangeSet>({.change_set_name = "c1", .stack_name = "prod-e"}));
  RunToEnd();
  EXPECT_EQ(Status(), "UPDATE_COMPLETE") << Story();
  EXPECT_EQ(cloud_.Names(), kEverything);
  EXPECT_NE(Only("vpc")->id, old_vpc);
  EXPECT_EQ(Only("subnet")->parent, Only("vpc")->id);
  EXPECT_EQ(Only("db-instance")->id, old_instance) << "its subnet group was changed in place";
  EXPECT_EQ(Only("subnet-group")->values.at("subnets"), Only("subnet")->id);
}

TEST_F(CloudFormation, KeepsTheOldThingWhenItsPolicySaysSo) {
  ASSERT_TRUE(Create());
  RunToEnd();
  ASSERT_TRUE(Update(Replace("DeletionPolicy: Delete\n    Properties:\n      Engine: postgres",
                             "DeletionPolicy: Delete\n    UpdateReplacePolicy: Retain\n"
                             "    Properties:\n      Engine: postgres\n      DBName: other")));
  RunToEnd();
  EXPECT_EQ(Status(), "UPDATE_COMPLETE") << Story();
  EXPECT_THAT(cloud_.Names(), HasSubstr("2 db-instance"));
  EXPECT_THAT(Events(), testing::Contains("Db DELETE_SKIPPED"));
}

TEST_F(CloudFormation, UndoesAReplacementWhenALaterStepFails) {
  ASSERT_TRUE(Create());
  RunToEnd();
  const std::string old_name = Only("db-instance")->id;
  cloud_.refused = {"PutSecretValue"};  // what the attachment wants after the new instance
  ASSERT_TRUE(Update(Replace("Engine: postgres", "Engine: postgres\n      DBName: other")));
  RunToEnd();
  EXPECT_EQ(Status(), "UPDATE_ROLLBACK_COMPLETE") << Story();
  EXPECT_EQ(cloud_.Names(), kEverything);
  EXPECT_EQ(Only("db-instance")->id, old_name);
  ExpectInOrder(Events(),
                {"Db UPDATE_COMPLETE",
                 "prod-e UPDATE_ROLLBACK_IN_PROGRESS: The following resource(s) failed to update: "
                 "[Attachment]. ",
                 "Db UPDATE_COMPLETE", "prod-e UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS",
                 "Db DELETE_COMPLETE", "prod-e UPDATE_ROLLBACK_COMPLETE"});
}

TEST_F(CloudFormation, CannotReplaceAThingThatKeepsItsName) {
  const std::string named =
      Replace("Engine: postgres", "Engine: postgres\n      DBInstanceIdentifier: prod-db");
  ASSERT_TRUE(Create(named));
  RunToEnd();
  std::string body = named;
  body.replace(body.find("Engine: postgres"), 16, "Engine: postgres\n      DBName: other");
  ASSERT_TRUE(Update(body));
  RunToEnd();
  EXPECT_EQ(Status(), "UPDATE_ROLLBACK_COMPLETE") << Story();
  EXPECT_THAT(Events(), testing::Contains(
                            "Db UPDATE_FAILED: CloudFormation cannot update a stack when a "
                            "custom-named resource requires replacing. Rename prod-db and update "
                            "the stack again."));
  EXPECT_EQ(Only("db-instance")->id, "prod-db");
  body.replace(body.find("prod-db"), 7, "other-db");
  ASSERT_TRUE(Update(body));
  RunToEnd();
  EXPECT_EQ(Status(), "UPDATE_COMPLETE") << Story();
  EXPECT_EQ(Only("db-instance")->id, "other-db");
}

TEST_F(CloudFormation, DoesNothingWhereTheValueComesOutTheSame) {
  ASSERT_TRUE(Create());
  RunToEnd();
  const std::string before = cloud_.Names();
  ASSERT_TRUE(Update(Replace("EnableDnsSupport: true", "EnableDnsSupport: false")));
  RunToEnd();
  EXPECT_EQ(Status(), "UPDATE_COMPLETE");
  EXPECT_EQ(Only("vpc")->values.at("dns"), "off");
  EXPECT_EQ(cloud_.Names(), before);
  EXPECT_EQ(Update(Replace("EnableDnsSupport: true", "EnableDnsSupport: 'false'")).error().message,
            "No updates are to be performed.");
  EXPECT_EQ(Update(Replace("AWS::EC2::VPC", "AWS::EC2::NetworkInterface")).error().code,
            "ValidationError");
}

TEST_F(CloudFormation, UpdatesOnlyThePolicyOrAnOutput) {
  ASSERT_TRUE(Create());
  RunToEnd();
  ASSERT_TRUE(Update(Replace("  Vpc:\n    Type: AWS::EC2::VPC\n",
                             "  Vpc:\n    Type: AWS::EC2::VPC\n    DeletionPolicy: Retain\n")));
  RunToEnd();
  EXPECT_EQ(Status(), "UPDATE_COMPLETE");
  ASSERT_TRUE(Call<api::DeleteStack>({.stack_name = "prod-e"}));
  RunToEnd();
  EXPECT_EQ(cloud_.Names(), "1 vpc\n");
}

TEST_F(CloudFormation, TakesAResourceAwayWhoseConditionIsFalse) {
  std::string body =
      Replace("Resources:\n", "Conditions: {Big: !Equals [!Ref Storage, 20]}\nResources:\n");
  body.insert(body.find("  Subnet:\n"),
              "  Other:\n    Type: AWS::EC2::VPC\n    Condition: Big\n"
              "    Properties: {CidrBlock: 10.9.0.0/16}\n");
  ASSERT_TRUE(Create(body));
  RunToEnd();
  EXPECT_THAT(cloud_.Names(), HasSubstr("2 vpc"));
  api::UpdateStackInput in;
  in.stack_name = "prod-e";
  in.use_previous_template = true;
  in.parameters.push_back({.parameter_key = "Storage", .parameter_value = "30"});
  in.parameters.push_back({.parameter_key = "Hidden", .use_previous_value = true});
  ASSERT_TRUE(Call<api::UpdateStack>(in));
  RunToEnd();
  EXPECT_EQ(Status(), "UPDATE_COMPLETE") << Story();
  EXPECT_EQ(cloud_.Names(), kEverything);
}

TEST_F(CloudFormation, PassesTheStacksTagsOn) {
  ASSERT_TRUE(Create());
  RunToEnd();
  api::UpdateStackInput in;
  in.stack_name = "prod-e";
  in.use_previous_template = true;
  in.tags.push_back({.key = "team", .value = "a"});
  ASSERT_TRUE(Call<api::UpdateStack>(in));
  RunToEnd();
  EXPECT_EQ(Status(), "UPDATE_COMPLETE") << Story();
  EXPECT_EQ(Only("vpc")->tags.at("team"), "a");
  EXPECT_EQ(Only("db-instance")->tags.at("team"), "a");
  EXPECT_EQ(Only("secret")->tags.at("team"), "a");
}

}  // namespace
}  // namespace howdah::cfn
