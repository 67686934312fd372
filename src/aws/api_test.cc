// Whole requests through the Api, and the Client against a real server.
#include "aws/api.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <stdexcept>

#include "aws/client.h"
#include "aws/generated/ec2.h"
#include "aws/generated/rds.h"
#include "aws/generated/secretsmanager.h"
#include "http/server.h"

namespace howdah::aws {
namespace {

using testing::HasSubstr;

class OneKey : public Credentials {
 public:
  std::optional<std::string> FindSecret(std::string_view id) const override {
    if (id != "AKID") return std::nullopt;
    return std::string("secret");
  }
};

WallTime Now() {
  return *ParseIso8601("2026-11-23T09:46:00Z");
}

class ApiTest : public testing::Test {
 protected:
  ApiTest() {
    rds_.Register<rds::DescribeDBInstances>(
        [](const RequestContext& context,
           const rds::DescribeDBInstancesMessage& in) -> Outcome<rds::DBInstanceMessage> {
          if (in.db_instance_identifier == "gone") {
            return Refuse(rds::fault::DBInstanceNotFoundFault("DBInstance gone not found."));
          }
          if (in.db_instance_identifier == "throw") throw std::runtime_error("a defect");
          return rds::DBInstanceMessage{
              .db_instances = {{.db_instance_identifier = in.db_instance_identifier,
                                .availability_zone = context.region + "a"}}};
        });
    rds_.Register<rds::DeleteDBSubnetGroup>(
        [](const RequestContext&, const rds::DeleteDBSubnetGroupMessage&) -> Outcome<Empty> {
          return Empty{};
        });
    ec2_.Register<ec2::DeleteVpc>(
        [this](const RequestContext&, const ec2::DeleteVpcRequest&) -> Outcome<Empty> {
          ++deleted_;
          return Refuse("InvalidVpcID.NotFound", "The vpc ID 'vpc-1' does not exist");
        });
    secrets_.Register<secretsmanager::GetSecretValue>(
        [](const RequestContext&, const secretsmanager::GetSecretValueRequest& in)
            -> Outcome<secretsmanager::GetSecretValueResponse> {
          if (in.secret_id == "gone") {
            return Refuse(secretsmanager::fault::ResourceNotFoundException("no such secret"));
          }
          return secretsmanager::GetSecretValueResponse{.secret_string = "hunter2"};
        });
    api_.Add(rds_);
    api_.Add(ec2_);
    api_.Add(secrets_);
  }

  http::Response Query(std::string service, std::string body) {
    http::Request request{.method = "POST"};
    request.headers = {{"Host", "h"}};
    request.body = std::move(body);
    Sign(request, {"AKID", "secret", "us-west-2", std::move(service)}, Now());
    return api_.Handle(request);
  }

  http::Response Json(std::string target, std::string body, std::string key = "AKID") {
    http::Request request{.method = "POST"};
    request.headers = {{"Host", "h"}, {"X-Amz-Target", std::move(target)}};
    request.body = std::move(body);
    Sign(request, {std::move(key), "secret", "us-west-2", "secretsmanager"}, Now());
    return api_.Handle(request);
  }

  OneKey keys_;
  Service rds_{rds::kService};
  Service ec2_{ec2::kService};
  Service secrets_{secretsmanager::kService};
  int deleted_ = 0;
  Api api_{{.account_id = "123456789012",
            .region = "us-west-2",
            .now = Now,
            .new_request_id = [] { return std::string("id-1"); }},
           keys_,
           Log()};
};

TEST_F(ApiTest, QueryAnswersCarryTheirWrapperAndRequestId) {
  const auto answer = Query("rds", "Action=DescribeDBInstances&DBInstanceIdentifier=x");
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.headers.Find("x-amzn-requestid"), "id-1");
  EXPECT_THAT(answer.body, HasSubstr("<DescribeDBInstancesResponse "
                                     "xmlns=\"http://rds.amazonaws.com/doc/2014-10-31/\">"
                                     "<DescribeDBInstancesResult><DBInstances><DBInstance>"));
  EXPECT_THAT(answer.body, HasSubstr("<ResponseMetadata><RequestId>id-1</RequestId>"));
  EXPECT_THAT(Query("rds", "Action=DeleteDBSubnetGroup&DBSubnetGroupName=x").body,
              testing::Not(HasSubstr("Result")));
}

TEST_F(ApiTest, FaultsHaveTheWireCodeAndStatus) {
  const auto answer = Query("rds", "Action=DescribeDBInstances&DBInstanceIdentifier=gone");
  EXPECT_EQ(answer.status, 404);
  EXPECT_THAT(answer.body, HasSubstr("<Error><Type>Sender</Type><Code>DBInstanceNotFound</Code>"
                                     "<Message>DBInstance gone not found.</Message></Error>"
                                     "<RequestId>id-1</RequestId></ErrorResponse>"));
  const auto ec2 = Query("ec2", "Action=DeleteVpc&VpcId=vpc-1");
  EXPECT_EQ(ec2.status, 400);
  EXPECT_THAT(ec2.body, HasSubstr("<Response><Errors><Error><Code>InvalidVpcID.NotFound</Code>"));
  EXPECT_THAT(ec2.body, HasSubstr("<RequestID>id-1</RequestID>"));
  const auto json = Json("secretsmanager.GetSecretValue", R"({"SecretId":"gone"})");
  EXPECT_EQ(json.status, 400);
  EXPECT_THAT(json.body, HasSubstr(R"("__type":"ResourceNotFoundException")"));
}

TEST_F(ApiTest, TellsUnknownOperationsFromUnservedOnes) {
  const auto unknown = Query("rds", "Action=MakeCoffee");
  EXPECT_EQ(unknown.status, 400);
  EXPECT_THAT(unknown.body, HasSubstr("<Code>InvalidAction</Code><Message>The action MakeCoffee"));
  EXPECT_THAT(Query("rds", "Action=CreateDBCluster").body, HasSubstr("Howdah does not serve"));
  EXPECT_THAT(Query("rds", "").body, HasSubstr("MissingAction"));
  EXPECT_THAT(Query("dynamodb", "Action=X").body, HasSubstr("InvalidAction"));
  const auto json = Json("secretsmanager.RotateSecret", "{}");
  EXPECT_EQ(json.status, 400);
  EXPECT_THAT(json.body, HasSubstr("UnknownOperationException"));
}

TEST_F(ApiTest, ADryRunIsNotCarriedOut) {
  const auto answer = Query("ec2", "Action=DeleteVpc&VpcId=vpc-1&DryRun=true");
  EXPECT_EQ(answer.status, 412);
  EXPECT_THAT(answer.body, HasSubstr("DryRunOperation"));
  EXPECT_EQ(deleted_, 0);
}

TEST_F(ApiTest, AuthenticationSpeaksEachProtocol) {
  EXPECT_EQ(api_.Handle({}).status, 403);
  EXPECT_THAT(api_.Handle({}).body, HasSubstr("MissingAuthenticationToken"));
  const auto json = Json("secretsmanager.GetSecretValue", R"({"SecretId":"x"})", "AKOTHER");
  EXPECT_EQ(json.status, 400);
  EXPECT_THAT(json.body, HasSubstr("UnrecognizedClientException"));
}

TEST_F(ApiTest, TakesParametersFromBodyAndUrl) {
  const auto send = [&](std::string method, std::string target, std::string body) {
    http::Request request{
        .method = std::move(method), .target = std::move(target), .headers = {{"Host", "h"}}};
    request.body = std::move(body);
    Sign(request, {"AKID", "secret", "us-west-2", "rds"}, Now());
    return api_.Handle(request);
  };
  const std::string call = "Action=DescribeDBInstances&DBInstanceIdentifier=x";
  EXPECT_EQ(send("GET", "/?" + call, "").status, 200);
  EXPECT_EQ(send("POST", "/?" + call, "").status, 200);
  EXPECT_EQ(send("POST", "/?Action=DescribeDBInstances", "DBInstanceIdentifier=gone").status, 404);
  EXPECT_THAT(send("POST", "/?" + call, call).body, HasSubstr("MalformedQueryString"));
  EXPECT_THAT(send("DELETE", "/?" + call, "").body, HasSubstr("MethodNotAllowed"));
  EXPECT_EQ(send("HEAD", "/?" + call, "").status, 405);
  EXPECT_EQ(send("POST", "/other?" + call, "").status, 404);
}

TEST_F(ApiTest, WordsTheServersOwnRefusalsAsTheService) {
  http::Request request{.method = "POST", .headers = {{"Host", "h"}}};
  EXPECT_THAT(api_.Refusal({}, 400, "what").body, HasSubstr("<Code>MalformedHttpRequest</Code>"));
  Sign(request, {"AKID", "secret", "us-west-2", "ec2"}, Now());
  const auto large = api_.Refusal(request, 413, "The request body is too large.");
  EXPECT_EQ(large.status, 413);
  EXPECT_THAT(large.body, HasSubstr("<Errors><Error><Code>RequestEntityTooLarge</Code>"));
  request = {.method = "POST", .headers = {{"Host", "h"}, {"X-Amz-Target", "secretsmanager.X"}}};
  const auto slow = api_.Refusal(request, 408, "The request did not arrive in time.");
  EXPECT_EQ(slow.headers.Find("x-amzn-ErrorType"), "RequestTimeoutException");
  EXPECT_THAT(slow.body, HasSubstr(R"("Message":"The request did not arrive in time.")"));
}

TEST_F(ApiTest, AMessageThatRepeatsAHeaderIsUtf8) {
  const auto answer = Json("secretsmanager.Cre\xffte", "{}");
  EXPECT_EQ(answer.status, 400);
  EXPECT_THAT(answer.body, HasSubstr("Cre?te"));
}

TEST_F(ApiTest, MalformedJsonIsTheClientsMistake) {
  for (const std::string& body :
       {std::string("{"), std::string("[]"), std::string("\xff"), std::string(R"({"SecretId":1})"),
        "{\"SecretId\":" + std::string(100'000, '[') + "1", std::string(R"({"SecretId":"\ud800"})"),
        std::string("{\"SecretId\":\"\0\"}", 16)}) {
    const auto answer = Json("secretsmanager.GetSecretValue", body);
    EXPECT_EQ(answer.status, 400) << body.substr(0, 40);
    EXPECT_THAT(answer.body, HasSubstr("SerializationException"));
  }
  const auto missing = Json("secretsmanager.GetSecretValue", "{}");
  EXPECT_THAT(missing.body,
              HasSubstr("1 validation error detected: Value null at 'secretId' failed to satisfy "
                        "constraint: Member must not be null"));
  EXPECT_THAT(Json("secretsmanager.GetSecretValue", R"({"SecretId":""})").body,
              HasSubstr("Value '' at 'secretId' failed to satisfy constraint: Member must have "
                        "length greater than or equal to 1"));
}

TEST_F(ApiTest, ADefectInAHandlerSaysNothing) {
  const auto answer = Query("rds", "Action=DescribeDBInstances&DBInstanceIdentifier=throw");
  EXPECT_EQ(answer.status, 500);
  EXPECT_THAT(answer.body, HasSubstr("<Type>Receiver</Type><Code>InternalFailure</Code>"));
  EXPECT_THAT(answer.body, testing::Not(HasSubstr("a defect")));
}

TEST_F(ApiTest, TheClientReadsWhatTheServerWrites) {
  const Log log;
  auto server = http::Server::Start(
      {}, [this](const http::Request& request) { return api_.Handle(request); }, log);
  ASSERT_TRUE(server) << server.error().what();
  const Client client({.endpoint = "http://127.0.0.1:" + std::to_string((*server)->port()),
                       .region = "us-west-2",
                       .access_key_id = "AKID",
                       .secret_access_key = "secret",
                       .now = Now});
  const auto described = client.Call<rds::DescribeDBInstances>({.db_instance_identifier = "x"});
  ASSERT_TRUE(described) << described.error().message;
  EXPECT_EQ(described->db_instances[0].availability_zone, "us-west-2a");
  const auto gone = client.Call<rds::DescribeDBInstances>({.db_instance_identifier = "gone"});
  EXPECT_EQ(gone.error().code, "DBInstanceNotFound");
  EXPECT_EQ(gone.error().http_status, 404);
  EXPECT_EQ(client.Call<ec2::DeleteVpc>({.vpc_id = "vpc-1"}).error().code, "InvalidVpcID.NotFound");
  const auto secret = client.Call<secretsmanager::GetSecretValue>({.secret_id = "s"});
  ASSERT_TRUE(secret) << secret.error().message;
  EXPECT_EQ(secret->secret_string, "hunter2");
  (*server)->Stop();
  EXPECT_EQ(client.Call<secretsmanager::GetSecretValue>({.secret_id = "s"}).error().code,
            "EndpointUnavailable");
}

}  // namespace
}  // namespace howdah::aws
