// One signed request to an S3 server and its answer, over libcurl, which stays in the .cc file.
// Private to the room.
#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"

namespace howdah::repository {

struct S3Credentials {
  std::string access_key_id;
  std::string secret_access_key;
  std::string session_token;  // "" where they last
};

struct HttpRequest {
  std::string method;
  std::string url;                   // escaped, its query in the order of its names
  std::vector<std::string> headers;  // "name: value", each part of the signature
  std::string_view body;
  std::string range;  // "0-9"; "" for the whole
  // How much may come; and how much must be waited for.
  std::uint64_t most_bytes = 0;
};

struct HttpAnswer {
  long status = 0;
  std::string body;
  std::uint64_t length = 0;   // what Content-Length says, for HEAD
  std::string bucket_region;  // where the bucket is, if it is not where it was asked for
};

struct HttpLimits {
  Duration connect = 5s;
  Duration stall = 30s;     // without a KiB a second for so long, it is given up
  Duration exchange = 60s;  // for everything but the bytes, which get a second for each 256 KiB
};

// Connections are kept for the next request, one for each thread that asks at the same time. Safe
// from any thread.
class HttpExchange {
 public:
  HttpExchange(const std::string& region, S3Credentials credentials, HttpLimits limits);
  ~HttpExchange();
  HttpExchange(const HttpExchange&) = delete;
  HttpExchange& operator=(const HttpExchange&) = delete;

  // kUnavailable: no answer, or one that was cut off; kPermission: a certificate that nobody knows.
  // An answer of any status is an answer.
  Result<HttpAnswer> Send(const HttpRequest& request);

 private:
  struct Handle;
  std::unique_ptr<Handle> Take();
  void Prepare(Handle& handle, const HttpRequest& request) const;

  const std::string signing_;
  S3Credentials credentials_;
  const HttpLimits limits_;
  std::mutex mutex_;
  std::vector<std::unique_ptr<Handle>> idle_;
};

}  // namespace howdah::repository
