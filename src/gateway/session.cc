// A session's story up to where PostgreSQL comes in, in the order in which it happens; see
// session.h. Until AwaitOpen() returns the client has cost the database nothing. The rest is
// session_backend.cc.
#include "gateway/session.h"

#include <sys/socket.h>

#include <array>

#include "gateway/handover.h"

namespace howdah::gateway {
namespace {

constexpr std::size_t kStartupChunkBytes = 2048;
// How long a client may take to read a last message before the socket goes.
constexpr Duration kGoodbye = 2s;

const Refusal kNoTls{"08P01", "direct TLS needs the protocol \"postgresql\" by ALPN"};

}  // namespace

void Session::Start(Loop& loop, Admitted admitted) {
  auto session = std::make_shared<Session>(loop, std::move(admitted));
  asio::co_spawn(loop.io, [session]() -> Task<> { co_await session->Run(); }, asio::detached);
}

Session::Session(Loop& loop, Admitted admitted)
    : loop_(loop),
      client_(std::move(admitted.socket)),
      backend_(loop.io),
      deadline_(loop.io),
      waiting_(loop.io),
      route_(std::move(admitted.route)),
      client_address_(admitted.client_address),
      open_(std::move(admitted.open)) {
  loop_.sessions.insert(this);
}

Session::~Session() {
  loop_.sessions.erase(this);
}

void Session::OnTable() {
  const auto now = loop_.Find(route_->route.instance);
  error_code ignored;
  // What is in flight is with the server of its epoch, and ends with it, or comes back.
  if (is_in_flight_) return;
  if (now == nullptr) return Abort();
  if (IsStale()) backend_.close(ignored);
  if (is_waiting_) waiting_.cancel();
}

void Session::Abort() {
  error_code ignored;
  client_.socket().set_option(asio::socket_base::linger(true, 0), ignored);
  Close();
}

void Session::Close() {
  error_code ignored;
  client_.socket().close(ignored);
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

// Before trying again what could not be done at once.
Task<> Session::Pause() {
  waiting_.expires_after(10ms);
  co_await waiting_.async_wait(kAwait);
}

Task<> Session::Run() {
  CloseAfter(loop_.limits.startup);
  Asked asked;
  for (;;) {
    Asked also_now = asked;
    FirstLook look = co_await AwaitFirstLook(also_now);
    if (look.kind == FirstLook::Kind::kTlsInServer) {
      if (!co_await LeaveTlsToServer(look.size)) co_return;
      CloseAfter(loop_.limits.startup);
      continue;
    }
    if (look.kind != FirstLook::Kind::kAnswerNo) co_return co_await Follow(std::move(look));
    asked = also_now;
    if (!co_await AnswerRequest(look.size, "N")) co_return Close();
  }
}

// Waits for the client's first bytes, each time for as many as it takes to get on, so that a packet
// in many pieces wakes nobody.
Task<FirstLook> Session::AwaitFirstLook(Asked& asked) {
  std::size_t size = 1;
  for (;;) {
    SetLowWater(client_.socket().native_handle(), size);
    const auto [error] = co_await client_.socket().async_wait(TcpSocket::wait_read, kAwait);
    if (error || !client_.is_open()) co_return FirstLook{FirstLook::Kind::kHangUp, 0, {}};
    bool ended = false;
    FirstLook look = LookNow(asked, ended);
    if (look.kind != FirstLook::Kind::kNeedMore) {
      SetLowWater(client_.socket().native_handle(), 1);
      co_return look;
    }
    if (ended) co_return FirstLook{FirstLook::Kind::kHangUp, 0, {}};
    if (look.size <= size) {
      // The kernel may wake us early when it is short of memory: then not in a circle.
      co_await Pause();
      if (!client_.is_open()) co_return FirstLook{FirstLook::Kind::kHangUp, 0, {}};
    }
    size = look.size;
  }
}

FirstLook Session::LookNow(Asked& asked, bool& ended) {
  std::array<char, kFirstLookBytes> buffer;
  const auto peeked = Peek(client_.socket().native_handle(), buffer.data(), buffer.size());
  if (!peeked) return {FirstLook::Kind::kHangUp, 0, {}};
  ended = peeked->ended;
  const Doors doors{.tls_here = route_->tls != nullptr,
                    .tls_in_server = route_->route.TlsInServer()};
  return Look({buffer.data(), peeked->size}, doors, asked);
}

Task<> Session::Follow(FirstLook look) {
  using Kind = FirstLook::Kind;
  switch (look.kind) {
    case Kind::kTlsHere:
      if (!co_await AnswerRequest(look.size, "S")) co_return Close();
      co_return co_await ServeInTls(false);
    case Kind::kDirectTlsHere:
      co_return co_await ServeInTls(true);
    case Kind::kStartup:
      co_return co_await ServeInTheClear(look.event.startup);
    case Kind::kCancel:
      co_return co_await ForwardCancel(std::move(look.event.cancel_packet));
    case Kind::kRefused:
      co_return co_await Refuse(std::move(look.event.refusal));
    default:
      co_return Close();
  }
}

Task<bool> Session::AnswerRequest(std::size_t size, std::string_view answer) {
  std::array<char, 64> request;
  const auto [error, count] =
      co_await client_.socket().async_receive(asio::buffer(request.data(), size), kAwait);
  if (error || count != size) co_return false;
  co_return co_await client_.Write(answer);
}

Task<> Session::ServeInTheClear(const StartupMessage& startup) {
  if (auto refusal = Check(startup)) co_return co_await Refuse(*std::move(refusal));
  const Opening opening{.packet = startup.packet, .in_socket = true};
  for (bool done = false; !done;) {
    if (auto refusal = co_await AwaitOpen()) co_return co_await Refuse(*std::move(refusal));
    done = route_->route.handover_socket.empty() ? co_await Join(opening) : co_await HandOver();
  }
}

// What the client wants to say comes inside TLS, which we shall not see: only the state of the
// route can still be a reason to refuse, and a client understands that best inside TLS.
Task<bool> Session::LeaveTlsToServer(std::size_t request_size) {
  for (;;) {
    if (auto refusal = co_await AwaitOpen()) {
      co_await RefuseInTls(request_size, *std::move(refusal));
      co_return false;
    }
    if (!client_.is_open()) co_return false;
    if (!route_->route.TlsInServer()) co_return true;
    if (co_await HandOver()) co_return false;
  }
}

Task<> Session::RefuseInTls(std::size_t request_size, Refusal refusal) {
  if (route_->tls == nullptr) co_return co_await Refuse(std::move(refusal));
  CloseAfter(loop_.limits.startup);
  if (request_size > 0 && !co_await AnswerRequest(request_size, "S")) co_return Close();
  if (co_await Handshake(request_size == 0)) co_await Refuse(std::move(refusal));
}

Task<> Session::ServeInTls(bool direct) {
  if (!co_await Handshake(direct)) co_return;
  StartupParser parser(true);
  StartupEvent event = co_await ReadStartup(parser);
  if (event.kind == StartupEvent::Kind::kCancel)
    co_return co_await ForwardCancel(std::move(event.cancel_packet));
  if (event.kind == StartupEvent::Kind::kRefused)
    co_return co_await Refuse(std::move(event.refusal));
  if (event.kind != StartupEvent::Kind::kStartup) co_return Close();
  if (auto refusal = Check(event.startup)) co_return co_await Refuse(*std::move(refusal));
  const Opening opening{.packet = event.startup.packet, .behind = parser.TakeRest()};
  for (bool done = false; !done;) {
    if (auto refusal = co_await AwaitOpen()) co_return co_await Refuse(*std::move(refusal));
    done = co_await Join(opening);
  }
}

Task<bool> Session::Handshake(bool direct) {
  if (!co_await client_.Handshake(route_->tls)) {
    Close();
    co_return false;
  }
  if (!direct || client_.AgreedOnPostgres()) co_return true;
  co_await Refuse(kNoTls);
  co_return false;
}

// Reads until the parser knows what it is. kNeedMore means that the client is gone.
Task<StartupEvent> Session::ReadStartup(StartupParser& parser) {
  std::array<char, kStartupChunkBytes> chunk;
  for (;;) {
    const std::size_t count = co_await client_.Read(chunk);
    if (count == 0) co_return StartupEvent{};
    StartupEvent event = parser.Feed({chunk.data(), count});
    if (event.kind != StartupEvent::Kind::kNeedMore) co_return event;
  }
}

std::optional<Refusal> Session::Check(const StartupMessage& startup) const {
  return CheckStartup(startup, {.force_tls = route_->route.force_tls,
                                .encrypted = client_.encrypted(),
                                .client_address = client_address_.ToString()});
}

Task<> Session::Refuse(Refusal refusal) {
  loop_.log.Debug("instance {}: refusing a client at {}: {}", route_->route.name,
                  client_address_.ToString(), refusal.message);
  CloseAfter(kGoodbye);
  place_.reset();
  if (co_await client_.Write(FormatFatal(refusal))) co_await client_.EndAndDrain();
  Close();
}

}  // namespace howdah::gateway
