// The loop thread owns the acceptor and every connection; a worker sees only a Request and gives
// back a Response, which it posts to the loop. Everything below that is not marked otherwise runs
// on the loop thread. This file and client.cc are the only ones that know Boost.Beast.
#include "http/server.h"

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>
#include <exception>
#include <future>
#include <set>
#include <thread>

namespace howdah::http {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace wire = boost::beast::http;
using asio::ip::tcp;
using ErrorCode = boost::system::error_code;

constexpr Duration kStopPatience = 5s;
constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";

Response Plain(int status, std::string_view text) {
  Response response;
  response.status = status;
  response.headers.Add("Content-Type", "text/plain; charset=utf-8");
  response.body = std::string(text) + "\n";
  return response;
}

// What the parser refuses, as an answer.
Response Refusal(const ErrorCode& error) {
  if (error == wire::error::body_limit) return Plain(413, "The request body is too large.");
  if (error == wire::error::header_limit) return Plain(431, "The request header is too large.");
  return Plain(400, "The request is not understood.");
}

}  // namespace

class Server::Impl {
 public:
  Impl(Options options, Handler handler, const Log& log)
      : options_(std::move(options)),
        handler_(std::move(handler)),
        log_(log),
        acceptor_(loop_),
        patience_(loop_),
        workers_(static_cast<std::size_t>(options_.worker_threads)) {}

  Result<> Listen() {
    ErrorCode error;
    const auto address = asio::ip::make_address(options_.address, error);
    if (error) return Fail(Code::kInvalid, "not an address: " + options_.address);
    const tcp::endpoint endpoint(address, options_.port);
    acceptor_.open(endpoint.protocol(), error);
    if (!error) acceptor_.set_option(tcp::acceptor::reuse_address(true), error);
    if (!error) acceptor_.bind(endpoint, error);
    if (!error) acceptor_.listen(asio::socket_base::max_listen_connections, error);
    if (!error) port_ = acceptor_.local_endpoint(error).port();
    if (error) {
      return Fail(error == asio::error::address_in_use ? Code::kInUse : Code::kUnavailable,
                  "listening on " + options_.address + ":" + std::to_string(options_.port) + ": " +
                      error.message());
    }
    return {};
  }

  void Run() {
    Accept();
    loop_thread_ = std::thread([this] { loop_.run(); });
  }

  // On any thread but a worker's.
  void Stop() {
    if (!loop_thread_.joinable()) return;
    asio::post(loop_, [this] { BeginStop(); });
    loop_thread_.join();
    workers_.join();
    stopped_ = true;
  }

  std::uint16_t port() const { return port_; }

 private:
  class Connection;

  void Accept() {
    acceptor_.async_accept([this](const ErrorCode& error, tcp::socket socket) {
      if (stopping_) return;
      if (!error) {
        Welcome(std::move(socket));
      } else if (error != asio::error::operation_aborted) {
        log_.Warning("http: accepting a connection: {}", error.message());
        // Out of descriptors, most likely. Trying at once would spin.
        patience_.expires_after(100ms);
        patience_.async_wait([this](const ErrorCode& cancelled) {
          if (!cancelled && !stopping_) Accept();
        });
        return;
      }
      Accept();
    });
  }

  void Welcome(tcp::socket socket);

  void BeginStop() {
    stopping_ = true;
    ErrorCode ignored;
    acceptor_.close(ignored);
    patience_.expires_after(kStopPatience);
    patience_.async_wait([this](const ErrorCode& cancelled) {
      if (!cancelled) loop_.stop();
    });
    CloseIdle();
    StopWhenEmpty();
  }

  void CloseIdle();

  void StopWhenEmpty() {
    if (stopping_ && !stopped_ && connections_.empty()) patience_.cancel();
  }

  const Options options_;
  const Handler handler_;
  const Log& log_;
  std::uint16_t port_ = 0;
  bool stopping_ = false;
  bool stopped_ = false;
  // Before the loop, which may end connections as it is destroyed.
  std::set<Connection*> connections_;
  asio::io_context loop_{1};
  tcp::acceptor acceptor_;
  asio::steady_timer patience_;
  asio::thread_pool workers_;
  std::thread loop_thread_;
};

// One client connection: waits for a request, reads it, has it handled, writes the answer, again.
// Kept alive by the operation under way.
class Server::Impl::Connection : public std::enable_shared_from_this<Connection> {
 public:
  Connection(Impl& server, tcp::socket socket)
      : server_(server), socket_(std::move(socket)), timer_(server.loop_) {
    server_.connections_.insert(this);
    ErrorCode ignored;
    socket_.set_option(tcp::no_delay(true), ignored);
    const tcp::endpoint peer = socket_.remote_endpoint(ignored);
    if (!ignored) peer_address_ = peer.address().to_string();
  }

  ~Connection() {
    server_.connections_.erase(this);
    server_.StopWhenEmpty();
  }

  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  // Waits for the first byte of a request.
  void Await() {
    if (buffer_.size() > 0) return ReadHeader();
    idle_ = true;
    Arm(server_.options_.idle_timeout);
    socket_.async_wait(tcp::socket::wait_read, [self = shared_from_this()](const ErrorCode& error) {
      self->idle_ = false;
      if (!error && !self->timed_out_) self->ReadHeader();
    });
  }

  void CloseIfIdle() {
    if (idle_) Close();
  }

 private:
  void Close() {
    timer_.cancel();
    ErrorCode ignored;
    socket_.shutdown(tcp::socket::shutdown_both, ignored);
    socket_.close(ignored);
  }

  // When the time is up, what is being waited for is cancelled and timed_out_ says why.
  void Arm(Duration timeout) {
    timed_out_ = false;
    timer_.expires_after(timeout);
    timer_.async_wait([weak = weak_from_this()](const ErrorCode& cancelled) {
      const auto self = weak.lock();
      if (cancelled || !self || self->timer_.expiry() > asio::steady_timer::clock_type::now()) {
        return;
      }
      self->timed_out_ = true;
      ErrorCode ignored;
      self->socket_.cancel(ignored);
    });
  }

  void ReadHeader() {
    parser_.emplace();
    parser_->header_limit(server_.options_.max_header_bytes);
    parser_->body_limit(server_.options_.max_body_bytes);
    Arm(server_.options_.read_timeout);
    wire::async_read_header(socket_, buffer_, *parser_,
                            [self = shared_from_this()](const ErrorCode& error, std::size_t) {
                              if (error) return self->Unread(error);
                              self->Continue();
                            });
  }

  // A client that asks before it sends its body is told to go on.
  void Continue() {
    if (!beast::iequals(parser_->get()[wire::field::expect], "100-continue")) return ReadBody();
    asio::async_write(socket_, asio::buffer(kContinue),
                      [self = shared_from_this()](const ErrorCode& error, std::size_t) {
                        if (!error) self->ReadBody();
                      });
  }

  void ReadBody() {
    wire::async_read(socket_, buffer_, *parser_,
                     [self = shared_from_this()](const ErrorCode& error, std::size_t) {
                       if (error) return self->Unread(error);
                       self->timer_.cancel();
                       self->Handle();
                     });
  }

  void Unread(const ErrorCode& error) {
    keep_alive_ = false;
    if (timed_out_) return Write(Plain(408, "The request did not arrive in time."));
    const bool peer_gone = error == wire::error::end_of_stream ||
                           error == wire::error::partial_message ||
                           error == asio::error::operation_aborted ||
                           error.category() == asio::error::get_system_category();
    if (!peer_gone) Write(Refusal(error));
  }

  void Handle() {
    auto message = parser_->release();
    keep_alive_ = message.keep_alive() && !server_.stopping_;
    head_ = message.method() == wire::verb::head;
    Request request;
    request.method = std::string(message.method_string());
    request.target = std::string(message.target());
    for (const auto& field : message) {
      request.headers.Add(std::string(field.name_string()), std::string(field.value()));
    }
    request.body = std::move(message.body());
    request.peer_address = peer_address_;
    asio::post(server_.workers_,
               [self = shared_from_this(), request = std::move(request)]() mutable {
                 self->Work(std::move(self), request);
               });
  }

  // On a worker thread: touches nothing of the connection but what never changes.
  void Work(std::shared_ptr<Connection> self, const Request& request) {
    Response response = Plain(500, "Internal error.");
    try {
      response = server_.handler_(request);
    } catch (const std::exception& error) {
      server_.log_.Error("http: a handler threw: {}", error.what());
    }
    // The connection goes back to its loop, so that it never ends on a worker.
    asio::io_context& loop = server_.loop_;
    asio::post(loop, [self = std::move(self), response = std::move(response)]() mutable {
      self->Write(std::move(response));
    });
  }

  void Write(Response response) {
    if (server_.stopping_) keep_alive_ = false;
    auto message = std::make_shared<wire::response<wire::string_body>>();
    message->version(11);
    message->result(static_cast<unsigned>(response.status));
    for (const auto& [name, value] : response.headers) message->insert(name, value);
    message->body() = std::move(response.body);
    message->keep_alive(keep_alive_);
    message->prepare_payload();
    if (head_) message->body().clear();
    Arm(server_.options_.read_timeout);
    wire::async_write(socket_, *message,
                      [self = shared_from_this(), message](const ErrorCode& error, std::size_t) {
                        if (error) return self->Close();
                        if (self->keep_alive_ && !self->server_.stopping_) return self->Await();
                        self->Linger();
                      });
  }

  // A refused client may still be sending. Closing at once would reset the connection and take the
  // answer away from it, so what it sends is thrown away for a moment.
  void Linger() {
    ErrorCode ignored;
    socket_.shutdown(tcp::socket::shutdown_send, ignored);
    Arm(server_.stopping_ ? Duration(100ms) : Duration(1s));
    Drain();
  }

  void Drain() {
    buffer_.clear();
    socket_.async_read_some(buffer_.prepare(8192),
                            [self = shared_from_this()](const ErrorCode& error, std::size_t) {
                              if (error || self->timed_out_ || ++self->drained_ > 1024) {
                                return self->Close();
                              }
                              self->Drain();
                            });
  }

  Impl& server_;
  tcp::socket socket_;
  asio::steady_timer timer_;
  beast::flat_buffer buffer_;
  std::optional<wire::request_parser<wire::string_body>> parser_;
  std::string peer_address_;
  bool idle_ = false;
  bool timed_out_ = false;
  bool keep_alive_ = false;
  bool head_ = false;
  int drained_ = 0;
};

void Server::Impl::Welcome(tcp::socket socket) {
  if (connections_.size() >= static_cast<std::size_t>(options_.max_connections)) {
    static constexpr std::string_view kFull =
        "HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";
    ErrorCode ignored;
    socket.non_blocking(true, ignored);
    socket.send(asio::buffer(kFull), 0, ignored);
    return;
  }
  std::make_shared<Connection>(*this, std::move(socket))->Await();
}

void Server::Impl::CloseIdle() {
  for (Connection* connection : connections_) connection->CloseIfIdle();
}

Server::Server(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

Server::~Server() {
  Stop();
}

Result<std::unique_ptr<Server>> Server::Start(Options options, Handler handler, const Log& log) {
  auto impl = std::make_unique<Impl>(std::move(options), std::move(handler), log);
  TRY(impl->Listen());
  impl->Run();
  return std::unique_ptr<Server>(new Server(std::move(impl)));
}

std::uint16_t Server::port() const {
  return impl_->port();
}

void Server::Stop() {
  impl_->Stop();
}

}  // namespace howdah::http
