// The loop thread owns the acceptor and every connection; a worker sees only a Request and gives
// back a Response, which it posts to the loop. Everything below that is not marked otherwise runs
// on the loop thread.
#include "http/server.h"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <boost/asio/post.hpp>
#include <thread>

#include "http/connection.h"

namespace howdah::http {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using ErrorCode = boost::system::error_code;

constexpr Duration kStopPatience = 5s;
constexpr Duration kAcceptPause = 100ms;
constexpr Duration kBetweenWarnings = 10s;
// Beyond the limit so many are told 503; those beyond them are just closed.
constexpr std::size_t kTurnedAwayAtATime = 64;
constexpr std::string_view kNoDescriptor =
    "HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";

bool OutOfDescriptors(const ErrorCode& error) {
  return error == asio::error::no_descriptors ||
         error == boost::system::errc::too_many_files_open_in_system;
}

}  // namespace

class Server::Impl {
 public:
  Impl(Options options, Handler handler, const Log& log)
      : options_(std::move(options)),
        handler_(std::move(handler)),
        log_(log),
        hall_{.options = options_,
              .handler = handler_,
              .log = log_,
              .loop = loop_,
              .workers = workers_,
              .on_leave = [this] { StopWhenEmpty(); },
              .connections = {}},
        acceptor_(loop_),
        spare_(loop_),
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
    if (!error) acceptor_.native_non_blocking(true, error);
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
  void Accept() {
    ErrorCode ignored;
    if (!spare_.is_open()) spare_.open(tcp::v4(), ignored);
    acceptor_.async_accept([this](const ErrorCode& error, tcp::socket socket) {
      if (hall_.stopping) return;
      if (!error) {
        Welcome(std::move(socket));
      } else if (error != asio::error::operation_aborted) {
        return Recover(error) ? AcceptWhenSomebodyComes() : Pause();
      }
      Accept();
    });
  }

  // Without descriptors, accepting fails even when nobody is there.
  void AcceptWhenSomebodyComes() {
    acceptor_.async_wait(tcp::acceptor::wait_read, [this](const ErrorCode&) {
      if (!hall_.stopping) Accept();
    });
  }

  bool SomebodyWaits() {
    pollfd acceptor{.fd = acceptor_.native_handle(), .events = POLLIN, .revents = 0};
    return poll(&acceptor, 1, 0) == 1;
  }

  void Welcome(tcp::socket socket) {
    const auto limit = static_cast<std::size_t>(options_.max_connections);
    const std::size_t present = hall_.connections.size();
    if (present >= limit + kTurnedAwayAtATime) return;
    const bool room = present < limit || hall_.MakeRoom();
    const auto connection = std::make_shared<Connection>(hall_, std::move(socket));
    if (room) {
      connection->Start();
    } else {
      connection->TurnAway();
    }
  }

  // Accepting failed. Without descriptors, an idle connection gives its own away; where there is
  // none, the spare one serves to tell the client so. False: trying again at once would spin.
  bool Recover(const ErrorCode& error) {
    if (OutOfDescriptors(error) && !SomebodyWaits()) return true;
    Warn(error);
    if (!OutOfDescriptors(error)) return false;
    if (hall_.MakeRoom()) return true;
    if (!spare_.is_open()) return false;
    ErrorCode ignored;
    spare_.close(ignored);
    const int client = accept4(acceptor_.native_handle(), nullptr, nullptr, SOCK_NONBLOCK);
    if (client < 0) return false;
    (void)send(client, kNoDescriptor.data(), kNoDescriptor.size(), MSG_NOSIGNAL);
    close(client);
    spare_.open(tcp::v4(), ignored);
    return spare_.is_open();
  }

  void Warn(const ErrorCode& error) {
    const auto now = asio::steady_timer::clock_type::now();
    if (warned_ && now - *warned_ < kBetweenWarnings) return;
    warned_ = now;
    log_.Warning("http: accepting a connection: {}; clients may be turned away", error.message());
  }

  void Pause() {
    patience_.expires_after(kAcceptPause);
    patience_.async_wait([this](const ErrorCode& cancelled) {
      if (!cancelled && !hall_.stopping) Accept();
    });
  }

  void BeginStop() {
    hall_.stopping = true;
    ErrorCode ignored;
    acceptor_.close(ignored);
    patience_.expires_after(kStopPatience);
    patience_.async_wait([this](const ErrorCode& cancelled) {
      if (!cancelled) loop_.stop();
    });
    for (Connection* connection : hall_.connections) {
      if (connection->idle()) connection->Close();
    }
    StopWhenEmpty();
  }

  void StopWhenEmpty() {
    if (hall_.stopping && !stopped_ && hall_.connections.empty()) patience_.cancel();
  }

  const Options options_;
  const Handler handler_;
  const Log& log_;
  std::uint16_t port_ = 0;
  bool stopped_ = false;
  std::optional<asio::steady_timer::time_point> warned_;
  // Before the loop, which may end connections as it is destroyed.
  Hall hall_;
  asio::io_context loop_{1};
  tcp::acceptor acceptor_;
  tcp::socket spare_;  // a descriptor to give away when there is no other
  asio::steady_timer patience_;
  asio::thread_pool workers_;
  std::thread loop_thread_;
};

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
