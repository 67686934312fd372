// A small S3 server for tests: one bucket in memory, path style, on a port of 127.0.0.1. It can be
// told to fail, and not to know conditions. It checks that a request is signed over its body, not
// the signature itself: that is what tests/conformance/test_s3.py has a real server for.
#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "repository/s3.h"

namespace howdah::repository {

struct FakeRequest {
  std::string method;
  std::string target;
  std::map<std::string, std::string> headers;  // names in small letters
  std::string body;
};

struct FakeReply {
  int status = 200;
  std::string body;
  bool hang_up = false;  // instead of an answer
  bool cut = false;      // after half of the body
  bool serve = false;    // do what was asked first
};

class FakeS3 {
 public:
  using Intercept = std::function<std::optional<FakeReply>(const FakeRequest&)>;

  FakeS3();
  ~FakeS3();
  FakeS3(const FakeS3&) = delete;
  FakeS3& operator=(const FakeS3&) = delete;

  std::string Endpoint() const;  // "http://127.0.0.1:PORT"
  // Asked before each request is served; nullopt serves it.
  void SetIntercept(Intercept intercept);
  std::vector<FakeRequest> Requests();  // since the last call, without their bodies
  std::map<std::string, std::string> Objects();
  void PutObject(const std::string& key, std::string bytes);

  std::atomic<bool> knows_conditions = true;
  std::atomic<std::size_t> page_size = 1000;

 private:
  struct Server;
  FakeReply Serve(const FakeRequest& request);
  FakeReply ServeObject(const FakeRequest& request, const std::string& key);
  FakeReply ServeListing(const std::string& query);

  std::mutex mutex_;
  std::map<std::string, std::string> objects_;
  std::vector<FakeRequest> requests_;
  Intercept intercept_;
  std::unique_ptr<Server> server_;
};

// How to reach it, with limits and pauses that suit a test.
S3Settings FakeSettings(const FakeS3& server, const std::string& prefix);

}  // namespace howdah::repository
