// What an update would change, how a thing differs from its template, and the limits of templates.
#include "services/cloudformation/template/changes.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "services/cloudformation/template/differences.h"

namespace howdah::cfn {
namespace {

const Surroundings kAround = {"us-west-2", "123456789012", "s", "arn:s"};

Result<std::string> FakeImport(const std::string& name) {
  return "imported-" + name;
}

constexpr std::string_view kBefore = R"(
Parameters: {Zone: {Type: String, Default: us-west-2a}}
Resources:
  Vpc: {Type: 'AWS::EC2::VPC', Properties: {CidrBlock: 10.0.0.0/16}}
  Subnet:
    Type: AWS::EC2::Subnet
    Properties: {VpcId: !Ref Vpc, CidrBlock: 10.0.1.0/24, AvailabilityZone: !Ref Zone}
  Group: {Type: 'AWS::EC2::SecurityGroup', Properties: {GroupDescription: d, VpcId: !Ref Vpc}}
)";
constexpr std::string_view kAfter = R"(
Parameters: {Zone: {Type: String, Default: us-west-2b}}
Resources:
  Vpc: {Type: 'AWS::EC2::VPC', Properties: {CidrBlock: 10.0.0.0/16, EnableDnsSupport: true}}
  Subnet:
    Type: AWS::EC2::Subnet
    Properties: {VpcId: !Ref Vpc, CidrBlock: 10.0.1.0/24, AvailabilityZone: !Ref Zone}
  Nic: {Type: 'AWS::EC2::NetworkInterface', Properties: {SubnetId: !Ref Subnet}}
)";

Result<ChangePlan> PlanBetween(std::string_view before, std::string_view after) {
  TRY_ASSIGN(const Template old_template, ParseTemplate(before));
  TRY_ASSIGN(const Template new_template, ParseTemplate(after));
  TRY_ASSIGN(const ParameterValues old_values, ResolveParameters(old_template, {}));
  TRY_ASSIGN(const ParameterValues new_values, ResolveParameters(new_template, {}));
  const Version old_version{old_template, old_values, ""};
  return PlanChanges(&old_version, {new_template, new_values, ""}, kAround, FakeImport);
}

// "Subnet modify True AvailabilityZone<Zone": one line a change.
std::string Lines(const ChangePlan& plan) {
  static constexpr std::string_view kActions[] = {"add", "modify", "remove"};
  static constexpr std::string_view kReplacements[] = {"False", "Conditional", "True"};
  std::string out;
  for (const Change& change : plan.changes) {
    out += fmt::format("{} {}", change.logical_id, kActions[static_cast<int>(change.action)]);
    if (change.action == Action::kModify) {
      out += fmt::format(" {}", kReplacements[static_cast<int>(change.Replaces())]);
    }
    for (const PropertyChange& property : change.properties) {
      out += fmt::format(" {}{}{}", property.name, property.dynamic ? "?" : "",
                         property.cause.empty() ? "" : "<" + property.cause);
    }
    for (const std::string& attribute : change.attributes) out += " @" + attribute;
    out += '\n';
  }
  return out;
}

TEST(Changes, AreFoundPropertyByProperty) {
  const auto plan = PlanBetween(kBefore, kAfter);
  ASSERT_TRUE(plan) << plan.error().what();
  EXPECT_EQ(Lines(*plan),
            "Group remove\n"
            "Nic add\n"
            "Subnet modify True AvailabilityZone<Zone\n"
            "Vpc modify False EnableDnsSupport\n");
  const auto none = PlanBetween(kBefore, kBefore);
  ASSERT_TRUE(none);
  EXPECT_TRUE(none->Empty());
}

constexpr std::string_view kChain = R"(
Resources:
  Vpc: {Type: 'AWS::EC2::VPC', Properties: {CidrBlock: 10.0.0.0/16}}
  Subnet:
    Type: AWS::EC2::Subnet
    Properties: {VpcId: !Ref Vpc, CidrBlock: !Select [0, !Cidr [!GetAtt Vpc.CidrBlock, 4, 8]]}
  Subnets:
    Type: AWS::RDS::DBSubnetGroup
    Properties: {DBSubnetGroupDescription: d, SubnetIds: [!Ref Subnet]}
  Db:
    Type: AWS::RDS::DBInstance
    DeletionPolicy: Delete
    Properties: {Engine: postgres, DBInstanceClass: db.t3.micro, DBSubnetGroupName: !Ref Subnets, Port: 5432}
  Rule:
    Type: AWS::EC2::SecurityGroupIngress
    Properties: {GroupId: sg-1, IpProtocol: tcp, FromPort: !GetAtt Db.Endpoint.Port, ToPort: 1}
)";

std::string Edited(std::string_view text, std::string_view from, std::string_view to) {
  std::string made(text);
  return made.replace(made.find(from), from.size(), to);
}

TEST(Changes, OfOneResourceMayChangeOthers) {
  const auto vpc = PlanBetween(kChain, Edited(kChain, "10.0.0.0/16", "10.1.0.0/16"));
  ASSERT_TRUE(vpc) << vpc.error().what();
  EXPECT_EQ(Lines(*vpc),
            "Subnet modify Conditional VpcId?<Vpc CidrBlock?<Vpc.CidrBlock\n"
            "Subnets modify False SubnetIds?<Subnet\n"
            "Vpc modify True CidrBlock\n");
  const auto port = PlanBetween(kChain, Edited(kChain, "Port: 5432}", "Port: 5433}"));
  ASSERT_TRUE(port);
  EXPECT_EQ(Lines(*port),
            "Db modify True Port\n"
            "Rule modify Conditional FromPort?<Db.Endpoint.Port\n");
  const auto policy = PlanBetween(kChain, Edited(kChain, "Policy: Delete", "Policy: Retain"));
  ASSERT_TRUE(policy);
  EXPECT_EQ(Lines(*policy), "Db modify False @DeletionPolicy\n");
  const auto spelling = PlanBetween(kChain, Edited(kChain, "Port: 5432}", "Port: '5432'}"));
  ASSERT_TRUE(spelling);
  EXPECT_TRUE(spelling->Empty()) << Lines(*spelling);
}

TEST(Differences, AreFoundByPath) {
  const auto find = [](std::string_view expected, std::string_view actual) {
    std::string out;
    for (const Difference& one :
         FindDifferences(*ParseJsonObject(expected), *ParseJsonObject(actual))) {
      static constexpr std::string_view kKinds[] = {"ADD", "REMOVE", "NOT_EQUAL"};
      out += fmt::format("{} {} '{}' '{}'\n", one.path, kKinds[static_cast<int>(one.kind)],
                         one.expected, one.actual);
    }
    return out;
  };
  EXPECT_EQ(find(R"({"A":1,"B":["x","y"],"Unread":1})", R"({"A":1,"B":["y","x"],"C":3})"), "");
  EXPECT_EQ(find(R"({"A":1})", R"({"A":2})"), "/A NOT_EQUAL '1' '2'\n");
  EXPECT_EQ(find(R"({"T":[{"Key":"a","Value":"1"},{"Key":"b","Value":"2"}]})",
                 R"({"T":[{"Key":"b","Value":"3"},{"Key":"c","Value":"4"}]})"),
            "/T/0 REMOVE '{\"Key\":\"a\",\"Value\":\"1\"}' ''\n"
            "/T/1/Value NOT_EQUAL '2' '3'\n"
            "/T/2 ADD '' '{\"Key\":\"c\",\"Value\":\"4\"}'\n");
}

TEST(Limits, AreAwss) {
  std::string body = "Resources:\n";
  for (int i = 0; i < 501; ++i) {
    body += fmt::format(
        "  V{}: {{Type: 'AWS::EC2::VPC', Properties: {{CidrBlock: 10.0.0.0/16}}}}\n", i);
  }
  EXPECT_EQ(ParseTemplate(body).error().what(),
            "template:2:3: Number of resources, 501, is greater than maximum allowed, 500");
  body.erase(body.find("  V500:"));
  EXPECT_TRUE(ParseTemplate(body));
  std::string parameters = "Parameters:\n";
  std::string outputs = "Outputs:\n";
  std::string mappings = "Mappings:\n";
  for (int i = 0; i < 201; ++i) {
    parameters += fmt::format("  P{}: {{Type: String, Default: x}}\n", i);
    outputs += fmt::format("  O{}: {{Value: x}}\n", i);
    mappings += fmt::format("  M{}: {{a: {{b: c}}}}\n", i);
  }
  for (const auto& [section, what] :
       {std::pair{parameters, "parameters"}, {outputs, "outputs"}, {mappings, "mappings"}}) {
    const auto made = ParseTemplate(body + section);
    ASSERT_FALSE(made);
    EXPECT_NE(made.error().what().find(
                  fmt::format("Number of {}, 201, is greater than maximum allowed, 200", what)),
              std::string::npos);
  }
}

}  // namespace
}  // namespace howdah::cfn
