// Exports and imports between stacks; drift of what changed outside a stack.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "services/cloudformation/test_stack.h"

namespace howdah::cfn {
namespace {

using testing::HasSubstr;

constexpr std::string_view kExporter = R"(
Resources:
  Vpc: {Type: AWS::EC2::VPC, Properties: {CidrBlock: 10.0.0.0/16}}
Outputs:
  Vpc: {Value: !Ref Vpc, Export: {Name: !Sub "${AWS::StackName}-vpc"}}
)";
constexpr std::string_view kImporter = R"(
Resources:
  Subnet: {Type: AWS::EC2::Subnet, Properties: {VpcId: !ImportValue net-vpc, CidrBlock: 10.0.1.0/24}}
)";

class Sharing : public CloudFormation {
 protected:
  aws::Outcome<api::CreateStackOutput> CreateNamed(std::string name, std::string_view body) {
    api::CreateStackInput in;
    in.stack_name = std::move(name);
    in.template_body = std::string(body);
    auto made = Call<api::CreateStack>(in);
    RunToEnd();
    return made;
  }
  aws::Outcome<api::UpdateStackOutput> UpdateNamed(std::string name, std::string body) {
    api::UpdateStackInput in;
    in.stack_name = std::move(name);
    in.template_body = std::move(body);
    auto made = Call<api::UpdateStack>(in);
    RunToEnd();
    return made;
  }
  void Delete(const std::string& name) {
    EXPECT_TRUE(Call<api::DeleteStack>({.stack_name = name}));
    RunToEnd();
  }
};

TEST_F(Sharing, ImportsWhatAnotherStackExports) {
  EXPECT_EQ(CreateNamed("app", kImporter).error().message, "No export named net-vpc found.");
  ASSERT_TRUE(CreateNamed("net", kExporter));
  const auto exports = Call<api::ListExports>({});
  ASSERT_EQ(exports->exports.size(), 1U);
  EXPECT_EQ(*exports->exports[0].name, "net-vpc");
  EXPECT_EQ(*exports->exports[0].value, Only("vpc")->id);
  EXPECT_EQ(Call<api::ListImports>({.export_name = "net-vpc"}).error().message,
            "Export 'net-vpc' is not imported by any stack.");
  ASSERT_TRUE(CreateNamed("app", kImporter));
  EXPECT_EQ(Status("app"), "CREATE_COMPLETE") << Story("app");
  EXPECT_EQ(Only("subnet")->parent, Only("vpc")->id);
  EXPECT_EQ(Call<api::ListImports>({.export_name = "net-vpc"})->imports.at(0), "app");
}

TEST_F(Sharing, KeepsAnExportThatIsInUse) {
  ASSERT_TRUE(CreateNamed("net", kExporter));
  ASSERT_TRUE(CreateNamed("app", kImporter));
  Delete("net");
  EXPECT_EQ(Status("net"), "CREATE_COMPLETE");
  EXPECT_EQ(*Describe("net").stack_status_reason,
            "Delete canceled. Cannot delete export net-vpc as it is in use by app.");
  std::string body(kExporter);
  body.erase(body.find("Outputs:"));
  body += "  Other: {Type: AWS::EC2::VPC, Properties: {CidrBlock: 10.1.0.0/16}}\n";
  ASSERT_TRUE(UpdateNamed("net", body));
  EXPECT_EQ(Status("net"), "UPDATE_ROLLBACK_COMPLETE");
  EXPECT_THAT(Events("net"), testing::Contains("net UPDATE_ROLLBACK_IN_PROGRESS: Export net-vpc "
                                               "cannot be deleted as it is in use by app"));
  body = kExporter;
  body.replace(body.find("10.0.0.0"), 8, "10.4.0.0");
  ASSERT_TRUE(UpdateNamed("net", body));
  EXPECT_THAT(Events("net"), testing::Contains("net UPDATE_ROLLBACK_IN_PROGRESS: Export net-vpc "
                                               "cannot be updated as it is in use by app"));
  EXPECT_THAT(cloud_.Names(), HasSubstr("1 vpc"));
  Delete("app");
  Delete("net");
  EXPECT_EQ(cloud_.Names(), "");
  EXPECT_TRUE(Call<api::ListExports>({})->exports.empty());
}

TEST_F(Sharing, RefusesTheNameOfAnotherStacksExport) {
  ASSERT_TRUE(CreateNamed("net", kExporter));
  std::string body(kExporter);
  constexpr std::string_view kName = "!Sub \"${AWS::StackName}-vpc\"";
  body.replace(body.find(kName), kName.size(), "net-vpc");
  ASSERT_TRUE(CreateNamed("other", body));
  EXPECT_EQ(Status("other"), "ROLLBACK_COMPLETE");
  EXPECT_THAT(Story("other"),
              HasSubstr("Export with name net-vpc is already exported by stack net."));
}

TEST_F(Sharing, LetsAnImportGoWhenAnUpdateNoLongerHasIt) {
  ASSERT_TRUE(CreateNamed("net", kExporter));
  ASSERT_TRUE(CreateNamed("app", kImporter));
  ASSERT_TRUE(UpdateNamed(
      "app", "Resources:\n  V: {Type: AWS::EC2::VPC, Properties: {CidrBlock: 10.8.0.0/16}}\n"));
  EXPECT_EQ(Status("app"), "UPDATE_COMPLETE") << Story("app");
  EXPECT_FALSE(Call<api::ListImports>({.export_name = "net-vpc"}));
  Delete("net");
  EXPECT_FALSE(Call<api::DescribeStacks>({.stack_name = "net"}));
}

TEST_F(CloudFormation, FindsWhatChangedOutsideTheStack) {
  ASSERT_TRUE(Create());
  RunToEnd();
  EXPECT_EQ(*Describe().drift_information->stack_drift_status, "NOT_CHECKED");
  const auto detect = [this] {
    const auto begun = Call<api::DetectStackDrift>({.stack_name = "prod-e"});
    EXPECT_TRUE(begun) << begun.error().message;
    return *Call<api::DescribeStackDriftDetectionStatus>(
        {.stack_drift_detection_id = *begun->stack_drift_detection_id});
  };
  const auto clean = detect();
  EXPECT_EQ(*clean.detection_status, "DETECTION_COMPLETE");
  EXPECT_EQ(*clean.stack_drift_status, "IN_SYNC");
  const auto all = Call<api::DescribeStackResourceDrifts>({.stack_name = "prod-e"});
  ASSERT_EQ(all->stack_resource_drifts.size(), 8U);
  for (const auto& one : all->stack_resource_drifts) {
    EXPECT_EQ(*one.stack_resource_drift_status, "IN_SYNC") << *one.logical_resource_id;
    EXPECT_EQ(one.expected_properties->find("s3cr3t"), std::string::npos);
  }

  for (auto& [id, thing] : cloud_.things) {
    if (thing.kind == "db-instance") thing.values["storage"] = "99";
    if (thing.kind == "vpc") thing.values["dns"] = "off";
  }
  std::erase_if(cloud_.things, [](const auto& one) {
    return one.second.kind == "rule" && one.second.values.at("port") == "5432";
  });
  const auto drifted = detect();
  EXPECT_EQ(*drifted.stack_drift_status, "DRIFTED");
  EXPECT_EQ(*drifted.drifted_stack_resource_count, 3);
  api::DescribeStackResourceDriftsInput modified;
  modified.stack_name = "prod-e";
  modified.stack_resource_drift_status_filters = {"MODIFIED"};
  const auto found = Call<api::DescribeStackResourceDrifts>(modified);
  ASSERT_EQ(found->stack_resource_drifts.size(), 2U);
  const auto& db = found->stack_resource_drifts[0];
  EXPECT_EQ(*db.logical_resource_id, "Db");
  ASSERT_EQ(db.property_differences.size(), 1U);
  EXPECT_EQ(*db.property_differences[0].property_path, "/AllocatedStorage");
  EXPECT_EQ(*db.property_differences[0].expected_value, "20");
  EXPECT_EQ(*db.property_differences[0].actual_value, "99");
  EXPECT_EQ(*db.property_differences[0].difference_type, "NOT_EQUAL");
  const auto rule =
      Call<api::DetectStackResourceDrift>({.stack_name = "prod-e", .logical_resource_id = "Rule"});
  EXPECT_EQ(*rule->stack_resource_drift->stack_resource_drift_status, "DELETED");
  EXPECT_EQ(*Describe().drift_information->stack_drift_status, "DRIFTED");
  EXPECT_FALSE(Call<api::DetectStackResourceDrift>(
      {.stack_name = "prod-e", .logical_resource_id = "Nothing"}));
}

}  // namespace
}  // namespace howdah::cfn
