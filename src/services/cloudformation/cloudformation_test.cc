// The service on a small cloud: the life of a stack as clients see it, failures, changes, and the
// harness that crashes the workflow at every call.
#include "services/cloudformation/cloudformation.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "aws/generated/cloudformation.h"
#include "services/cloudformation/fake_cloud.h"
#include "services/cloudformation/invoke.h"
#include "workflow/engine.h"
#include "workflow/harness.h"
#include "workflow/test_world.h"

namespace howdah::cfn {
namespace {

namespace api = aws::cloudformation;
using testing::HasSubstr;

constexpr std::string_view kTemplate = R"(
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

constexpr std::string_view kEverything =
    "1 db-instance\n1 group\n2 rule\n1 secret\n1 subnet\n1 subnet-group\n1 vpc\n";

Sealer FakeSealer() {
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
    if (thing.kind == "db-instance") EXPECT_EQ(thing.values.at("storage"), "20");
  }
}

TEST_F(CloudFormation, RefusesAChangeThatNeedsAReplacement) {
  ASSERT_TRUE(Create());
  RunToEnd();
  ASSERT_TRUE(ChangeSetFor("UPDATE", Replace("CidrBlock: 10.0.1.0/24", "CidrBlock: 10.0.2.0/24")));
  EXPECT_EQ(*DescribeSet().status, "FAILED");
  EXPECT_THAT(*DescribeSet().status_reason, HasSubstr("Subnet"));
  EXPECT_THAT(*DescribeSet().status_reason, HasSubstr("replacement"));
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

// The harness's world: store and cloud survive; services and handlers die.
struct HarnessWorld {
  workflow::TestStore store;
  system::SeededEntropy entropy;
  FakeCloud cloud;
  std::string stack_id;
};

workflow::World MakeHarnessWorld(bool deleting) {
  auto sample = std::make_shared<HarnessWorld>();
  workflow::World world;
  world.store = &*sample->store;
  world.clock = &sample->store.clock;
  world.workflow = std::string(kStackWorkflow);
  world.build = [sample](workflow::Process process) {
    const auto made =
        std::make_shared<Process>(process.store, sample->entropy, sample->cloud, &process.faults);
    workflow::Workflow workflow = StackWorkflow(made->world);
    for (workflow::Step& step : workflow.steps) {
      step.run = [made, run = step.run](workflow::StepContext& context) { return run(context); };
    }
    return std::vector{workflow};
  };
  world.start_run = [sample, deleting] {
    Process process(*sample->store, sample->entropy, sample->cloud, nullptr);
    aws::RequestContext context;
    context.account_id = "123456789012";
    context.now = sample->store.clock.Now();
    api::CreateStackInput in;
    in.stack_name = "prod-e";
    in.template_body = std::string(kTemplate);
    EXPECT_TRUE(Invoke<api::CreateStack>(process.cloudformation, context, in));
    if (deleting) {
      workflow::Engine engine({}, *sample->store, sample->store.clock, Log());
      engine.Register(StackWorkflow(process.world));
      for (int i = 0; i < 300; ++i) {
        if (!engine.StepOnce()) sample->store.clock.Advance(100ms);
      }
      EXPECT_EQ(sample->cloud.Names(), kEverything);
      EXPECT_TRUE(
          Invoke<api::DeleteStack>(process.cloudformation, context, {.stack_name = "prod-e"}));
    }
    for (const workflow::Run& run : *workflow::ListRuns(*sample->store)) {
      if (run.state == workflow::RunState::kRunning) return run.id;
    }
    return RunId();
  };
  world.tick_environment = [sample] { sample->store.clock.Advance(100ms); };
  world.orphans = [sample, deleting](bool done) {
    std::vector<std::string> left;
    const std::string names = sample->cloud.Names();
    const std::string_view wanted = done && !deleting ? kEverything : std::string_view();
    if (names != wanted) left.push_back(names);
    return left;
  };
  world.verdict = [sample] {
    const auto stacks = ListStacks(*sample->store);
    return (*stacks)[0].status + "\n" + sample->cloud.Names();
  };
  world.owner = sample;
  return world;
}

TEST(StackWorkflow, SurvivesACrashAtEveryCallOfACreation) {
  const auto report = workflow::TryHard([] { return MakeHarnessWorld(false); });
  EXPECT_TRUE(report.problems.empty()) << report.Text();
  EXPECT_GT(report.crash_points, 30);
}

TEST(StackWorkflow, SurvivesACrashAtEveryCallOfADeletion) {
  const auto report = workflow::TryHard([] { return MakeHarnessWorld(true); });
  EXPECT_TRUE(report.problems.empty()) << report.Text();
}

}  // namespace
}  // namespace howdah::cfn
