// Listening, accepting, deciding; see listeners.h.
#include "gateway/listeners.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>

#include "gateway/session.h"
#include "network/peer_owner.h"

namespace howdah::gateway {
namespace {

constexpr Duration kPauseAfterError = 20ms;
constexpr Duration kLogPause = 1s;
constexpr int kShedAtOnce = 64;

using asio::ip::tcp;

tcp::endpoint EndpointOf(const Route& route) {
  return {asio::ip::address_v4(route.listen_address.value()), route.port};
}

void ResetOnClose(TcpSocket& socket) {
  error_code ignored;
  socket.set_option(asio::socket_base::linger(true, 0), ignored);
}

// A client whose host is gone is noticed in two minutes. TCP_USER_TIMEOUT is left alone: it would
// also cut a client that is alive but reads nothing for a while, such as a pager.
void SetOptions(TcpSocket& socket) {
  const auto set = [&](int level, int name, int value) {
    ::setsockopt(socket.native_handle(), level, name, &value, sizeof(value));
  };
  set(IPPROTO_TCP, TCP_NODELAY, 1);
  set(SOL_SOCKET, SO_KEEPALIVE, 1);
  set(IPPROTO_TCP, TCP_KEEPIDLE, 60);
  set(IPPROTO_TCP, TCP_KEEPINTVL, 10);
  set(IPPROTO_TCP, TCP_KEEPCNT, 6);
}

int OpenReserve() {
  return ::open("/dev/null", O_RDONLY | O_CLOEXEC);
}

}  // namespace

struct Listeners::Listener : std::enable_shared_from_this<Listener> {
  Listener(asio::io_context& io, const Route& route)
      : acceptor(io),
        pause(io),
        log_pause(io),
        instance(route.instance),
        place(EndpointOf(route)) {}

  TcpAcceptor acceptor;
  Timer pause;
  Timer log_pause;  // running: a refusal was logged a moment ago
  bool logged = false;
  InstanceId instance;
  tcp::endpoint place;
};

Listeners::Listeners(std::vector<Loop*> loops, std::int64_t max_clients, const Log& log)
    : loops_(std::move(loops)),
      home_(*loops_.front()),
      max_clients_(max_clients),
      log_(log),
      reserve_fd_(OpenReserve()) {}

Listeners::~Listeners() {
  CloseAll();
  if (reserve_fd_ >= 0) ::close(reserve_fd_);
}

void Listeners::CloseAll() {
  for (auto& [instance, listener] : listeners_) {
    error_code ignored;
    listener->acceptor.close(ignored);
    listener->pause.cancel();
    listener->log_pause.cancel();
  }
  listeners_.clear();
}

std::vector<RouteError> Listeners::Sync(const std::map<InstanceId, Route>& routes) {
  // All that goes is closed before anything opens: an address may move from one instance to
  // another.
  std::erase_if(listeners_, [&](auto& entry) {
    const auto route = routes.find(entry.first);
    if (route != routes.end() && EndpointOf(route->second) == entry.second->place) return false;
    error_code ignored;
    entry.second->acceptor.close(ignored);
    entry.second->pause.cancel();
    return true;
  });
  std::vector<RouteError> errors;
  for (const auto& [instance, route] : routes) {
    if (listeners_.contains(instance)) continue;
    auto opened = Open(route);
    if (!opened) {
      errors.push_back({instance, opened.error().what()});
      continue;
    }
    log_.Info("instance {}: listening on {}:{}", route.name, route.listen_address.ToString(),
              route.port);
    listeners_[instance] = *opened;
    asio::co_spawn(
        home_.io, [this, listener = *opened]() -> Task<> { co_await Accept(listener); },
        asio::detached);
  }
  return errors;
}

Result<std::shared_ptr<Listeners::Listener>> Listeners::Open(const Route& route) {
  auto listener = std::make_shared<Listener>(home_.io, route);
  TcpAcceptor& acceptor = listener->acceptor;
  error_code error;
  acceptor.open(listener->place.protocol(), error);
  if (!error) acceptor.set_option(asio::socket_base::reuse_address(true), error);
  if (!error) acceptor.bind(listener->place, error);
  if (!error) acceptor.listen(asio::socket_base::max_listen_connections, error);
  if (!error) return listener;
  return Fail(Code::kUnavailable,
              fmt::format("cannot listen on {}:{}: {}", route.listen_address.ToString(), route.port,
                          error.message()));
}

Task<> Listeners::Accept(std::shared_ptr<Listener> listener) {
  while (listener->acceptor.is_open()) {
    Loop& loop = *loops_[next_loop_++ % loops_.size()];
    auto [error, socket] = co_await listener->acceptor.async_accept(loop.io, kAwait);
    if (!error) {
      Decide(*listener, std::move(socket), loop);
    } else if (error != asio::error::operation_aborted &&
               error != asio::error::connection_aborted) {
      co_await SurviveError(listener, error);
    }
  }
}

void Listeners::Decide(Listener& listener, TcpSocket socket, Loop& loop) {
  const auto route = home_.Find(listener.instance);
  network::Ipv4 client_address;
  if (route == nullptr || !IsAdmitted(listener, *route, socket, client_address))
    return ResetOnClose(socket);
  Counters& counters = *route->counters;
  if (counters.open >= route->route.max_connections || home_.CountOpen() >= max_clients_) {
    CountRefused(listener);
    const std::string message = FormatFatal({"53300", "sorry, too many clients already"});
    // Best effort and without waiting: at the limit, politeness must not cost anything.
    ::send(socket.native_handle(), message.data(), message.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    return;
  }
  ++counters.accepted;
  SetOptions(socket);
  Admitted admitted{std::move(socket), route, client_address, OpenConnection(route->counters)};
  // Behind the table's own message, so that the loop knows at least the table that was used here.
  asio::post(loop.io, [&loop, admitted = std::move(admitted)]() mutable {
    admitted.route = loop.Find(admitted.route->route.instance);
    if (admitted.route != nullptr) Session::Start(loop, std::move(admitted));
  });
}

bool Listeners::IsAdmitted(Listener& listener, const LiveRoute& live, TcpSocket& socket,
                           network::Ipv4& client_address) {
  error_code error;
  const auto remote = socket.remote_endpoint(error);
  if (error || !remote.address().is_v4()) return false;
  const Route& route = live.route;
  network::Source source{network::Ipv4(remote.address().to_v4().to_uint()), std::nullopt};
  if (network::NeedsPeerOwner(source.host_address, route.interfaces, route.proof))
    source.peer_uid = network::PeerOwner(socket.native_handle());
  const auto decision =
      network::Admit(route.allow, source, route.interfaces, route.port, route.proof);
  client_address = decision.client_address;
  if (decision.admitted) return true;
  if (MayLog(listener))
    log_.Info("instance {}: refused a client at {}: {}", route.name, source.host_address.ToString(),
              decision.why);
  CountRefused(listener);
  return false;
}

// A scan must not fill the log: one line a second tells enough, the counter has the rest.
bool Listeners::MayLog(Listener& listener) {
  if (std::exchange(listener.logged, true)) return false;
  listener.log_pause.expires_after(kLogPause);
  listener.log_pause.async_wait(
      [shared = listener.shared_from_this()](const error_code&) { shared->logged = false; });
  return true;
}

void Listeners::CountRefused(Listener& listener) {
  if (const auto route = home_.Find(listener.instance)) ++route->counters->refused;
}

Task<> Listeners::SurviveError(std::shared_ptr<Listener> listener, error_code error) {
  if (MayLog(*listener))
    log_.Warning("accepting on {}:{}: {}", listener->place.address().to_string(),
                 listener->place.port(), error.message());
  if (error == boost::system::errc::too_many_files_open ||
      error == boost::system::errc::too_many_files_open_in_system)
    Shed(*listener);
  listener->pause.expires_after(kPauseAfterError);
  co_await listener->pause.async_wait(kAwait);
}

// Without a free descriptor clients would wait in the backlog for ever: refuse them with the one
// that was kept for this.
void Listeners::Shed(Listener& listener) {
  if (reserve_fd_ >= 0) ::close(reserve_fd_);
  for (int i = 0; i < kShedAtOnce; ++i) {
    const int fd = ::accept4(listener.acceptor.native_handle(), nullptr, nullptr,
                             SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0) break;
    const linger reset{.l_onoff = 1, .l_linger = 0};
    ::setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
    ::close(fd);
    CountRefused(listener);
  }
  reserve_fd_ = OpenReserve();
}

}  // namespace howdah::gateway
