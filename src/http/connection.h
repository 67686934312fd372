// One client connection of the server, and the hall that all of them share. Private to this room;
// everything here lives on the loop thread unless it says otherwise.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>
#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "http/server.h"

namespace howdah::http {

class Connection;

// The server as its connections see it; outlives them.
struct Hall {
  const Server::Options& options;
  const Server::Handler& handler;
  const Log& log;
  boost::asio::io_context& loop;
  boost::asio::thread_pool& workers;
  std::function<void()> on_leave;  // a connection has ended
  bool stopping = false;
  int large_bodies = 0;
  std::list<Connection*> connections;  // in the order in which they began what they do now

  // Closes the connection that has waited longest for its client: first one without a request,
  // then one that takes its time over one. False when every connection is at work.
  bool MakeRoom();
};

// Waits for a request, reads it, has it handled, writes the answer, again. Kept alive by the
// operation under way.
class Connection : public std::enable_shared_from_this<Connection> {
 public:
  Connection(Hall& hall, boost::asio::ip::tcp::socket socket);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  void Start() { Await(); }
  // Answers 503 to whatever comes, and closes.
  void TurnAway();
  void Close();

  // Nothing has come of a request yet.
  bool idle() const { return state_ == State::kIdle; }
  // The client is slow to send its request or to take its answer.
  bool dawdles() const;

 private:
  enum class State : std::uint8_t { kIdle, kReading, kHandling, kWriting };
  using ErrorCode = boost::system::error_code;
  using Parser = boost::beast::http::request_parser<boost::beast::http::string_body>;

  void Enter(State state);
  void Arm(Duration timeout);
  void Await();
  void ReadHeader();
  void CheckHeader();
  bool TakeLargeBody();
  void ReadBody();
  void Unread(const ErrorCode& error);
  void Handle();
  void Work(std::shared_ptr<Connection> self, const Request& request);
  void Refuse(int status, std::string_view reason);
  void Write(Response response);
  void Linger();
  void Drain();
  Request Head() const;

  Hall& hall_;
  boost::asio::ip::tcp::socket socket_;
  boost::asio::steady_timer timer_;
  boost::beast::flat_buffer buffer_;
  std::optional<Parser> parser_;
  std::string peer_address_;
  std::list<Connection*>::iterator place_;
  boost::asio::steady_timer::time_point entered_;
  State state_ = State::kIdle;
  bool large_body_ = false;
  bool timed_out_ = false;
  bool keep_alive_ = false;
  bool head_ = false;
  int drained_ = 0;
};

}  // namespace howdah::http
