// S3 as a repository, on a server of our own that fails when it is told to.
#include "repository/s3.h"

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <thread>

#include "repository/fake_s3.h"
#include "system/fake/seeded_entropy.h"

namespace howdah::repository {
namespace {

class S3Test : public testing::Test {
 protected:
  std::vector<std::string> Methods() {
    std::vector<std::string> methods;
    for (const FakeRequest& request : server_.Requests()) methods.push_back(request.method);
    return methods;
  }
  // The first `count` requests are answered so.
  void FailFirst(int count, FakeReply reply) {
    server_.SetIntercept([count, reply](const FakeRequest&) mutable {
      return count-- > 0 ? std::optional(reply) : std::nullopt;
    });
  }
  void FailAlways(const FakeReply& reply) { FailFirst(1'000'000, reply); }

  FakeS3 server_;
  system::SeededEntropy entropy_;
  std::vector<Duration> pauses_;
  S3Repository repository_{FakeSettings(server_, ""), entropy_,
                           [this](Duration pause) { pauses_.push_back(pause); }};
};

TEST_F(S3Test, WhatMayPassIsTriedAgain) {
  for (const int status : {500, 502, 503, 504, 429, 408, 409}) {
    const std::string name = "a/" + std::to_string(status);
    FailFirst(3, {.status = status});
    const Result<> put = repository_.Put(name, "x");
    EXPECT_TRUE(put) << put.error().what();
    EXPECT_EQ(server_.Objects()[name], "x");
  }
  FailFirst(3, {.hang_up = true});
  EXPECT_EQ(*repository_.Get("a/500"), "x");
}

TEST_F(S3Test, ThePauseGrowsAndTheTriesEnd) {
  FailAlways({.status = 503, .body = "<Error><Code>SlowDown</Code></Error>"});
  const auto got = repository_.Get("a");
  EXPECT_EQ(got.error().code(), Code::kUnavailable);
  EXPECT_THAT(got.error().what(), testing::HasSubstr("503 SlowDown"));
  ASSERT_EQ(pauses_.size(), 3U);
  EXPECT_GE(pauses_[0], 500us);
  EXPECT_LE(pauses_[0], 1500us);
  EXPECT_GE(pauses_[2], 2ms);
  EXPECT_EQ(Methods().size(), 4U);
}

TEST_F(S3Test, WhatDoesNotPassIsNotTriedAgain) {
  for (const auto& [status, code] :
       {std::pair{403, Code::kPermission}, {404, Code::kNotFound}, {400, Code::kInternal}}) {
    FailAlways({.status = status});
    EXPECT_EQ(repository_.Get("a").error().code(), code) << status;
    EXPECT_EQ(Methods().size(), 1U);
  }
  EXPECT_TRUE(pauses_.empty());
}

TEST_F(S3Test, ABucketThatIsMissingIsNoMissingObject) {
  FailAlways({.status = 404, .body = "<Error><Code>NoSuchBucket</Code></Error>"});
  EXPECT_EQ(repository_.Get("a").error().code(), Code::kUnavailable);
  EXPECT_EQ(repository_.List("a").error().code(), Code::kUnavailable);
  EXPECT_EQ(repository_.ListSegments("a/").error().code(), Code::kUnavailable);
  EXPECT_EQ(repository_.Delete("a").error().code(), Code::kUnavailable);
}

TEST_F(S3Test, AnAnswerThatIsCutOffIsNoObject) {
  server_.PutObject("a", std::string(100'000, 'x'));
  FailAlways({.body = std::string(100'000, 'x'), .cut = true});
  EXPECT_EQ(repository_.Get("a").error().code(), Code::kUnavailable);
  FailFirst(1, {.body = std::string(100'000, 'x'), .cut = true});
  EXPECT_EQ(repository_.Get("a")->size(), 100'000U);
}

TEST_F(S3Test, APutWhoseAnswerWasLostIsFoundDone) {
  bool first = true;
  server_.SetIntercept([&](const FakeRequest& request) -> std::optional<FakeReply> {
    if (request.method != "PUT" || !std::exchange(first, false)) return std::nullopt;
    return FakeReply{.hang_up = true, .serve = true};
  });
  EXPECT_TRUE(repository_.Put("a", "x"));
}

TEST_F(S3Test, AServerThatIgnoresConditionsDoesNotLoseTheFirst) {
  server_.knows_conditions = false;
  EXPECT_TRUE(repository_.Put("a", "first"));
  EXPECT_TRUE(repository_.Put("a", "first"));
  EXPECT_EQ(repository_.Put("a", "other").error().code(), Code::kAlreadyExists);
  EXPECT_EQ(*repository_.Get("a"), "first");
}

TEST_F(S3Test, AServerThatRefusesConditionsIsAskedWithoutThem) {
  server_.SetIntercept([](const FakeRequest& request) -> std::optional<FakeReply> {
    if (!request.headers.contains("if-none-match")) return std::nullopt;
    return FakeReply{.status = 501, .body = "<Error><Code>NotImplemented</Code></Error>"};
  });
  EXPECT_TRUE(repository_.Put("a", "first"));
  EXPECT_EQ(repository_.Put("a", "other").error().code(), Code::kAlreadyExists);
  server_.Requests();
  EXPECT_TRUE(repository_.Put("b", "x"));
  EXPECT_THAT(Methods(), testing::ElementsAre("GET", "PUT"));
}

// It was the first of several threads only that asked again.
TEST_F(S3Test, AServerThatRefusesConditionsIsAskedWithoutThemByEveryThread) {
  server_.SetIntercept([](const FakeRequest& request) -> std::optional<FakeReply> {
    if (!request.headers.contains("if-none-match")) return std::nullopt;
    return FakeReply{.status = 501};
  });
  std::vector<std::jthread> threads;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&, i] { EXPECT_TRUE(repository_.Put("a/" + std::to_string(i), "x")); });
  }
}

TEST_F(S3Test, ASilentServerIsGivenUp) {
  const int listener = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{.sin_family = AF_INET};
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  ASSERT_EQ(::bind(listener, reinterpret_cast<sockaddr*>(&address), size), 0);
  ASSERT_EQ(::listen(listener, 8), 0);  // the kernel accepts, and nobody answers
  ASSERT_EQ(::getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size), 0);
  S3Settings settings = FakeSettings(server_, "");
  settings.endpoint = "http://127.0.0.1:" + std::to_string(ntohs(address.sin_port));
  settings.attempts = 2;
  settings.limits.exchange = 200ms;
  S3Repository repository(settings, entropy_);
  EXPECT_EQ(repository.Put("a", "x").error().code(), Code::kUnavailable);
  ::close(listener);
}

TEST_F(S3Test, ALargeObjectArrivesWhole) {
  std::string bytes(20 << 20, '\0');
  entropy_.Fill(std::as_writable_bytes(std::span(bytes)));
  ASSERT_TRUE(repository_.Put("large", bytes));
  EXPECT_TRUE(*repository_.Get("large") == bytes);
  EXPECT_TRUE(*repository_.GetRange("large", 1 << 20, 5 << 20) == bytes.substr(1 << 20, 5 << 20));
}

TEST_F(S3Test, WhatIsNotOursInTheBucketIsNotListed) {
  for (const char* key : {"i/a b", "i/x/", "i//y", "i/\xc3\xa4", "i/good"}) {
    server_.PutObject(key, "x");
  }
  EXPECT_EQ(repository_.List("i/")->size(), 1U);
  EXPECT_THAT(*repository_.ListSegments("i/"), testing::ElementsAre("good", "x"));
}

TEST_F(S3Test, AListingThatDoesNotEndIsAnError) {
  FailAlways({.body = "<ListBucketResult><IsTruncated>true</IsTruncated><NextContinuationToken>t"
                      "</NextContinuationToken></ListBucketResult>"});
  EXPECT_EQ(repository_.List("").error().code(), Code::kCorrupt);
}

TEST_F(S3Test, NoErrorTellsTheSecret) {
  FailAlways({.status = 403, .body = "<Error><Code>AccessDenied</Code></Error>"});
  const std::string what = repository_.Put("a", "x").error().what();
  EXPECT_THAT(what, testing::HasSubstr("AccessDenied"));
  EXPECT_THAT(what, testing::Not(testing::HasSubstr("hunter2")));
  for (const FakeRequest& request : server_.Requests()) {
    for (const auto& [name, value] : request.headers) {
      EXPECT_THAT(value, testing::Not(testing::HasSubstr("hunter2"))) << name;
    }
  }
}

}  // namespace
}  // namespace howdah::repository
