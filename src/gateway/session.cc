// A session's story, in the order in which it happens; see session.h. Until Serve() the client has
// cost the database nothing.
#include "gateway/session.h"

#include <fmt/format.h>
#include <openssl/err.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <boost/asio/write.hpp>
#include <cerrno>

#include "gateway/handover.h"

namespace howdah::gateway {
namespace {

constexpr std::size_t kRelayBytes = 16384;
constexpr std::size_t kStartupChunkBytes = 2048;
// How long a client may take to read a last message before the socket goes.
constexpr Duration kGoodbye = 2s;
// How long PostgreSQL may take for a cancel; it closes the connection when it has sent the signal.
constexpr Duration kCancelLimit = 10s;
// Before trying again what could not be done at once.
constexpr Duration kPause = 10ms;

const Refusal kStartingUp{"57P03", "the database system is starting up"};
const Refusal kNotAvailable{"57P03", "the database system is not available"};
const Refusal kTooManyHeld{"57P03", "the database system is not available; too many clients wait"};
const Refusal kNoTls{"08P01", "direct TLS needs the protocol \"postgresql\" by ALPN"};

// Writes all; for small messages and for the relay, where nearly always one write is enough.
template <typename Stream>
Task<error_code> Write(Stream& stream, std::string_view bytes) {
  while (!bytes.empty()) {
    const auto [error, count] =
        co_await stream.async_write_some(asio::buffer(bytes.data(), bytes.size()), kAwait);
    if (error) co_return error;
    bytes.remove_prefix(count);
  }
  co_return error_code();
}

// The peer ended its output in good order. A TLS stream that ends without close_notify is what most
// clients leave; nothing in PostgreSQL's protocol can be cut short unseen by it.
bool IsEnd(const error_code& error) {
  return error == asio::error::eof || error == asio::ssl::error::stream_truncated;
}

}  // namespace

void Session::Start(Loop& loop, TcpSocket client, std::shared_ptr<const LiveRoute> route,
                    network::Ipv4 client_address) {
  auto session =
      std::make_shared<Session>(loop, std::move(client), std::move(route), client_address);
  asio::co_spawn(loop.io, [session]() -> Task<> { co_await session->Run(); }, asio::detached);
}

Session::Session(Loop& loop, TcpSocket client, std::shared_ptr<const LiveRoute> route,
                 network::Ipv4 client_address)
    : loop_(loop),
      client_(std::move(client)),
      backend_(loop.io),
      deadline_(loop.io),
      waiting_(loop.io),
      route_(std::move(route)),
      client_address_(client_address) {
  loop_.sessions.insert(this);
}

Session::~Session() {
  loop_.sessions.erase(this);
  --route_->counters->open;
}

void Session::OnTable() {
  const auto now = loop_.Find(route_->route.instance);
  if (now == nullptr || (epoch_ && *epoch_ < now->route.epoch)) Abort();
  if (is_waiting_) waiting_.cancel();
}

void Session::Abort() {
  error_code ignored;
  client_.set_option(asio::socket_base::linger(true, 0), ignored);
  Close();
}

void Session::Close() {
  error_code ignored;
  client_.close(ignored);
  backend_.close(ignored);
  deadline_.cancel();
  waiting_.cancel();
}

void Session::CloseAfter(Duration duration) {
  deadline_.expires_after(duration);
  deadline_.async_wait([self = shared_from_this()](const error_code& error) {
    if (!error) self->Close();
  });
}

Task<> Session::Run() {
  CloseAfter(loop_.limits.startup);
  Asked asked;
  for (;;) {
    FirstLook look = co_await AwaitFirstLook(asked);
    if (look.kind != FirstLook::Kind::kAnswerNo) co_return co_await Follow(std::move(look));
    if (!co_await AnswerRequest(look.size, "N")) co_return Close();
  }
}

// Waits for the client's first bytes, each time for as many as it takes to get on, so that a packet
// in many pieces wakes nobody.
Task<FirstLook> Session::AwaitFirstLook(Asked& asked) {
  std::size_t size = 1;
  for (;;) {
    SetLowWater(client_.native_handle(), size);
    const auto [error] = co_await client_.async_wait(TcpSocket::wait_read, kAwait);
    if (error || !client_.is_open()) co_return FirstLook{FirstLook::Kind::kHangUp, 0, {}};
    bool ended = false;
    FirstLook look = LookNow(asked, ended);
    if (look.kind != FirstLook::Kind::kNeedMore) {
      SetLowWater(client_.native_handle(), 1);
      co_return look;
    }
    if (ended) co_return FirstLook{FirstLook::Kind::kHangUp, 0, {}};
    if (look.size <= size) {
      // The kernel may wake us early when it is short of memory: then not in a circle.
      waiting_.expires_after(kPause);
      co_await waiting_.async_wait(kAwait);
      if (!client_.is_open()) co_return FirstLook{FirstLook::Kind::kHangUp, 0, {}};
    }
    size = look.size;
  }
}

FirstLook Session::LookNow(Asked& asked, bool& ended) {
  std::array<char, kFirstLookBytes> buffer;
  const auto peeked = Peek(client_.native_handle(), buffer.data(), buffer.size());
  if (!peeked) return {FirstLook::Kind::kHangUp, 0, {}};
  ended = peeked->ended;
  const Doors doors{.tls_here = route_->tls != nullptr,
                    .tls_in_server = route_->route.TlsInServer()};
  return Look({buffer.data(), peeked->size}, doors, asked);
}

Task<> Session::Follow(FirstLook look) {
  using Kind = FirstLook::Kind;
  switch (look.kind) {
    case Kind::kTlsInServer:
      co_return co_await LeaveTlsToServer(look.size);
    case Kind::kTlsHere:
      if (!co_await AnswerRequest(look.size, "S")) co_return Close();
      co_return co_await NegotiateTls(false);
    case Kind::kDirectTlsHere:
      co_return co_await NegotiateTls(true);
    case Kind::kStartup:
      co_return co_await ServeInTheClear(look.event.startup);
    case Kind::kCancel:
      co_return co_await ForwardCancel(std::move(look.event.cancel_packet));
    case Kind::kRefused:
      co_return co_await Refuse(client_, std::move(look.event.refusal));
    default:
      co_return Close();
  }
}

Task<bool> Session::AnswerRequest(std::size_t size, std::string_view answer) {
  std::array<char, 64> request;
  const auto [error, count] =
      co_await client_.async_receive(asio::buffer(request.data(), size), kAwait);
  if (error || count != size) co_return false;
  co_return !co_await Write(client_, answer);
}

Task<> Session::ServeInTheClear(const StartupMessage& startup) {
  if (auto refusal = Check(startup)) co_return co_await Refuse(client_, *std::move(refusal));
  if (auto refusal = co_await AwaitOpen()) co_return co_await Refuse(client_, *std::move(refusal));
  if (route_->route.handover_socket.empty()) co_return co_await Relay(client_, "");
  co_await HandOver();
}

Task<> Session::HandOver() {
  if (auto refusal = co_await Reach(route_->route.handover_socket))
    co_return co_await Refuse(client_, *std::move(refusal));
  if (client_.is_open()) LetGo();
}

// From here on the client is PostgreSQL's. Our descriptors go, and before them their entries in the
// event queue, which belong to the socket and would outlive our descriptor.
void Session::LetGo() {
  error_code ignored;
  if (const auto passed = PassSocket(backend_.native_handle(), client_.native_handle()); passed)
    ++route_->counters->handed_over;
  else
    loop_.log.Warning("instance {}: {}", route_->route.name, passed.error().what());
  ::close(client_.release(ignored));
  Close();
}

// What the client wants to say comes inside TLS, which we shall not see: only the state of the
// route can still be a reason to refuse, and a client understands that best inside TLS.
Task<> Session::LeaveTlsToServer(std::size_t request_size) {
  auto refusal = co_await AwaitOpen();
  if (!refusal) refusal = co_await Reach(route_->route.handover_socket);
  if (!client_.is_open()) co_return;
  if (!refusal) co_return LetGo();
  co_await RefuseInTls(request_size, *std::move(refusal));
}

Task<> Session::RefuseInTls(std::size_t request_size, Refusal refusal) {
  if (route_->tls == nullptr) co_return co_await Refuse(client_, std::move(refusal));
  CloseAfter(loop_.limits.startup);
  if (request_size > 0 && !co_await AnswerRequest(request_size, "S")) co_return Close();
  if (co_await Handshake(request_size == 0)) co_await Refuse(*tls_, std::move(refusal));
}

Task<> Session::NegotiateTls(bool direct) {
  if (!co_await Handshake(direct)) co_return;
  StartupParser parser(true);
  StartupEvent event = co_await ReadStartup(*tls_, parser);
  co_await Finish(*tls_, std::move(event), parser.TakeRest());
}

Task<bool> Session::Handshake(bool direct) {
  tls_.emplace(client_, *route_->tls);
  const auto [error] = co_await tls_->async_handshake(asio::ssl::stream_base::server, kAwait);
  ERR_clear_error();
  if (error) {
    Close();
    co_return false;
  }
  if (!direct || AgreedOnPostgres(tls_->native_handle())) co_return true;
  co_await Refuse(*tls_, kNoTls);
  co_return false;
}

// Reads until the parser knows what it is. kNeedMore means that the client is gone.
template <typename Stream>
Task<StartupEvent> Session::ReadStartup(Stream& stream, StartupParser& parser) {
  std::array<char, kStartupChunkBytes> chunk;
  for (;;) {
    const auto [error, count] = co_await stream.async_read_some(asio::buffer(chunk), kAwait);
    if (error) co_return StartupEvent{};
    StartupEvent event = parser.Feed({chunk.data(), count});
    if (event.kind != StartupEvent::Kind::kNeedMore) co_return event;
  }
}

template <typename Stream>
Task<> Session::Finish(Stream& stream, StartupEvent event, std::string rest) {
  switch (event.kind) {
    case StartupEvent::Kind::kStartup:
      if (auto refusal = Check(event.startup))
        co_return co_await Refuse(stream, *std::move(refusal));
      if (auto refusal = co_await AwaitOpen())
        co_return co_await Refuse(stream, *std::move(refusal));
      co_return co_await Relay(stream, event.startup.packet + rest);
    case StartupEvent::Kind::kCancel:
      co_return co_await ForwardCancel(std::move(event.cancel_packet));
    case StartupEvent::Kind::kRefused:
      co_return co_await Refuse(stream, std::move(event.refusal));
    default:
      co_return Close();
  }
}

template <typename Stream>
Task<> Session::Relay(Stream& stream, std::string first_bytes) {
  if (auto refusal = co_await Reach(route_->route.BackendPath()))
    co_return co_await Refuse(stream, *std::move(refusal));
  if (!client_.is_open() || co_await Write(backend_, first_bytes)) co_return Close();
  deadline_.cancel();
  StartRelay(stream);
}

std::optional<Refusal> Session::Check(const StartupMessage& startup) const {
  return CheckStartup(startup, {.force_tls = route_->route.force_tls,
                                .encrypted = tls_.has_value(),
                                .client_address = client_address_.ToString()});
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
    waiting_.expires_after(kPause);
    co_await waiting_.async_wait(kAwait);
  }
}

// A cancel request has no answer: PostgreSQL acts on it and closes, and so do we.
Task<> Session::ForwardCancel(std::string packet) {
  if (auto now = loop_.Find(route_->route.instance)) route_ = std::move(now);
  if (route_->route.state == RouteState::kOpen) {
    // A cancel inside TLS that ends here can only be forwarded.
    if (!tls_ && !route_->route.handover_socket.empty()) co_return co_await HandOver();
    CloseAfter(kCancelLimit);
    if (!co_await ConnectBackend(route_->route.BackendPath()) && !co_await Write(backend_, packet))
      co_await Drain(backend_);
  }
  Close();
}

template <typename Stream>
Task<> Session::Refuse(Stream& stream, Refusal refusal) {
  loop_.log.Debug("instance {}: refusing a client at {}: {}", route_->route.name,
                  client_address_.ToString(), refusal.message);
  CloseAfter(kGoodbye);
  if (!co_await Write(stream, FormatFatal(refusal))) {
    co_await EndOutput(stream);
    // Closing with unread input would reset the connection before the message is read.
    co_await Drain(client_);
  }
  Close();
}

Task<> Session::EndOutput(TcpSocket& socket) {
  error_code ignored;
  socket.shutdown(TcpSocket::shutdown_send, ignored);
  co_return;
}

Task<> Session::EndOutput(UnixSocket& socket) {
  error_code ignored;
  socket.shutdown(UnixSocket::shutdown_send, ignored);
  co_return;
}

Task<> Session::EndOutput(TlsStream& stream) {
  co_await stream.async_shutdown(kAwait);
  ERR_clear_error();
  co_await EndOutput(client_);
}

template <typename Stream>
Task<> Session::Drain(Stream& stream) {
  std::array<char, kStartupChunkBytes> chunk;
  for (;;) {
    const auto [error, count] = co_await stream.async_read_some(asio::buffer(chunk), kAwait);
    if (error) co_return;
  }
}

template <typename Stream>
void Session::StartRelay(Stream& stream) {
  const auto self = shared_from_this();
  asio::co_spawn(
      loop_.io, [self, &stream]() -> Task<> { co_await self->PumpToBackend(stream); },
      asio::detached);
  asio::co_spawn(
      loop_.io, [self, &stream]() -> Task<> { co_await self->PumpToClient(stream); },
      asio::detached);
}

// Each pump holds one buffer and reads only when it is empty: that is the back-pressure.
template <typename Stream>
Task<> Session::PumpToBackend(Stream& from) {
  std::array<char, kRelayBytes> buffer;
  bool backend_reads = true;
  for (;;) {
    const auto [error, count] = co_await from.async_read_some(asio::buffer(buffer), kAwait);
    // When the backend is gone, go on reading: what it said last is still on its way to the client,
    // and a reset would destroy it.
    if (backend_reads && count > 0)
      backend_reads = !co_await Write(backend_, {buffer.data(), count});
    if (!error) continue;
    if (!IsEnd(error)) co_return Close();
    co_await EndOutput(backend_);
    co_return PumpEnded();
  }
}

template <typename Stream>
Task<> Session::PumpToClient(Stream& to) {
  std::array<char, kRelayBytes> buffer;
  for (;;) {
    const auto [error, count] = co_await backend_.async_read_some(asio::buffer(buffer), kAwait);
    if (count > 0 && co_await Write(to, {buffer.data(), count})) co_return Close();
    if (!error) continue;
    if (!client_.is_open()) co_return;
    // The backend has ended, in good order or not: the client gets all that came, then the end. The
    // other pump goes on reading meanwhile.
    CloseAfter(kGoodbye);
    co_await EndOutput(to);
    co_return PumpEnded();
  }
}

void Session::PumpEnded() {
  if (--pumps_left_ == 0) Close();
}

void Loop::SetTable(std::shared_ptr<const LiveTable> table) {
  table_ = std::move(table);
  for (Session* session : sessions) session->OnTable();
}

std::shared_ptr<const LiveRoute> Loop::Find(const InstanceId& instance) const {
  const auto found = table_->find(instance);
  return found == table_->end() ? nullptr : found->second;
}

void Loop::CloseSessions() {
  for (Session* session : sessions) session->Close();
}

}  // namespace howdah::gateway
