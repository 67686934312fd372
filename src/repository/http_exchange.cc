// See http_exchange.h. libcurl signs (AWS_SIGV4); it wants the query sorted and escaped as it is to
// be signed, and the hash of the body as a header.
#include "repository/http_exchange.h"

#include <curl/curl.h>
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "repository/format.h"
#include "vault/crypto.h"

namespace howdah::repository {

namespace {

struct ListCloser {
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};
using HeaderList = std::unique_ptr<curl_slist, ListCloser>;

void Append(HeaderList& list, const std::string& header) {
  curl_slist* const longer = curl_slist_append(list.get(), header.c_str());
  Check(longer != nullptr, "libcurl has memory");
  (void)list.release();
  list.reset(longer);
}

long Milliseconds(Duration duration) {
  return static_cast<long>(std::chrono::duration_cast<std::chrono::milliseconds>(duration).count());
}

}  // namespace

struct HttpExchange::Handle {
  CURL* curl = curl_easy_init();
  HeaderList headers;
  HttpAnswer answer;
  std::uint64_t most_bytes = 0;
  bool too_much = false;
  char error[CURL_ERROR_SIZE] = {};

  Handle() { Check(curl != nullptr, "libcurl has memory"); }
  ~Handle() { curl_easy_cleanup(curl); }
  Handle(const Handle&) = delete;
  Handle& operator=(const Handle&) = delete;

  static std::size_t OnBody(const char* bytes, std::size_t, std::size_t size, void* user) {
    auto& self = *static_cast<Handle*>(user);
    std::string& body = self.answer.body;
    if (body.empty()) self.Reserve();
    self.too_much = body.size() + size > self.most_bytes;
    if (self.too_much) return 0;
    body.append(bytes, size);
    return size;
  }
  static std::size_t OnHeader(const char* bytes, std::size_t, std::size_t size, void* user) {
    constexpr std::string_view kRegion = "x-amz-bucket-region:";
    const std::string_view line(bytes, size);
    const auto lower = [](unsigned char c) { return static_cast<char>(std::tolower(c)); };
    std::string name(line.substr(0, kRegion.size()));
    std::ranges::transform(name, name.begin(), lower);
    if (name == kRegion && size < 128) {
      std::string region(line.substr(kRegion.size()));
      std::erase_if(region, [](unsigned char c) { return std::isspace(c) != 0; });
      static_cast<Handle*>(user)->answer.bucket_region = std::move(region);
    }
    return size;
  }

  void Reserve() {
    curl_off_t length = -1;
    curl_easy_getinfo(curl, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &length);
    if (length > 0) answer.body.reserve(std::min<std::uint64_t>(length, most_bytes));
  }
};

HttpExchange::HttpExchange(const std::string& region, S3Credentials credentials, HttpLimits limits)
    : signing_("aws:amz:" + region + ":s3"), credentials_(std::move(credentials)), limits_(limits) {
  Check(curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK, "libcurl starts");
}

HttpExchange::~HttpExchange() {
  idle_.clear();
  curl_global_cleanup();
  vault::Wipe(credentials_.secret_access_key);
  vault::Wipe(credentials_.session_token);
}

std::unique_ptr<HttpExchange::Handle> HttpExchange::Take() {
  const std::lock_guard lock(mutex_);
  if (idle_.empty()) return std::make_unique<Handle>();
  std::unique_ptr<Handle> handle = std::move(idle_.back());
  idle_.pop_back();
  return handle;
}

void HttpExchange::Prepare(Handle& handle, const HttpRequest& request) const {
  CURL* const curl = handle.curl;
  curl_easy_reset(curl);  // keeps the connection
  const auto set = [curl](CURLoption option, auto value) {
    Check(curl_easy_setopt(curl, option, value) == CURLE_OK, "libcurl knows the option");
  };
  handle.answer = {};
  handle.most_bytes = request.most_bytes;
  handle.too_much = false;
  handle.error[0] = '\0';
  handle.headers.reset();
  Append(handle.headers, "x-amz-content-sha256: " + Hex(vault::Sha256(request.body)));
  for (const std::string& header : request.headers) Append(handle.headers, header);
  if (!credentials_.session_token.empty()) {
    Append(handle.headers, "x-amz-security-token: " + credentials_.session_token);
  }
  set(CURLOPT_URL, request.url.c_str());
  set(CURLOPT_CUSTOMREQUEST, request.method.c_str());
  if (request.method == "HEAD") set(CURLOPT_NOBODY, 1L);
  if (request.method == "PUT") {
    set(CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request.body.size()));
    set(CURLOPT_POSTFIELDS, request.body.data());
    Append(handle.headers, "content-type: application/octet-stream");
  }
  if (!request.range.empty()) set(CURLOPT_RANGE, request.range.c_str());
  set(CURLOPT_HTTPHEADER, handle.headers.get());
  set(CURLOPT_AWS_SIGV4, signing_.c_str());
  set(CURLOPT_USERNAME, credentials_.access_key_id.c_str());
  set(CURLOPT_PASSWORD, credentials_.secret_access_key.c_str());
  set(CURLOPT_PROTOCOLS_STR, "http,https");
  set(CURLOPT_HTTP_VERSION, long{CURL_HTTP_VERSION_1_1});
  set(CURLOPT_SSLVERSION, long{CURL_SSLVERSION_TLSv1_2});
  set(CURLOPT_NOSIGNAL, 1L);
  set(CURLOPT_BUFFERSIZE, 512L * 1024);
  set(CURLOPT_CONNECTTIMEOUT_MS, Milliseconds(limits_.connect));
  set(CURLOPT_LOW_SPEED_LIMIT, 1024L);
  set(CURLOPT_LOW_SPEED_TIME, std::max(1L, Milliseconds(limits_.stall) / 1000));
  const std::uint64_t bytes = std::max<std::uint64_t>(request.body.size(), request.most_bytes);
  set(CURLOPT_TIMEOUT_MS, Milliseconds(limits_.exchange + std::chrono::seconds(bytes >> 18)));
  set(CURLOPT_ERRORBUFFER, handle.error);
  set(CURLOPT_WRITEFUNCTION, &Handle::OnBody);
  set(CURLOPT_WRITEDATA, &handle);
  set(CURLOPT_HEADERFUNCTION, &Handle::OnHeader);
  set(CURLOPT_HEADERDATA, &handle);
}

Result<HttpAnswer> HttpExchange::Send(const HttpRequest& request) {
  std::unique_ptr<Handle> handle = Take();
  Prepare(*handle, request);
  const CURLcode code = curl_easy_perform(handle->curl);
  HttpAnswer answer = std::move(handle->answer);
  curl_easy_getinfo(handle->curl, CURLINFO_RESPONSE_CODE, &answer.status);
  curl_off_t length = 0;
  curl_easy_getinfo(handle->curl, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &length);
  answer.length = length > 0 ? static_cast<std::uint64_t>(length) : 0;
  const std::string why =
      handle->error[0] != '\0' ? std::string(handle->error) : curl_easy_strerror(code);
  const bool too_much = handle->too_much;
  {
    const std::lock_guard lock(mutex_);
    idle_.push_back(std::move(handle));
  }
  if (code == CURLE_OK) return answer;
  if (too_much) {
    return Fail(Code::kCorrupt,
                fmt::format("the S3 server sends more than {} bytes", request.most_bytes));
  }
  if (code == CURLE_PEER_FAILED_VERIFICATION || code == CURLE_SSL_CACERT_BADFILE) {
    return Fail(Code::kPermission, "the S3 server's certificate is not to be trusted: " + why);
  }
  return Fail(Code::kUnavailable, "the S3 server does not answer: " + why);
}

}  // namespace howdah::repository
