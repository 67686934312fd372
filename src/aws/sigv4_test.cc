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
  request.headers.Add("X-Amz-Date", "20261123T094600Z");  // a second value changes the first
  EXPECT_EQ(CodeOf(request), "SignatureDoesNotMatch");
  request = HeaderSigned();
  request.headers.Set("X-Amz-Content-Sha256", "UNSIGNED-PAYLOAD");
  EXPECT_EQ(CodeOf(request), "SignatureDoesNotMatch");
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
  request = HeaderSigned();
  Replace(request, "content-type;host;x-amz-date", "content-type;x-amz-date");
  EXPECT_EQ(CodeOf(request), "IncompleteSignature");
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
