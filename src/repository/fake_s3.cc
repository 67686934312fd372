// See fake_s3.h.
#include "repository/fake_s3.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <list>
#include <thread>
#include <utility>

#include "repository/format.h"
#include "vault/crypto.h"

namespace howdah::repository {

namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
using asio::ip::tcp;

const std::string kBucket = "bucket";

FakeReply Fault(int status, const std::string& code) {
  return {.status = status,
          .body = fmt::format("<?xml version=\"1.0\"?>\n<Error><Code>{}</Code><Message>no &amp; "
                              "no</Message></Error>",
                              code)};
}

std::string Unescape(std::string_view text) {
  std::string plain;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%' && i + 2 < text.size()) {
      plain += static_cast<char>(std::stoi(std::string(text.substr(i + 1, 2)), nullptr, 16));
      i += 2;
    } else {
      plain += text[i];
    }
  }
  return plain;
}

std::string Parameter(std::string_view query, std::string_view name) {
  while (!query.empty()) {
    const std::string_view one = query.substr(0, query.find('&'));
    query.remove_prefix(std::min(one.size() + 1, query.size()));
    if (one.substr(0, one.find('=')) == name) return Unescape(one.substr(name.size() + 1));
  }
  return "";
}

std::string Header(const FakeRequest& request, const std::string& name) {
  const auto at = request.headers.find(name);
  return at == request.headers.end() ? "" : at->second;
}

}  // namespace

struct FakeS3::Server {
  asio::io_context context;
  tcp::acceptor acceptor{context, {asio::ip::make_address("127.0.0.1"), 0}};
  std::mutex mutex;
  std::list<tcp::socket> sockets;
  bool stopping = false;
  std::vector<std::jthread> threads;  // the acceptor's is the first

  void Accept(FakeS3& fake) {
    for (;;) {
      beast::error_code error;
      tcp::socket socket = acceptor.accept(error);
      const std::lock_guard lock(mutex);
      if (stopping || error) return;
      sockets.push_back(std::move(socket));
      threads.emplace_back([&fake, &socket = sockets.back()] { Talk(fake, socket); });
    }
  }

  static void Talk(FakeS3& fake, tcp::socket& socket) {
    beast::error_code error;
    beast::flat_buffer buffer;
    while (!error) {
      http::request_parser<http::string_body> parser;
      parser.body_limit(boost::none);
      http::read_header(socket, buffer, parser, error);
      if (error) break;
      if (parser.get()[http::field::expect] == "100-continue") {
        asio::write(socket, asio::buffer(std::string("HTTP/1.1 100 Continue\r\n\r\n")), error);
      }
      if (!error) http::read(socket, buffer, parser, error);
      if (error || !Answer(fake, socket, parser.get(), error)) break;
    }
    socket.shutdown(tcp::socket::shutdown_both, error);
  }

  static bool Answer(FakeS3& fake, tcp::socket& socket,
                     const http::request<http::string_body>& asked, beast::error_code& error) {
    FakeRequest request{.method = asked.method_string(), .target = asked.target()};
    for (const auto& field : asked) {
      std::string name = field.name_string();
      std::ranges::transform(name, name.begin(), [](unsigned char c) { return std::tolower(c); });
      request.headers[name] = field.value();
    }
    request.body = asked.body();
    const FakeReply reply = fake.Serve(request);
    if (reply.hang_up) return false;
    const std::size_t length = request.method == "HEAD" && reply.status == 200
                                   ? std::stoul(reply.body)
                                   : reply.body.size();
    std::string text =
        fmt::format("HTTP/1.1 {} X\r\nContent-Length: {}\r\n\r\n", reply.status, length);
    if (request.method != "HEAD") text += reply.body.substr(0, reply.cut ? length / 2 : length);
    asio::write(socket, asio::buffer(text), error);
    return !reply.cut;
  }
};

FakeS3::FakeS3() : server_(std::make_unique<Server>()) {
  const std::lock_guard lock(server_->mutex);
  server_->threads.emplace_back([this] { server_->Accept(*this); });
}

FakeS3::~FakeS3() {
  std::vector<std::jthread> threads;
  {
    const std::lock_guard lock(server_->mutex);
    server_->stopping = true;
    beast::error_code error;
    for (tcp::socket& socket : server_->sockets) socket.shutdown(tcp::socket::shutdown_both, error);
    threads = std::exchange(server_->threads, {});
  }
  asio::io_context context;  // wakes the acceptor
  tcp::socket last(context);
  beast::error_code error;
  last.connect(server_->acceptor.local_endpoint(), error);
  threads.clear();
}

std::string FakeS3::Endpoint() const {
  return fmt::format("http://127.0.0.1:{}", server_->acceptor.local_endpoint().port());
}

void FakeS3::SetIntercept(Intercept intercept) {
  const std::lock_guard lock(mutex_);
  intercept_ = std::move(intercept);
}

std::vector<FakeRequest> FakeS3::Requests() {
  const std::lock_guard lock(mutex_);
  return std::exchange(requests_, {});
}

std::map<std::string, std::string> FakeS3::Objects() {
  const std::lock_guard lock(mutex_);
  return objects_;
}

void FakeS3::PutObject(const std::string& key, std::string bytes) {
  const std::lock_guard lock(mutex_);
  objects_[key] = std::move(bytes);
}

FakeReply FakeS3::Serve(const FakeRequest& request) {
  const std::lock_guard lock(mutex_);
  requests_.push_back(request);
  requests_.back().body.clear();
  if (intercept_) {
    if (std::optional<FakeReply> reply = intercept_(request)) {
      if (reply->serve) ServeObject(request, request.target.substr(kBucket.size() + 2));
      return *std::move(reply);
    }
  }
  if (!Header(request, "authorization").starts_with("AWS4-HMAC-SHA256 Credential=AKIATEST/") ||
      Header(request, "x-amz-content-sha256") != Hex(vault::Sha256(request.body))) {
    return Fault(403, "SignatureDoesNotMatch");
  }
  const std::string path = request.target.substr(0, request.target.find('?'));
  const std::string query = request.target.substr(std::min(path.size() + 1, request.target.size()));
  if (!path.starts_with("/" + kBucket + "/")) return Fault(404, "NoSuchBucket");
  const std::string key = path.substr(kBucket.size() + 2);
  return key.empty() ? ServeListing(query) : ServeObject(request, key);
}

FakeReply FakeS3::ServeObject(const FakeRequest& request, const std::string& key) {
  const auto at = objects_.find(key);
  if (request.method == "PUT") {
    const bool conditional = Header(request, "if-none-match") == "*" && knows_conditions;
    if (conditional && at != objects_.end()) return Fault(412, "PreconditionFailed");
    objects_[key] = request.body;
    return {};
  }
  if (request.method == "DELETE") {
    objects_.erase(key);
    return {.status = 204};
  }
  if (at == objects_.end()) return Fault(404, "NoSuchKey");
  if (request.method == "HEAD") return {.body = std::to_string(at->second.size())};
  const std::string range = Header(request, "range");
  if (range.empty()) return {.body = at->second};
  const std::size_t first = std::stoul(range.substr(range.find('=') + 1));
  const std::size_t last = std::stoul(range.substr(range.find('-') + 1));
  if (first >= at->second.size()) return Fault(416, "InvalidRange");
  return {.status = 206, .body = at->second.substr(first, last - first + 1)};
}

FakeReply FakeS3::ServeListing(const std::string& query) {
  const std::string prefix = Parameter(query, "prefix");
  const bool grouped = Parameter(query, "delimiter") == "/";
  const std::string after = Parameter(query, "continuation-token");
  std::string xml =
      "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<ListBucketResult "
      "xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">";
  std::size_t entries = 0;
  std::string last;
  for (const auto& [key, bytes] : objects_) {
    if (!key.starts_with(prefix)) continue;
    const std::size_t slash = grouped ? key.find('/', prefix.size()) : key.npos;
    const std::string entry = slash == key.npos ? key : key.substr(0, slash + 1);
    if (entry <= after || entry == last) continue;
    if (entries++ == page_size) {
      return {.body = xml + fmt::format("<IsTruncated>true</IsTruncated><NextContinuationToken>{}"
                                        "</NextContinuationToken></ListBucketResult>",
                                        last)};
    }
    last = entry;
    xml += slash == key.npos
               ? fmt::format("<Contents><Key>{}</Key><Size>{}</Size></Contents>", key, bytes.size())
               : fmt::format("<CommonPrefixes><Prefix>{}</Prefix></CommonPrefixes>", entry);
  }
  return {.body = xml + "<IsTruncated>false</IsTruncated></ListBucketResult>"};
}

S3Settings FakeSettings(const FakeS3& server, const std::string& prefix) {
  return {.bucket = "bucket",
          .prefix = prefix,
          .region = "eu-north-1",
          .endpoint = server.Endpoint(),
          .path_style = true,
          .credentials = {.access_key_id = "AKIATEST", .secret_access_key = "hunter2hunter2"},
          .limits = {.connect = 2s, .stall = 1s, .exchange = 2s},
          .first_pause = 1ms};
}

}  // namespace howdah::repository
