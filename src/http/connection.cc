// The life of a connection. Each state has a deadline, each buffer a bound. This file and client.cc
// are the only ones that know Boost.Beast.
#include "http/connection.h"

#include <algorithm>
#include <boost/asio/post.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/http.hpp>
#include <exception>

namespace howdah::http {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace wire = boost::beast::http;
using asio::ip::tcp;

constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";
// A client that is at its request for longer may have to make room for others.
constexpr Duration kGrace = 1s;
constexpr int kMaxDrains = 1024;
// What is read ahead of the parser: a header, or the frame of a chunk, must fit.
constexpr std::size_t kReadAhead = 64 << 10;

Response Plain(int status, std::string_view text) {
  Response response;
  response.status = status;
  response.headers.Add("Content-Type", "text/plain; charset=utf-8");
  response.body = std::string(text) + "\n";
  return response;
}

struct Wrong {
  int status;
  std::string_view reason;
};

// What the parser refuses.
Wrong WrongOf(const boost::system::error_code& error) {
  if (error == wire::error::body_limit) return {413, "The request body is too large."};
  if (error == wire::error::header_limit || error == wire::error::buffer_overflow) {
    return {431, "The request header is too large."};
  }
  return {400, "The request is not HTTP/1.1 as RFC 9112 has it."};
}

// What the parser lets pass and this server does not.
template <typename Message>
std::optional<Wrong> WrongIn(const Message& message) {
  if (message.version() != 10 && message.version() != 11) {
    return Wrong{505, "This server speaks HTTP/1.1."};
  }
  if (message.count(wire::field::host) > 1 ||
      (message.version() == 11 && message.count(wire::field::host) == 0)) {
    return Wrong{400, "A request must have one Host header."};
  }
  const auto encoding = message.find(wire::field::transfer_encoding);
  if (encoding != message.end() &&
      (message.version() == 10 || message.count(wire::field::transfer_encoding) > 1 ||
       !beast::iequals(encoding->value(), "chunked"))) {
    return Wrong{400, "The only transfer encoding that is understood is chunked."};
  }
  const auto expectation = message[wire::field::expect];
  if (!expectation.empty() && !beast::iequals(expectation, "100-continue")) {
    return Wrong{417, "The only expectation that is understood is 100-continue."};
  }
  return std::nullopt;
}

}  // namespace

bool Hall::MakeRoom() {
  const auto idle = std::ranges::find_if(connections, &Connection::idle);
  if (idle != connections.end()) {
    (*idle)->Close();
    return true;
  }
  const auto slow = std::ranges::find_if(connections, &Connection::dawdles);
  if (slow == connections.end()) return false;
  (*slow)->Close();
  return true;
}

Connection::Connection(Hall& hall, tcp::socket socket)
    : hall_(hall),
      socket_(std::move(socket)),
      timer_(hall.loop),
      buffer_(hall.options.max_header_bytes + kReadAhead) {
  place_ = hall_.connections.insert(hall_.connections.end(), this);
  ErrorCode ignored;
  socket_.set_option(tcp::no_delay(true), ignored);
  const tcp::endpoint peer = socket_.remote_endpoint(ignored);
  if (!ignored) peer_address_ = peer.address().to_string();
}

Connection::~Connection() {
  if (large_body_) --hall_.large_bodies;
  hall_.connections.erase(place_);
  hall_.on_leave();
}

bool Connection::dawdles() const {
  return (state_ == State::kReading || state_ == State::kWriting) &&
         asio::steady_timer::clock_type::now() - entered_ > kGrace;
}

void Connection::Enter(State state) {
  state_ = state;
  entered_ = asio::steady_timer::clock_type::now();
  hall_.connections.splice(hall_.connections.end(), hall_.connections, place_);
}

// The descriptor is free at once; the operation under way ends with an error and lets go of us.
void Connection::Close() {
  state_ = State::kHandling;  // nobody makes room with us twice
  timer_.cancel();
  ErrorCode ignored;
  socket_.shutdown(tcp::socket::shutdown_both, ignored);
  socket_.close(ignored);
}

// When the time is up, what is being waited for is cancelled and timed_out_ says why.
void Connection::Arm(Duration timeout) {
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

// Waits for the first byte of a request.
void Connection::Await() {
  if (large_body_) --hall_.large_bodies;
  large_body_ = false;
  parser_.reset();
  if (buffer_.size() > 0) return ReadHeader();
  buffer_.shrink_to_fit();
  Enter(State::kIdle);
  Arm(hall_.options.idle_timeout);
  socket_.async_wait(tcp::socket::wait_read, [self = shared_from_this()](const ErrorCode& error) {
    if (!error && !self->timed_out_) self->ReadHeader();
  });
}

void Connection::ReadHeader() {
  if (!socket_.is_open()) return;
  Enter(State::kReading);
  head_ = false;
  parser_.emplace();
  parser_->header_limit(hall_.options.max_header_bytes);
  parser_->body_limit(hall_.options.max_body_bytes);
  Arm(std::min(hall_.options.header_timeout, hall_.options.read_timeout));
  wire::async_read_header(socket_, buffer_, *parser_,
                          [self = shared_from_this()](const ErrorCode& error, std::size_t) {
                            if (error) return self->Unread(error);
                            self->CheckHeader();
                          });
}

void Connection::CheckHeader() {
  const auto& message = parser_->get();
  head_ = message.method() == wire::verb::head;
  if (const auto wrong = WrongIn(message)) return Refuse(wrong->status, wrong->reason);
  if (!TakeLargeBody()) return Refuse(503, "Too many large requests at a time.");
  Arm(hall_.options.read_timeout);
  const bool asks = message.version() == 11 && !message[wire::field::expect].empty();
  if (!asks) return ReadBody();
  // A client that asks before it sends its body is told to go on.
  asio::async_write(socket_, asio::buffer(kContinue),
                    [self = shared_from_this()](const ErrorCode& error, std::size_t) {
                      if (!error) self->ReadBody();
                    });
}

// A body of unknown length counts as a large one. What is small needs no place.
bool Connection::TakeLargeBody() {
  const auto length = parser_->content_length();
  const bool large = length ? *length > hall_.options.large_body_bytes : parser_->get().chunked();
  if (!large) return true;
  if (hall_.large_bodies >= hall_.options.max_large_bodies) return false;
  ++hall_.large_bodies;
  large_body_ = true;
  return true;
}

void Connection::ReadBody() {
  wire::async_read(socket_, buffer_, *parser_,
                   [self = shared_from_this()](const ErrorCode& error, std::size_t) {
                     if (error) return self->Unread(error);
                     self->timer_.cancel();
                     self->Handle();
                   });
}

void Connection::Unread(const ErrorCode& error) {
  if (timed_out_) return Refuse(408, "The request did not arrive in time.");
  const bool peer_gone = error == wire::error::end_of_stream ||
                         error == wire::error::partial_message ||
                         error == asio::error::operation_aborted ||
                         error.category() == asio::error::get_system_category();
  if (peer_gone) return;
  const Wrong wrong = WrongOf(error);
  Refuse(wrong.status, wrong.reason);
}

// What is known of the request; its body stays where it is.
Request Connection::Head() const {
  Request request;
  request.peer_address = peer_address_;
  if (!parser_) return request;
  const auto& message = parser_->get();
  request.method = std::string(message.method_string());
  request.target = std::string(message.target());
  for (const auto& field : message) {
    request.headers.Add(std::string(field.name_string()), std::string(field.value()));
  }
  return request;
}

void Connection::Handle() {
  Enter(State::kHandling);
  Request request = Head();
  keep_alive_ = parser_->get().keep_alive() && !hall_.stopping;
  request.body = std::move(parser_->get().body());
  asio::post(hall_.workers, [self = shared_from_this(), request = std::move(request)]() mutable {
    self->Work(std::move(self), request);
  });
}

// On a worker thread: touches nothing of the connection but what never changes.
void Connection::Work(std::shared_ptr<Connection> self, const Request& request) {
  Response response = Plain(500, "Internal error.");
  try {
    response = hall_.handler(request);
  } catch (const std::exception& error) {
    hall_.log.Error("http: a handler threw: {}", error.what());
  }
  // The connection goes back to its loop, so that it never ends on a worker.
  asio::io_context& loop = hall_.loop;
  asio::post(loop, [self = std::move(self), response = std::move(response)]() mutable {
    self->Write(std::move(response));
  });
}

// The connection ends with the answer: what follows on it is not to be trusted.
void Connection::Refuse(int status, std::string_view reason) {
  keep_alive_ = false;
  const auto& word = hall_.options.refusal;
  Write(word ? word(Head(), status, reason) : Plain(status, reason));
}

void Connection::TurnAway() {
  Refuse(503, "Too many connections at a time.");
}

void Connection::Write(Response response) {
  if (hall_.stopping) keep_alive_ = false;
  if (!socket_.is_open()) return;
  Enter(State::kWriting);
  auto message = std::make_shared<wire::response<wire::string_body>>();
  message->version(11);
  message->result(static_cast<unsigned>(response.status));
  for (const auto& [name, value] : response.headers) message->insert(name, value);
  message->body() = std::move(response.body);
  message->keep_alive(keep_alive_);
  message->prepare_payload();
  if (head_) message->body().clear();
  Arm(hall_.options.write_timeout);
  wire::async_write(socket_, *message,
                    [self = shared_from_this(), message](const ErrorCode& error, std::size_t) {
                      if (error) return self->Close();
                      if (self->keep_alive_ && !self->hall_.stopping) return self->Await();
                      self->Linger();
                    });
}

// A refused client may still be sending. Closing at once would reset the connection and take the
// answer away from it, so what it sends is thrown away for a moment.
void Connection::Linger() {
  ErrorCode ignored;
  socket_.shutdown(tcp::socket::shutdown_send, ignored);
  Arm(hall_.stopping ? Duration(100ms) : kGrace);
  Drain();
}

void Connection::Drain() {
  buffer_.clear();
  socket_.async_read_some(buffer_.prepare(8192),
                          [self = shared_from_this()](const ErrorCode& error, std::size_t) {
                            if (error || self->timed_out_ || ++self->drained_ > kMaxDrains) {
                              return self->Close();
                            }
                            self->Drain();
                          });
}

}  // namespace howdah::http
