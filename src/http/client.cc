// One request over one connection. The whole exchange runs on an io_context of its own, for as long
// as the deadline allows.
#include "http/client.h"

#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http.hpp>
#include <charconv>

namespace howdah::http {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace wire = boost::beast::http;
using asio::ip::tcp;
using ErrorCode = boost::system::error_code;

constexpr std::uint64_t kMaxAnswerBytes = 64 << 20;

class Exchange {
 public:
  Exchange(const Endpoint& endpoint, Request request, Duration timeout)
      : where_(endpoint.Authority()), timeout_(timeout), stream_(loop_), resolver_(loop_) {
    message_.method_string(request.method);
    message_.target(request.target);
    message_.version(11);
    message_.set(wire::field::host, where_);
    for (const auto& [name, value] : request.headers) message_.set(name, value);
    message_.set(wire::field::connection, "close");
    message_.body() = std::move(request.body);
    message_.prepare_payload();
    parser_.body_limit(kMaxAnswerBytes);
    resolver_.async_resolve(endpoint.host, endpoint.port,
                            [this](const ErrorCode& error, tcp::resolver::results_type found) {
                              if (!Failed(error)) Connect(found);
                            });
  }

  Result<Response> Run() {
    loop_.run_for(timeout_);
    if (!finished_) {
      return Fail(Code::kTimeout,
                  "no answer from " + where_ + " within " + FormatDuration(timeout_));
    }
    if (error_) return Fail(Code::kUnavailable, where_ + ": " + error_.message());
    auto message = parser_.release();
    Response response;
    response.status = static_cast<int>(message.result_int());
    for (const auto& field : message) {
      response.headers.Add(std::string(field.name_string()), std::string(field.value()));
    }
    response.body = std::move(message.body());
    return response;
  }

 private:
  bool Failed(const ErrorCode& error) {
    if (error) {
      error_ = error;
      finished_ = true;
    }
    return finished_;
  }

  void Connect(const tcp::resolver::results_type& found) {
    stream_.async_connect(found, [this](const ErrorCode& error, const tcp::endpoint&) {
      if (Failed(error)) return;
      wire::async_write(stream_, message_, [this](const ErrorCode&, std::size_t) {
        // A server may refuse before it has read everything: its answer counts, not our write.
        Read();
      });
    });
  }

  void Read() {
    wire::async_read(stream_, buffer_, parser_, [this](const ErrorCode& error, std::size_t) {
      Failed(error);
      finished_ = true;
    });
  }

  std::string where_;
  Duration timeout_;
  asio::io_context loop_{1};
  beast::tcp_stream stream_;
  tcp::resolver resolver_;
  wire::request<wire::string_body> message_;
  wire::response_parser<wire::string_body> parser_;
  beast::flat_buffer buffer_;
  ErrorCode error_;
  bool finished_ = false;
};

}  // namespace

Result<Endpoint> ParseEndpoint(std::string_view url) {
  static constexpr std::string_view kScheme = "http://";
  if (!url.starts_with(kScheme)) return Fail(Code::kInvalid, "an endpoint begins with http://");
  url.remove_prefix(kScheme.size());
  if (url.ends_with('/')) url.remove_suffix(1);
  const std::size_t colon = url.rfind(':');
  Endpoint endpoint{.host = std::string(url.substr(0, colon))};
  if (colon != url.npos) endpoint.port = std::string(url.substr(colon + 1));
  unsigned port = 0;
  const char* end = endpoint.port.data() + endpoint.port.size();
  const auto [stop, error] = std::from_chars(endpoint.port.data(), end, port);
  if (endpoint.host.empty() || endpoint.host.find_first_of("/?#@ ") != std::string::npos ||
      error != std::errc() || stop != end || port == 0 || port > 65535) {
    return Fail(Code::kInvalid, "an endpoint is http://HOST:PORT");
  }
  return endpoint;
}

Result<Response> Send(const Endpoint& endpoint, Request request, Duration timeout) {
  try {
    Exchange exchange(endpoint, std::move(request), timeout);
    return exchange.Run();
  } catch (const std::exception& error) {  // a method or header that HTTP does not allow
    return Fail(Code::kInvalid, error.what());
  }
}

}  // namespace howdah::http
