// The end of a session's story: waiting for its route, reaching PostgreSQL, and letting the client
// go, by handover or to the relay; see session.h.
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "gateway/handover.h"
#include "gateway/session.h"
#include "system/real/file_descriptor.h"
#include "system/real/pass_descriptor.h"

namespace howdah::gateway {
namespace {

using Clock = std::chrono::steady_clock;

// How long PostgreSQL may take for a cancel; it closes the connection when it has sent the signal.
constexpr Duration kCancelLimit = 10s;
// A client who waits is looked for so often.
constexpr Duration kLookForClient = 1s;
// Between two tries at a primary that is not there.
constexpr Duration kFirstPause = 20ms;
constexpr Duration kLongestPause = 250ms;
const Refusal kStartingUp{"57P03", "the database system is starting up"};
const Refusal kNotAvailable{"57P03", "the database system is not available"};
const Refusal kTooManyHeld{"57P03", "the database system is not available; too many clients wait"};

}  // namespace

// Waits until the instance's route is open and its primary may be tried, as long and with as many
// others as the limits allow.
Task<std::optional<Refusal>> Session::AwaitOpen() {
  for (;;) {
    if (auto now = loop_.Find(route_->route.instance))
      route_ = std::move(now);
    else
      Abort();  // it went while the client's socket was in flight
    if (!client_.is_open()) co_return std::nullopt;
    const RouteState state = route_->route.state;
    if (state == RouteState::kClosed) co_return kNotAvailable;
    if (state == RouteState::kOpen && MayTryNow()) co_return std::nullopt;
    if (!until_) until_ = Clock::now() + loop_.limits.hold;
    if (Clock::now() >= *until_) co_return state == RouteState::kOpen ? kStartingUp : kNotAvailable;
    if (!place_) place_ = HeldPlace::Take(route_->counters, loop_.limits.held_per_instance);
    if (!place_) co_return kTooManyHeld;
    co_await WaitForChange();
  }
}

// A primary that was not reached is given a moment; that of another epoch is not.
bool Session::MayTryNow() const {
  return unreached_ != route_->route.epoch || Clock::now() >= try_again_;
}

Task<> Session::WaitForChange() {
  deadline_.cancel();
  auto wake = std::min(*until_, Clock::now() + kLookForClient);
  // Open, and yet here: the next try has its time.
  if (route_->route.state == RouteState::kOpen) wake = std::min(wake, try_again_);
  waiting_.expires_at(wake);
  is_waiting_ = true;
  co_await waiting_.async_wait(kAwait);
  is_waiting_ = false;
  if (!client_.is_open()) co_return;
  char nothing = 0;
  const auto peeked = Peek(client_.socket().native_handle(), &nothing, 1);
  if (!peeked || peeked->ended) Close();  // gave up, and its place is another's
}

// A primary is tried: until its answer is there, a newer epoch takes it away again.
void Session::Begin() {
  deadline_.cancel();
  epoch_ = route_->route.epoch;
  if (!until_) until_ = Clock::now() + loop_.limits.hold;
}

// The primary was not reached: what was begun with it is forgotten. Always false.
bool Session::Missed(std::string_view why) {
  if (!unreached_)
    loop_.log.Warning("instance {}: its primary is not there, a client waits: {}",
                      route_->route.name, why);
  error_code ignored;
  backend_.close(ignored);
  pause_ = unreached_ == epoch_ ? std::min(pause_ * 2, kLongestPause) : kFirstPause;
  try_again_ = Clock::now() + pause_;
  unreached_ = std::exchange(epoch_, std::nullopt);
  return false;
}

bool Session::IsStale() const {
  const auto now = loop_.Find(route_->route.instance);
  return epoch_ && (now == nullptr || *epoch_ < now->route.epoch);
}

// Connects without Asio: on a Unix socket connect never waits, and a full backlog is EAGAIN, which
// Asio would take for "in progress".
Task<error_code> Session::ConnectBackend(std::string path) {
  const asio::local::stream_protocol::endpoint endpoint(path);
  error_code error;
  for (;;) {
    if (!client_.is_open() || IsStale()) co_return asio::error::operation_aborted;
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
    if (until_ && Clock::now() >= *until_) co_return asio::error::timed_out;
    co_await Pause();
  }
}

// Waits for anything from the backend. False: its epoch is over, or the time is up.
Task<bool> Session::AwaitBackend() {
  waiting_.expires_at(*until_);
  waiting_.async_wait([self = shared_from_this()](const error_code& error) {
    if (error) return;
    error_code ignored;
    self->backend_.cancel(ignored);
  });
  const auto [error] = co_await backend_.async_wait(UnixSocket::wait_read, kAwait);
  waiting_.cancel();
  co_return !error && backend_.is_open();
}

// Passes the client's socket on, and keeps a descriptor of it until the postmaster has taken it: it
// reads our message and closes. If it dies before that, the kernel resets the connection instead,
// and the client, who has noticed nothing, is ours again.
Task<bool> Session::HandOver() {
  Begin();
  if (const error_code error = co_await ConnectBackend(route_->route.handover_socket))
    co_return !client_.is_open() || Missed(error.message());
  if (const auto passed =
          system::PassDescriptor(backend_.native_handle(), client_.socket().native_handle());
      !passed)
    co_return Missed(passed.error().what());
  ++route_->counters->handed_over;
  is_in_flight_ = true;
  const bool told = co_await AwaitBackend();
  is_in_flight_ = false;
  if (!client_.is_open()) co_return true;
  char nothing = 0;
  if (told && ::recv(backend_.native_handle(), &nothing, 1, MSG_DONTWAIT) < 0 &&
      errno == ECONNRESET) {
    --route_->counters->handed_over;
    co_return Missed("it ended before it took the client");
  }
  LetGo();  // also when nobody came for it all the time: then it is for the postmaster to take
  co_return true;
}

// From here on the client is PostgreSQL's. Our descriptors go, and before them their entries in the
// event queue, which belong to the socket and would outlive our descriptor.
void Session::LetGo() {
  error_code ignored;
  ::close(client_.socket().release(ignored));
  Close();
}

// Gives the client and a backend to the relay, once the backend has answered the startup packet: up
// to there another backend can take its place.
Task<bool> Session::Join(const Opening& opening) {
  Begin();
  if (const error_code error = co_await ConnectBackend(route_->route.BackendPath()))
    co_return !client_.is_open() || Missed(error.message());
  if (WriteSome(backend_.native_handle(), opening.packet).count != opening.packet.size())
    co_return Missed("it does not take a startup packet");
  const bool told = co_await AwaitBackend();
  if (!client_.is_open()) co_return true;
  if (!told || !HasAnswered()) co_return Missed("it ended without an answer");
  std::string packet(opening.packet.size(), '\0');
  // Either is there at once: the packet was seen there, and the buffer is a new connection's.
  if ((opening.in_socket &&
       ReadSome(client_.socket().native_handle(), packet).count != packet.size()) ||
      (!opening.behind.empty() &&
       WriteSome(backend_.native_handle(), opening.behind).count != opening.behind.size())) {
    Close();
    co_return true;
  }
  error_code ignored;
  loop_.relay->Adopt({.client = system::FileDescriptor(client_.socket().release(ignored)),
                      .tls = client_.TakeTls(),
                      .backend = system::FileDescriptor(backend_.release(ignored)),
                      .route = route_,
                      .open = *std::move(open_)});
  Close();
  co_return true;
}

// A server that is starting or stopping says 57P03: for a client who can be given to another one,
// or to the same one later, that is no answer.
bool Session::HasAnswered() {
  constexpr std::string_view kNotNow("\0C57P03", 7);
  std::array<char, 512> start{};
  const ssize_t size =
      ::recv(backend_.native_handle(), start.data(), start.size(), MSG_PEEK | MSG_DONTWAIT);
  if (size <= 0) return false;
  const std::string_view said(start.data(), static_cast<std::size_t>(size));
  return said.front() != 'E' || said.find(kNotNow) == std::string_view::npos;
}

// A cancel request has no answer: PostgreSQL acts on it and closes, and so do we. It is tried once:
// a primary that is not there has nothing to cancel.
Task<> Session::ForwardCancel(std::string packet) {
  if (auto now = loop_.Find(route_->route.instance)) route_ = std::move(now);
  const Route& route = route_->route;
  if (route.state == RouteState::kOpen) {
    CloseAfter(kCancelLimit);
    epoch_ = route.epoch;
    // A cancel inside TLS that ends here can only be forwarded.
    const bool passed_on = !client_.encrypted() && !route.handover_socket.empty();
    if (!co_await ConnectBackend(passed_on ? route.handover_socket : route.BackendPath())) {
      if (passed_on &&
          system::PassDescriptor(backend_.native_handle(), client_.socket().native_handle())) {
        ++route_->counters->handed_over;
        LetGo();
      } else if (!passed_on && WriteSome(backend_.native_handle(), packet).count == packet.size()) {
        co_await backend_.async_wait(UnixSocket::wait_read, kAwait);
      }
    }
  }
  Close();
}

}  // namespace howdah::gateway
