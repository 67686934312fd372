// A session's story, in the order in which it happens; see session.h. Until Serve() the client has
// cost the database nothing.
#include "gateway/session.h"

#include <fmt/format.h>
#include <openssl/err.h>
#include <sys/socket.h>

#include <array>
#include <boost/asio/write.hpp>
#include <cerrno>

namespace howdah::gateway {
namespace {

constexpr std::size_t kRelayBytes = 16384;
constexpr std::size_t kStartupChunkBytes = 2048;
// How long a client may take to read a last message before the socket goes.
constexpr Duration kGoodbye = 2s;
// How long PostgreSQL may take for a cancel; it closes the connection when it has sent the signal.
constexpr Duration kCancelLimit = 10s;
constexpr Duration kBacklogRetry = 10ms;

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
  // Only a look: TLS must find its first record in the socket.
  unsigned char first = 0;
  const auto [error, count] = co_await client_.async_receive(
      asio::buffer(&first, 1), asio::socket_base::message_peek, kAwait);
  if (error || count == 0) co_return Close();
  if (!IsTlsRecord(first)) co_return co_await NegotiateInTheClear();
  if (route_->tls == nullptr) co_return Close();
  co_await NegotiateTls(true);
}

Task<> Session::NegotiateInTheClear() {
  StartupParser parser(false);
  for (;;) {
    StartupEvent event = co_await ReadStartup(client_, parser);
    const bool ssl = event.kind == StartupEvent::Kind::kSslRequest;
    if (!ssl && event.kind != StartupEvent::Kind::kGssRequest)
      co_return co_await Finish(client_, std::move(event), parser.TakeRest());
    const bool yes = ssl && route_->tls != nullptr;
    if (co_await Write(client_, yes ? "S" : "N")) co_return Close();
    if (yes) co_return co_await NegotiateTls(false);
  }
}

Task<> Session::NegotiateTls(bool direct) {
  tls_.emplace(client_, *route_->tls);
  const auto [error] = co_await tls_->async_handshake(asio::ssl::stream_base::server, kAwait);
  ERR_clear_error();
  if (error) co_return Close();
  if (direct && !AgreedOnPostgres(tls_->native_handle())) co_return co_await Refuse(*tls_, kNoTls);
  StartupParser parser(true);
  StartupEvent event = co_await ReadStartup(*tls_, parser);
  co_await Finish(*tls_, std::move(event), parser.TakeRest());
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
      co_return co_await Serve(stream, std::move(event.startup), std::move(rest));
    case StartupEvent::Kind::kCancel:
      co_return co_await ForwardCancel(std::move(event.cancel_packet));
    case StartupEvent::Kind::kRefused:
      co_return co_await Refuse(stream, std::move(event.refusal));
    default:
      co_return Close();
  }
}

template <typename Stream>
Task<> Session::Serve(Stream& stream, StartupMessage startup, std::string rest) {
  const StartupPolicy policy{.force_tls = route_->route.force_tls,
                             .encrypted = tls_.has_value(),
                             .client_address = client_address_.ToString()};
  if (auto refusal = CheckStartup(startup, policy))
    co_return co_await Refuse(stream, *std::move(refusal));
  if (auto refusal = co_await AwaitOpen()) co_return co_await Refuse(stream, *std::move(refusal));
  if (!client_.is_open()) co_return;
  epoch_ = route_->route.epoch;
  CloseAfter(loop_.limits.startup);
  if (const error_code error = co_await ConnectBackend(route_->route.BackendPath())) {
    loop_.log.Warning("instance {}: connecting to its primary: {}", route_->route.name,
                      error.message());
    co_return co_await Refuse(stream, kStartingUp);
  }
  if (co_await Write(backend_, startup.packet + rest)) co_return Close();
  deadline_.cancel();
  StartRelay(stream);
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
    waiting_.expires_after(kBacklogRetry);
    co_await waiting_.async_wait(kAwait);
  }
}

// A cancel request has no answer: PostgreSQL acts on it and closes, and so do we.
Task<> Session::ForwardCancel(std::string packet) {
  if (auto now = loop_.Find(route_->route.instance)) route_ = std::move(now);
  if (route_->route.state == RouteState::kOpen) {
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
