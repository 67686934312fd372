// The signatures below were computed by AWS's own client library for the same requests.
#include "aws/sigv4.h"

#include <gtest/gtest.h>

namespace howdah::aws {
namespace {

constexpr std::string_view kSecret = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";

class OneKey : public Credentials {
 public:
  std::optional<std::string> FindSecret(std::string_view id) const override {
    if (id != "AKIDEXAMPLE") return std::nullopt;
    return std::string(kSecret);
  }
};

WallTime Now() {
  return *ParseIso8601("2026-11-23T09:46:00Z");
}

http::Request HeaderSigned() {
  http::Request request{.method = "POST", .target = "/"};
  request.body = "Action=DescribeDBInstances&Version=2014-10-31";
  request.headers = {
      {"Host", "127.0.0.1:4566"},
      {"User-Agent", "not signed"},
      {"content-type", "application/x-www-form-urlencoded;   charset=utf-8 "},
      {"X-Amz-Date", "20261123T094600Z"},
      {"Authorization",
       "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20261123/us-west-2/rds/aws4_request, "
       "SignedHeaders=content-type;host;x-amz-date, "
       "Signature=1b9b0241b8e13ab52739ad94b914849a2e5283ce70294d78a99cb4b8cf8de03e"}};
  return request;
}

http::Request Presigned() {
  http::Request request{.method = "GET"};
  request.target =
      "/?Action=GetCallerIdentity&Version=2011-06-15&Note=a%20b%2Fc"
      "&X-Amz-Algorithm=AWS4-HMAC-SHA256"
      "&X-Amz-Credential=AKIDEXAMPLE%2F20261123%2Fus-west-2%2Fsts%2Faws4_request"
      "&X-Amz-Date=20261123T094600Z&X-Amz-Expires=900&X-Amz-SignedHeaders=host"
      "&X-Amz-Signature=b2ac0307e8b6dfd474e40bfd20956441d5da3f9b7ffe21302b155f1187edd64a";
  request.headers = {{"Host", "127.0.0.1:4566"}};
  return request;
}

std::string CodeOf(const http::Request& request, WallTime now = Now()) {
  const auto signer = Verify(request, OneKey(), now);
  return signer ? "" : signer.error().code;
}

void Replace(http::Request& request, std::string_view from, std::string_view to) {
  std::string value(*request.headers.Find("Authorization"));
  value.replace(value.find(from), from.size(), to);
  request.headers.Set("Authorization", value);
}

TEST(SigV4, AcceptsWhatTheClientLibrarySigns) {
  const auto signer = Verify(HeaderSigned(), OneKey(), Now());
  ASSERT_TRUE(signer) << signer.error().message;
  EXPECT_EQ(signer->access_key_id, "AKIDEXAMPLE");
  EXPECT_EQ(signer->region, "us-west-2");
  EXPECT_EQ(signer->service, "rds");
}

TEST(SigV4, AcceptsAPresignedUrlUntilItExpires) {
  EXPECT_EQ(CodeOf(Presigned()), "");
  EXPECT_EQ(CodeOf(Presigned(), Now() + 900s), "");
  EXPECT_EQ(CodeOf(Presigned(), Now() + 901s), "RequestExpired");
}

TEST(SigV4, RefusesAnyChangeOfWhatWasSigned) {
  auto request = HeaderSigned();
  request.body += "&X=1";
  EXPECT_EQ(CodeOf(request), "SignatureDoesNotMatch");
  request = HeaderSigned();
  request.method = "PUT";
  EXPECT_EQ(CodeOf(request), "SignatureDoesNotMatch");
  request = HeaderSigned();
  request.target = "/?x=1";
  EXPECT_EQ(CodeOf(request), "SignatureDoesNotMatch");
  request = HeaderSigned();
  request.headers.Set("Host", "elsewhere");
  EXPECT_EQ(CodeOf(request), "SignatureDoesNotMatch");
  request = HeaderSigned();
  request.headers.Set("content-type", "text/plain");
  EXPECT_EQ(CodeOf(request), "SignatureDoesNotMatch");
}

http::Request SignedWith(const http::Headers& headers) {
  http::Request request{.method = "POST", .target = "/", .headers = headers};
  request.body = "{}";
  Sign(request, {"AKIDEXAMPLE", std::string(kSecret), "us-west-2", "secretsmanager"}, Now());
  return request;
}

TEST(SigV4, WantsTheHeadersThatSayWhatTheRequestIsSignedAndOnce) {
  auto request = HeaderSigned();
  request.headers.Add("X-Amz-Target", "secretsmanager.DeleteSecret");
  EXPECT_EQ(Verify(request, OneKey(), Now()).error().message,
            "'X-Amz-Target' must be a 'SignedHeader' in the AWS Authorization.");
  EXPECT_EQ(CodeOf(request), "SignatureDoesNotMatch");
  request = HeaderSigned();
  Replace(request, "content-type;host;x-amz-date", "content-type;x-amz-date");
  EXPECT_EQ(CodeOf(request), "SignatureDoesNotMatch");
  for (const char* name : {"x-amz-date", "HOST", "Authorization"}) {
    request = HeaderSigned();
    request.headers.Add(name, std::string(*request.headers.Find(name)));
    EXPECT_EQ(CodeOf(request), "IncompleteSignature") << name;
  }
  EXPECT_EQ(CodeOf(SignedWith({{"Host", "h"}, {"X-Amz-Target", "a"}, {"X-Amz-Target", "b"}})),
            "IncompleteSignature");
  EXPECT_EQ(CodeOf(SignedWith({{"Host", "h"}, {"X-Amz-Target", "a"}})), "");
}

// Nobody was ever given a session token, so none is good, even with a good key.
TEST(SigV4, RefusesSessionTokens) {
  EXPECT_EQ(CodeOf(SignedWith({{"Host", "h"}, {"X-Amz-Security-Token", "FwoG"}})),
            "InvalidClientTokenId");
  EXPECT_EQ(CodeOf(SignedWith({{"Host", "h"}, {"X-Amz-Security-Token", ""}})), "");
}

TEST(SigV4, RefusesAnUnsignedBody) {
  EXPECT_EQ(CodeOf(SignedWith({{"Host", "h"}, {"X-Amz-Content-Sha256", "UNSIGNED-PAYLOAD"}})),
            "SignatureDoesNotMatch");
  auto request = Presigned();
  request.target += "&X-Amz-Content-Sha256=UNSIGNED-PAYLOAD";
  EXPECT_EQ(CodeOf(request), "SignatureDoesNotMatch");
  request = Presigned();
  request.body = "Action=DeleteDBInstance";
  EXPECT_EQ(CodeOf(request), "SignatureDoesNotMatch");
}

// As on AWS: what must not happen twice has an idempotency token.
TEST(SigV4, TakesTheSameRequestAgainWithinItsWindow) {
  EXPECT_EQ(CodeOf(HeaderSigned(), Now() + 1min), "");
  EXPECT_EQ(CodeOf(HeaderSigned(), Now() + 2min), "");
}

TEST(SigV4, WantsAWholeScope) {
  for (const char* scope :
       {"AKIDEXAMPLE", "AKIDEXAMPLE/20261123/us-west-2/rds/aws3_request",
        "AKIDEXAMPLE/20261123//rds/aws4_request", "AKIDEXAMPLE/20261123/us-west-2/aws4_request",
        "AKIDEXAMPLE/20261123/us-west-2/rds/x/aws4_request"}) {
    auto request = HeaderSigned();
    Replace(request, "AKIDEXAMPLE/20261123/us-west-2/rds/aws4_request", scope);
    EXPECT_EQ(CodeOf(request), "IncompleteSignature") << scope;
  }
  auto request = HeaderSigned();
  Replace(request, "/20261123/", "/2026/");
  EXPECT_EQ(CodeOf(request), "SignatureDoesNotMatch");
  request = HeaderSigned();
  Replace(request, "/rds/", "/ec2/");
  EXPECT_EQ(CodeOf(request), "SignatureDoesNotMatch");
  request = Presigned();
  request.headers.Add("Authorization", "AWS4-HMAC-SHA256 Credential=x");
  EXPECT_EQ(CodeOf(request), "IncompleteSignature");
}

TEST(SigV4, HoldsTheClockToFiveMinutes) {
  EXPECT_EQ(CodeOf(HeaderSigned(), Now() + 5min), "");
  EXPECT_EQ(CodeOf(HeaderSigned(), Now() + 5min + 1s), "RequestExpired");
  EXPECT_EQ(CodeOf(HeaderSigned(), Now() - 5min), "");
  EXPECT_EQ(CodeOf(HeaderSigned(), Now() - 5min - 1s), "SignatureDoesNotMatch");
}

TEST(SigV4, NamesWhatIsMissing) {
  EXPECT_EQ(CodeOf({}), "MissingAuthenticationToken");
  auto request = HeaderSigned();
  Replace(request, "AKIDEXAMPLE", "AKIDSTRANGER");
  EXPECT_EQ(CodeOf(request), "InvalidClientTokenId");
  for (const char* part : {"Signature=", "SignedHeaders=", "Credential="}) {
    request = HeaderSigned();
    Replace(request, part, "Nothing=");
    EXPECT_EQ(CodeOf(request), "IncompleteSignature") << part;
  }
  request = HeaderSigned();
  Replace(request, "AWS4-HMAC-SHA256", "AWS4-HMAC-SHA1");
  EXPECT_EQ(CodeOf(request), "IncompleteSignature");
  request = HeaderSigned();
  Replace(request, "/20261123/", "/20261122/");
  EXPECT_EQ(CodeOf(request), "SignatureDoesNotMatch");
}

TEST(SigV4, VerifiesItsOwnSignatures) {
  const SigningKey key{"AKIDEXAMPLE", std::string(kSecret), "us-west-2", "secretsmanager"};
  http::Request request{.method = "POST", .target = "/a b/?z=1&a=%2F&a=+"};
  request.headers = {{"Host", "h:1"}, {"X-Amz-Target", "secretsmanager.GetSecretValue"}};
  request.body = "{}";
  Sign(request, key, Now());
  EXPECT_EQ(CodeOf(request), "");
  http::Request presigned{.method = "GET"};
  presigned.target = Presign("GET", "h:1", "/?Action=connect&DBUser=a%2Bb", key, Now(), 900s);
  presigned.headers = {{"Host", "h:1"}};
  EXPECT_EQ(CodeOf(presigned), "");
}

}  // namespace
}  // namespace howdah::aws
