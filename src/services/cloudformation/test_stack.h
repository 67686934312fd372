// A test aid: the service on a small cloud, with a template that has one resource of each kind.
#pragma once

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "aws/generated/cloudformation.h"
#include "services/cloudformation/cloudformation.h"
#include "services/cloudformation/fake_cloud.h"
#include "services/cloudformation/invoke.h"
#include "workflow/engine.h"
#include "workflow/test_world.h"

namespace howdah::cfn {

namespace api = aws::cloudformation;

inline constexpr std::string_view kTemplate = R"(
Description: a small stack
Parameters:
  Storage: {Type: Number, Default: 20}
  Hidden: {Type: String, NoEcho: true, Default: hidden-default}
Resources:
  Vpc:
    Type: AWS::EC2::VPC
    Properties: {CidrBlock: 10.0.0.0/16, EnableDnsSupport: true}
  Subnet:
    Type: AWS::EC2::Subnet
    Properties: {VpcId: !Ref Vpc, CidrBlock: 10.0.1.0/24, AvailabilityZone: !Select [1, !GetAZs '']}
  Group:
    Type: AWS::EC2::SecurityGroup
    Properties:
      GroupDescription: d
      VpcId: !Ref Vpc
      SecurityGroupIngress: [{IpProtocol: tcp, FromPort: 22, ToPort: 22, CidrIp: 10.0.0.0/16}]
  Rule:
    Type: AWS::EC2::SecurityGroupIngress
    Properties: {GroupId: !Ref Group, IpProtocol: tcp, FromPort: 5432, ToPort: 5432, CidrIp: 10.0.0.0/16}
  Subnets:
    Type: AWS::RDS::DBSubnetGroup
    Properties: {DBSubnetGroupDescription: d, SubnetIds: [!Ref Subnet]}
  Secret:
    Type: AWS::SecretsManager::Secret
    Properties:
      GenerateSecretString: {SecretStringTemplate: '{"username":"dbadmin"}', GenerateStringKey: password}
  Db:
    Type: AWS::RDS::DBInstance
    DeletionPolicy: Delete
    Properties:
      Engine: postgres
      DBInstanceClass: db.t3.micro
      AllocatedStorage: !Ref Storage
      DBSubnetGroupName: !Ref Subnets
      VPCSecurityGroups: [!GetAtt Group.GroupId]
      MasterUserPassword: !Sub '{{resolve:secretsmanager:${Secret}:SecretString:password}}'
  Attachment:
    Type: AWS::SecretsManager::SecretTargetAttachment
    Properties: {SecretId: !Ref Secret, TargetId: !Ref Db, TargetType: AWS::RDS::DBInstance}
Outputs:
  Endpoint: {Value: !GetAtt Db.Endpoint.Address}
)";

inline constexpr std::string_view kEverything =
    "1 db-instance\n1 group\n2 rule\n1 secret\n1 subnet\n1 subnet-group\n1 vpc\n";

inline Sealer FakeSealer() {
  // Not a cipher, but nothing of the text can be seen in it.
  const auto turn = [](std::string_view text) {
    std::string made(text);
    for (char& c : made) c = c == '\0' ? c : static_cast<char>(c ^ 1);
    return made;
  };
  return {.seal = [turn](std::string_view text, std::string_view) { return turn(text); },
          .open = [turn](std::string_view text, std::string_view) -> Result<std::string> {
            return turn(text);
          }};
}

// What dies with the process.
struct Process {
  Process(store::Store& store, system::Entropy& entropy, FakeCloud& cloud, store::FaultPlan* faults)
      : services(cloud, faults),
        world{store, entropy, FakeSealer(),
              Services{services.ec2, services.rds, services.secretsmanager}, "us-west-2"},
        cloudformation(aws::cloudformation::kService) {
    RegisterCloudFormation(cloudformation, world);
  }
  FakeServices services;
  World world;
  aws::Service cloudformation;
};

class CloudFormation : public testing::Test {
 protected:
  template <typename Op>
  aws::Outcome<typename Op::Output> Call(const typename Op::Input& input) {
    aws::RequestContext context;
    context.account_id = "123456789012";
    context.region = "us-west-2";
    context.now = store_.clock.Now();
    return Invoke<Op>(process_.cloudformation, context, input);
  }

  void SetUp() override { engine_.Register(StackWorkflow(process_.world)); }

  void RunToEnd() {
    for (int i = 0; i < 3000; ++i) {
      if (!engine_.StepOnce()) store_.clock.Advance(100ms);
      if (i % 50 == 49 && !InProgress()) return;
    }
    ADD_FAILURE() << "the work does not end";
  }

  bool InProgress() {
    const auto stacks = ListStacks(*store_);
    return std::ranges::any_of(*stacks, &Stack::InProgress);
  }

  aws::Outcome<api::CreateStackOutput> Create(std::string_view body = kTemplate) {
    api::CreateStackInput in;
    in.stack_name = "prod-e";
    in.template_body = std::string(body);
    return Call<api::CreateStack>(in);
  }

  api::Stack Describe(const std::string& name = "prod-e") {
    const auto found = Call<api::DescribeStacks>({.stack_name = name});
    EXPECT_TRUE(found) << found.error().message;
    return found ? found->stacks.at(0) : api::Stack{};
  }

  // "Db CREATE_FAILED: why", oldest first.
  std::vector<std::string> Events(const std::string& name = "prod-e") {
    std::vector<std::string> lines;
    std::optional<std::string> token;
    do {
      const auto page = Call<api::DescribeStackEvents>({.stack_name = name, .next_token = token});
      if (!page) return lines;
      for (const auto& event : page->stack_events) {
        lines.push_back(fmt::format(
            "{} {}{}", *event.logical_resource_id, *event.resource_status,
            event.resource_status_reason ? ": " + *event.resource_status_reason : std::string()));
      }
      token = page->next_token;
    } while (token);
    std::ranges::reverse(lines);
    return lines;
  }

  // As an update of prod-e.
  aws::Outcome<api::UpdateStackOutput> Update(std::string body) {
    api::UpdateStackInput in;
    in.stack_name = "prod-e";
    in.template_body = std::move(body);
    return Call<api::UpdateStack>(in);
  }

  std::string Status(const std::string& name = "prod-e") { return *Describe(name).stack_status; }
  std::string Story(const std::string& name = "prod-e") {
    return fmt::format("{}", fmt::join(Events(name), "\n"));
  }

  const Thing* Only(std::string_view kind) {
    const Thing* found = nullptr;
    for (const auto& [id, thing] : cloud_.things) {
      if (thing.kind != kind) continue;
      EXPECT_EQ(found, nullptr) << "more than one " << kind;
      found = &thing;
    }
    EXPECT_NE(found, nullptr) << "no " << kind;
    return found;
  }

  std::string Replace(std::string_view from, std::string_view to) {
    std::string text(kTemplate);
    const std::size_t at = text.find(from);
    EXPECT_NE(at, std::string::npos);
    return text.replace(at, from.size(), to);
  }

  aws::Outcome<api::CreateChangeSetOutput> ChangeSetFor(std::string type, std::string body,
                                                        std::string name = "c1") {
    api::CreateChangeSetInput in;
    in.stack_name = "prod-e";
    in.change_set_name = std::move(name);
    in.change_set_type = std::move(type);
    in.template_body = std::move(body);
    return Call<api::CreateChangeSet>(in);
  }

  api::DescribeChangeSetOutput DescribeSet(const std::string& name = "c1") {
    const auto found =
        Call<api::DescribeChangeSet>({.change_set_name = name, .stack_name = "prod-e"});
    EXPECT_TRUE(found) << found.error().message;
    return found ? *found : api::DescribeChangeSetOutput{};
  }

  workflow::TestStore store_;
  system::SeededEntropy entropy_;
  FakeCloud cloud_;
  Process process_{*store_, entropy_, cloud_, nullptr};
  Log log_;  // before the engine, which copies it
  workflow::Engine engine_{{}, *store_, store_.clock, log_};
};

}  // namespace howdah::cfn
