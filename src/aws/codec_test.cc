// Each protocol's reader and writer over the generated shapes.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "aws/generated/cloudformation.h"
#include "aws/generated/ec2.h"
#include "aws/generated/rds.h"
#include "aws/generated/secretsmanager.h"
#include "aws/query.h"
#include "aws/scalar.h"
#include "aws/shape_json.h"
#include "aws/shape_xml.h"
#include "aws/validate.h"

namespace howdah::aws {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

// Decodes and checks a form, as the Api does.
template <typename Op>
Outcome<typename Op::Input> FromForm(std::string_view form) {
  typename Op::Input input{};
  const auto root = ParseQuery(form);
  if (!root) return Refuse("Malformed", root.error().what());
  OUTCOME_TRY(DecodeQuery(Op::OfService(), *Op::Desc().input, *root, &input));
  OUTCOME_TRY(Validate(Op::OfService(), *Op::Desc().input, &input));
  return input;
}

template <typename Op>
Outcome<typename Op::Input> FromJson(std::string_view text) {
  typename Op::Input input{};
  OUTCOME_TRY(DecodeJson(Op::OfService(), Op::Desc().input, text, &input));
  OUTCOME_TRY(Validate(Op::OfService(), *Op::Desc().input, &input));
  return input;
}

TEST(Query, UnfoldsNamedAndMemberLists) {
  const auto input = FromForm<rds::CreateDBInstance>(
      "Action=CreateDBInstance&DBInstanceIdentifier=prod-e-db&DBInstanceClass=db.t3.micro"
      "&Engine=postgres&AllocatedStorage=20&MultiAZ=true&DBName=&Unknown.Thing=1"
      "&VpcSecurityGroupIds.VpcSecurityGroupId.1=sg-1&VpcSecurityGroupIds.VpcSecurityGroupId.10=sg-"
      "3"
      "&VpcSecurityGroupIds.VpcSecurityGroupId.2=sg-2"
      "&Tags.member.1.Key=a&Tags.member.1.Value=&EnableCloudwatchLogsExports.member.1=postgresql");
  ASSERT_TRUE(input) << input.error().message;
  EXPECT_EQ(input->db_instance_identifier, "prod-e-db");
  EXPECT_EQ(input->allocated_storage, 20);
  EXPECT_EQ(input->multi_az, true);
  EXPECT_EQ(input->db_name, std::nullopt);
  EXPECT_THAT(input->vpc_security_group_ids, ElementsAre("sg-1", "sg-2", "sg-3"));
  ASSERT_EQ(input->tags.size(), 1U);
  EXPECT_EQ(input->tags[0].value, "");
  EXPECT_THAT(input->enable_cloudwatch_logs_exports, ElementsAre("postgresql"));
}

TEST(Query, TellsAnEmptyListFromNone) {
  const auto empty = FromForm<rds::DescribeDBInstances>("Filters=");
  ASSERT_TRUE(empty);
  EXPECT_TRUE(empty->filters.present());
  EXPECT_TRUE(empty->filters.empty());
  EXPECT_FALSE(FromForm<rds::DescribeDBInstances>("")->filters.present());
}

TEST(Query, GivesTheServicesOwnFaults) {
  const auto fault = [](const auto& outcome) { return outcome.error(); };
  EXPECT_EQ(fault(FromForm<rds::CreateDBInstance>("DBInstanceIdentifier=x&Engine=postgres")),
            MissingParameter("The request must contain the parameter DBInstanceClass"));
  EXPECT_EQ(fault(FromForm<rds::DescribeDBInstances>("MaxRecords=many")).code,
            "InvalidParameterValue");
  EXPECT_EQ(fault(FromForm<rds::DescribeEvents>("SourceType=planet")).code, "ValidationError");
  EXPECT_EQ(fault(FromForm<ec2::CreateSecurityGroup>("GroupName=x")),
            MissingParameter("The request must contain the parameter Description"));
  EXPECT_EQ(fault(FromForm<cloudformation::CreateStack>("TemplateBody=x")).code, "ValidationError");
  EXPECT_EQ(
      fault(FromForm<cloudformation::CreateChangeSet>("StackName=9lives&ChangeSetName=c")).code,
      "ValidationError");
}

TEST(Query, NeverRepeatsASecret) {
  const auto outcome = FromForm<rds::CreateDBInstance>("MasterUserPassword.1=hunter2");
  ASSERT_FALSE(outcome);
  EXPECT_THAT(outcome.error().message, testing::Not(HasSubstr("hunter2")));
}

// A filter that is passed over would let everything through.
TEST(Query, RefusesAListThatItCannotReadWhole) {
  const auto message = [](std::string_view form) {
    const auto outcome = FromForm<rds::DescribeDBInstances>(form);
    return outcome ? "" : outcome.error().code + " " + outcome.error().message;
  };
  EXPECT_THAT(message("Filters.Filter.one.Name=x"),
              HasSubstr("InvalidParameterValue The value of parameter Filters.one is invalid"));
  EXPECT_THAT(message("Filters.Filter.99999999999.Name=x"), HasSubstr("Filters.99999999999"));
  EXPECT_THAT(message("Filters.Filter.-1.Name=x"), HasSubstr("Filters.-1"));
  EXPECT_THAT(message("Filters.Filter.1.Name=x&Filters.Filter.01.Name=y"), HasSubstr("Filters.1"));
  EXPECT_THAT(message("Filters.Fliter.1.Name=x"), HasSubstr("Filters"));
  EXPECT_THAT(message("Filters.1.Name=x"), HasSubstr("Filters"));
  EXPECT_THAT(message("Filters.Filter.1.Name=x&Filters.member.2.Name=y"), HasSubstr("Filters"));
  EXPECT_THAT(message("Filters.Filter=x"), HasSubstr("Filters"));
  EXPECT_THAT(message("Filters=x"), HasSubstr("Filters"));
  EXPECT_THAT(message("Marker.1=x"), HasSubstr("Marker"));
  const auto gaps = FromForm<rds::DescribeDBInstances>(
      "Filters.Filter.1000000000.Name=b&Filters.Filter.1000000000.Values.Value.7=y"
      "&Filters.Filter.3.Name=a&Filters.Filter.3.Values.member.1=x");
  ASSERT_TRUE(gaps) << gaps.error().message;
  ASSERT_EQ(gaps->filters.size(), 2U);
  EXPECT_EQ(gaps->filters[0].name, "a");
  EXPECT_THAT(gaps->filters[1].values, ElementsAre("y"));
}

TEST(Query, QuotesOnlyWholeCharacters) {
  std::string value;
  for (int i = 0; i < 100; ++i) value += "%C3%BC";
  const auto outcome = FromForm<rds::DescribeDBInstances>("MaxRecords=" + value);
  EXPECT_TRUE(IsUtf8(outcome.error().message));
  EXPECT_THAT(outcome.error().message, HasSubstr("MaxRecords"));
}

TEST(Ec2, RefusesParametersThatItDoesNotKnow) {
  EXPECT_EQ(FromForm<ec2::DescribeSubnets>("Action=x&Version=y&Filters.1.Name=vpc-id").error(),
            (Fault{"UnknownParameter", 400, "The parameter Filters is not recognized", true}));
}

TEST(Query, RefusesWhatIsNoForm) {
  EXPECT_FALSE(ParseQuery("a=%00"));
  EXPECT_FALSE(ParseQuery("a%00=b"));
  EXPECT_FALSE(ParseQuery("a=%"));
  EXPECT_FALSE(ParseQuery("a=%C0%80"));     // NUL in disguise
  EXPECT_FALSE(ParseQuery("a=%ED%A0%80"));  // half a surrogate pair
  EXPECT_FALSE(ParseQuery("a=%4"));
  EXPECT_FALSE(ParseQuery("a=%zz"));
  EXPECT_FALSE(ParseQuery("a=%FF"));  // not UTF-8
  EXPECT_FALSE(ParseQuery("a=1&a=2"));
  EXPECT_FALSE(ParseQuery("a.b.c.d.e.f.g.h.i.j.k.l.m.n.o.p.q=1"));
  EXPECT_EQ(QueryValue(*ParseQuery("&&a=b+c%2B&d"), "a"), "b c+");
}

TEST(Ec2, FlattensListsAndCapitalises) {
  const auto input = FromForm<ec2::AuthorizeSecurityGroupIngress>(
      "GroupId=sg-1&IpPermissions.1.IpProtocol=tcp&IpPermissions.1.FromPort=5432"
      "&IpPermissions.1.ToPort=5432&IpPermissions.1.Groups.1.GroupId=sg-2"
      "&IpPermissions.1.IpRanges.1.CidrIp=10.0.0.0%2F16"
      "&TagSpecification.1.ResourceType=security-group-rule&TagSpecification.1.Tag.1.Key=k");
  ASSERT_TRUE(input) << input.error().message;
  ASSERT_EQ(input->ip_permissions.size(), 1U);
  EXPECT_EQ(input->ip_permissions[0].from_port, 5432);
  EXPECT_EQ(input->ip_permissions[0].user_id_group_pairs[0].group_id, "sg-2");
  EXPECT_EQ(input->ip_permissions[0].ip_ranges[0].cidr_ip, "10.0.0.0/16");
  EXPECT_EQ(input->tag_specifications[0].tags[0].key, "k");
}

TEST(Query, ReadsWhatItWrites) {
  rds::CreateDBInstanceMessage input{.db_instance_identifier = "a&b",
                                     .allocated_storage = 20,
                                     .vpc_security_group_ids = {"sg-1"},
                                     .tags = {{.key = "k", .value = "v"}}};
  const std::string form = EncodeQuery(rds::kService, rds::CreateDBInstance::Desc(), &input);
  EXPECT_THAT(form, HasSubstr("DBInstanceIdentifier=a%26b"));
  EXPECT_THAT(form, HasSubstr("VpcSecurityGroupIds.VpcSecurityGroupId.1=sg-1"));
  rds::CreateDBInstanceMessage back{};
  ASSERT_TRUE(
      DecodeQuery(rds::kService, *rds::CreateDBInstance::Desc().input, *ParseQuery(form), &back));
  EXPECT_EQ(back.db_instance_identifier, "a&b");
  EXPECT_EQ(back.tags[0].key, "k");
}

TEST(Xml, WritesModelNamesAndOmitsWhatIsUnset) {
  rds::DBInstanceMessage output{
      .db_instances = {{.db_instance_identifier = "<db>",
                        .endpoint = rds::Endpoint{.address = "h", .port = 5432},
                        .instance_create_time = ParseIso8601("2026-01-01T12:30:45Z").value(),
                        .multi_az = true}}};
  XmlWriter writer;
  EncodeXml(writer, *rds::DescribeDBInstances::Desc().output, &output);
  const std::string xml = writer.Take();
  EXPECT_THAT(xml, HasSubstr("<DBInstances><DBInstance><DBInstanceIdentifier>&lt;db&gt;<"));
  EXPECT_THAT(xml, HasSubstr("<Endpoint><Address>h</Address><Port>5432</Port></Endpoint>"));
  EXPECT_THAT(xml, HasSubstr("2026-01-01T12:30:45.000Z"));
  EXPECT_THAT(xml, HasSubstr("<VpcSecurityGroups></VpcSecurityGroups>"));
  EXPECT_THAT(xml, testing::Not(HasSubstr("AllocatedStorage")));
}

// Scripts ask whether anything is pending by the whole structure.
TEST(Xml, PendingModifiedValuesWithoutChangesAreEmpty) {
  rds::DBInstanceMessage output{
      .db_instances = {{.pending_modified_values = rds::PendingModifiedValues{}}}};
  XmlWriter writer;
  EncodeXml(writer, *rds::DescribeDBInstances::Desc().output, &output);
  EXPECT_THAT(writer.Take(), HasSubstr("<PendingModifiedValues></PendingModifiedValues>"));
}

TEST(Xml, ReadsWhatItWrites) {
  ec2::DescribeSubnetsResult output{
      .subnets = {{.tags = {{.key = "k", .value = "ü\n"}}, .subnet_id = "subnet-1"}}};
  XmlWriter writer;
  writer.Open("r");
  EncodeXml(writer, *ec2::DescribeSubnets::Desc().output, &output);
  writer.Close("r");
  const std::string xml = writer.Take();
  EXPECT_THAT(xml, HasSubstr("<subnetSet><item>"));
  ec2::DescribeSubnetsResult back{};
  ASSERT_TRUE(DecodeXml(*ParseXml(xml), *ec2::DescribeSubnets::Desc().output, &back));
  EXPECT_EQ(back.subnets[0].subnet_id, "subnet-1");
  EXPECT_EQ(back.subnets[0].tags[0].value, "ü\n");
}

TEST(Xml, RefusesWhatIsNoDocument) {
  for (const char* text : {"", "<a>", "<a></b>", "<a/><b/>", "<a>&nope;</a>", "<a>&#0;</a>",
                           "<a b=c/>", "<!DOCTYPE a><a/>", "<a>&#xD800;</a>"}) {
    EXPECT_FALSE(ParseXml(text)) << text;
  }
  std::string deep;
  for (int i = 0; i < 100; ++i) deep += "<a>";
  EXPECT_FALSE(ParseXml(deep));
  const auto node = ParseXml("<?xml version='1.0'?><!-- c --><a x='1'><![CDATA[<]]>&#x41;<b/></a>");
  ASSERT_TRUE(node);
  EXPECT_EQ(node->text, "<A");
}

TEST(Json, ReadsAndWritesTimesBlobsAndMaps) {
  const auto put = FromJson<secretsmanager::PutSecretValue>(
      R"({"SecretId":"s","SecretBinary":"aGk=","VersionStages":["A"],"ClientRequestToken":null})");
  ASSERT_TRUE(put) << put.error().message;
  EXPECT_EQ(put->secret_binary->bytes, "hi");
  secretsmanager::DescribeSecretResponse output{.name = "s",
                                                .version_ids_to_stages = {{"v1", {"AWSCURRENT"}}},
                                                .created_date = FromMicros(1'700'000'000'123'000)};
  const std::string text =
      EncodeJson(secretsmanager::DescribeSecret::Desc().output, &output, Lists::kAlways);
  EXPECT_THAT(text, HasSubstr(R"("VersionIdsToStages":{"v1":["AWSCURRENT"]})"));
  secretsmanager::DescribeSecretResponse back{};
  ASSERT_TRUE(DecodeJson(secretsmanager::kService, secretsmanager::DescribeSecret::Desc().output,
                         text, &back));
  EXPECT_EQ(back.created_date, output.created_date);
  EXPECT_EQ(back.version_ids_to_stages.at("v1")[0], "AWSCURRENT");
}

TEST(Json, GivesTheServicesOwnFaults) {
  EXPECT_EQ(FromJson<secretsmanager::GetSecretValue>("{}").error().code, "ValidationException");
  EXPECT_EQ(FromJson<secretsmanager::GetSecretValue>("[]").error().code, "SerializationException");
  EXPECT_EQ(FromJson<secretsmanager::GetSecretValue>(R"({"SecretId":1})").error().code,
            "SerializationException");
  EXPECT_EQ(FromJson<secretsmanager::GetRandomPassword>(R"({"PasswordLength":5000})").error().code,
            "ValidationException");
}

TEST(Scalars, Base64IsStrict) {
  for (const char* text : {"a", "ab=c", "ab!=", "====", " aGk"}) {
    EXPECT_FALSE(DecodeBase64(text)) << text;
  }
  EXPECT_EQ(*DecodeBase64(""), "");
  EXPECT_EQ(*DecodeBase64(EncodeBase64(std::string("\0\xff", 2))), std::string("\0\xff", 2));
}

}  // namespace
}  // namespace howdah::aws
