// The end of a session's story: waiting for its route, reaching PostgreSQL, and letting the client
// go, by handover or to the relay; see session.h.
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>

#include "gateway/handover.h"
#include "gateway/session.h"
#include "system/real/file_descriptor.h"
#include "system/real/pass_descriptor.h"

namespace howdah::gateway {
namespace {

// How long PostgreSQL may take for a cancel; it closes the connection when it has sent the signal.
constexpr Duration kCancelLimit = 10s;
const Refusal kStartingUp{"57P03", "the database system is starting up"};
const Refusal kNotAvailable{"57P03", "the database system is not available"};
const Refusal kTooManyHeld{"57P03", "the database system is not available; too many clients wait"};

}  // namespace

// Waits until the instance's route is open, as long and with as many others as the limits allow.
Task<std::optional<Refusal>> Session::AwaitOpen() {
  const auto counters = route_->counters;
  waiting_.expires_after(loop_.limits.hold);
  const auto until = waiting_.expiry();
  for (;;) {
    if (auto now = loop_.Find(route_->route.instance)) route_ = std::move(now);
    const RouteState state = route_->route.state;
    if (state == RouteState::kOpen || !client_.is_open()) co_return std::nullopt;
    if (state == RouteState::kClosed) co_return kNotAvailable;
    if (counters->held >= loop_.limits.held_per_instance) co_return kTooManyHeld;
    deadline_.cancel();
    waiting_.expires_at(until);
    ++counters->held;
    is_waiting_ = true;
    const auto [woken] = co_await waiting_.async_wait(kAwait);
    is_waiting_ = false;
    --counters->held;
    if (!woken) co_return kNotAvailable;  // nobody woke us: the time is up
  }
}

// Spends a backend: from here on a newer epoch cuts this session.
Task<std::optional<Refusal>> Session::Reach(std::string path) {
  if (!client_.is_open()) co_return std::nullopt;
  epoch_ = route_->route.epoch;
  CloseAfter(loop_.limits.startup);
  const error_code error = co_await ConnectBackend(std::move(path));
  if (!error || !client_.is_open()) co_return std::nullopt;
  loop_.log.Warning("instance {}: connecting to its primary: {}", route_->route.name,
                    error.message());
  co_return kStartingUp;
}

// Connects without Asio: on a Unix socket connect never waits, and a full backlog is EAGAIN, which
// Asio would take for "in progress".
Task<error_code> Session::ConnectBackend(std::string path) {
  const asio::local::stream_protocol::endpoint endpoint(path);
  error_code error;
  for (;;) {
    if (!client_.is_open()) co_return asio::error::operation_aborted;
    backend_.open(endpoint.protocol(), error);
    if (!error) backend_.native_non_blocking(true, error);
    if (error) co_return error;
    if (::connect(backend_.native_handle(), endpoint.data(),
                  static_cast<socklen_t>(endpoint.size())) == 0)
      co_return error_code();
    const int why = errno;
    error_code ignored;
    backend_.close(ignored);
    if (why != EAGAIN) co_return error_code(why, boost::system::system_category());
    co_await Pause();
  }
}

Task<> Session::HandOver() {
  if (auto refusal = co_await Reach(route_->route.handover_socket))
    co_return co_await Refuse(*std::move(refusal));
  if (client_.is_open()) LetGo();
}

// From here on the client is PostgreSQL's. Our descriptors go, and before them their entries in the
// event queue, which belong to the socket and would outlive our descriptor.
void Session::LetGo() {
  error_code ignored;
  if (const auto passed =
          system::PassDescriptor(backend_.native_handle(), client_.socket().native_handle());
      passed)
    ++route_->counters->handed_over;
  else
    loop_.log.Warning("instance {}: {}", route_->route.name, passed.error().what());
  ::close(client_.socket().release(ignored));
  Close();
}

// Gives the client and a backend to the relay. In the clear everything is still in the client's
// socket; first_bytes is what came out of TLS, and a new connection's buffer takes it whole.
Task<> Session::Join(std::string first_bytes) {
  if (auto refusal = co_await Reach(route_->route.BackendPath()))
    co_return co_await Refuse(*std::move(refusal));
  if (!client_.is_open()) co_return;
  if (!first_bytes.empty() &&
      WriteSome(backend_.native_handle(), first_bytes).count != first_bytes.size())
    co_return Close();
  error_code ignored;
  loop_.relay->Adopt({.client = system::FileDescriptor(client_.socket().release(ignored)),
                      .tls = client_.TakeTls(),
                      .backend = system::FileDescriptor(backend_.release(ignored)),
                      .route = route_,
                      .open = *std::move(open_)});
  Close();
}

// A cancel request has no answer: PostgreSQL acts on it and closes, and so do we.
Task<> Session::ForwardCancel(std::string packet) {
  if (auto now = loop_.Find(route_->route.instance)) route_ = std::move(now);
  if (route_->route.state == RouteState::kOpen) {
    // A cancel inside TLS that ends here can only be forwarded.
    if (!client_.encrypted() && !route_->route.handover_socket.empty())
      co_return co_await HandOver();
    CloseAfter(kCancelLimit);
    if (!co_await ConnectBackend(route_->route.BackendPath()) &&
        WriteSome(backend_.native_handle(), packet).count == packet.size())
      co_await backend_.async_wait(UnixSocket::wait_read, kAwait);
  }
  Close();
}

}  // namespace howdah::gateway
