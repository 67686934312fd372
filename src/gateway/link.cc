// How a session's bytes move; see link.h. Both sockets are in epoll edge-triggered, so a direction
// that stops without having drained its source must have a reason that ends with an event of its
// own: the sink is full, or it is somebody else's turn.
#include "gateway/link.h"

#include <sys/epoll.h>
#include <sys/socket.h>

#include "system/real/file_descriptor.h"

namespace howdah::gateway {
namespace {

using State = Progress::State;

// Buffers that one direction may move before others have their turn.
constexpr int kTurn = 16;

constexpr std::uint32_t kHangUp = EPOLLRDHUP | EPOLLHUP | EPOLLERR;
constexpr std::uint32_t kAlways = EPOLLIN | EPOLLRDHUP | EPOLLET;

}  // namespace

Link::Link(std::uint64_t id, int epoll, system::FileDescriptor client, std::unique_ptr<Tls> tls,
           system::FileDescriptor backend)
    : id_(id),
      epoll_(epoll),
      client_(std::move(client)),
      tls_(std::move(tls)),
      backend_(std::move(backend)) {
  for (const Side side : {Side::kClient, Side::kBackend}) {
    epoll_event event{.events = kAlways, .data = {.u64 = EventData(id_, side)}};
    const int fd = side == Side::kClient ? client_.get() : backend_.get();
    if (::epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event) != 0) over_ = true;
  }
}

// What came before the sockets were in epoll, and what TLS has read already, has no event.
void Link::Begin(std::span<char> buffer) {
  Pump(up_, buffer);
  Pump(down_, buffer);
}

void Link::Handle(Side side, std::uint32_t events, std::span<char> buffer) {
  Flow& from_here = FlowFrom(side);
  Flow& to_here = FlowFrom(Other(side));
  if ((events & kHangUp) != 0) from_here.end_seen = true;
  const bool writable = (events & (EPOLLOUT | EPOLLERR | EPOLLHUP)) != 0;
  if (writable && awaits_writable_[static_cast<int>(side)]) {
    AwaitWritable(side, false);
    Pump(to_here, buffer);
  }
  // TLS may have to write before it can read; a try too many costs little there.
  if ((events & (EPOLLIN | kHangUp)) != 0 || (writable && tls_ != nullptr)) Pump(from_here, buffer);
}

void Link::GoOn(std::span<char> buffer) {
  if (up_.busy) Pump(up_, buffer);
  if (down_.busy) Pump(down_, buffer);
}

void Link::ResetClient() {
  const linger reset{.l_onoff = 1, .l_linger = 0};
  ::setsockopt(client_.get(), SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
  over_ = true;
}

Progress Link::Read(Side side, std::span<char> buffer) {
  if (side == Side::kBackend) return ReadSome(backend_.get(), buffer);
  return tls_ ? tls_->Read(buffer) : ReadSome(client_.get(), buffer);
}

Progress Link::Write(Side side, std::string_view bytes) {
  if (side == Side::kBackend) return WriteSome(backend_.get(), bytes);
  return tls_ ? tls_->Write(bytes) : WriteSome(client_.get(), bytes);
}

void Link::Pump(Flow& flow, std::span<char> buffer) {
  flow.busy = false;
  if (!flow.rest.empty() && !PassOn(flow, std::exchange(flow.rest, {}))) return;
  for (int moved = 0; !over_ && !flow.ended; ++moved) {
    if (moved == kTurn) {
      flow.busy = true;
      return;
    }
    const Progress got = Read(flow.from, buffer);
    if (got.state == State::kWantsWrite) return AwaitWritable(flow.from, true);
    if (got.state == State::kWantsRead) return;
    if (got.state != State::kDone) return End(flow, got.state == State::kBroken);
    if (!PassOn(flow, {buffer.data(), got.count})) return;
    if (got.drained && !flow.end_seen) return;
  }
}

// False: the sink is full, and what it did not take waits for it; or the session is over.
bool Link::PassOn(Flow& flow, std::string_view bytes) {
  const Side to = Other(flow.from);
  while (!bytes.empty() && !flow.discards) {
    const Progress put = Write(to, bytes);
    if (put.state == State::kDone) {
      bytes.remove_prefix(put.count);
    } else if (put.state == State::kWantsWrite || put.state == State::kWantsRead) {
      flow.rest = bytes;
      AwaitWritable(to, true);
      return false;
    } else if (to == Side::kClient) {
      over_ = true;
      return false;
    } else {
      // The backend is gone, but what it said last is still on its way to the client, and a reset
      // would destroy it: go on reading.
      flow.discards = true;
    }
  }
  return true;
}

void Link::End(Flow& flow, bool broken) {
  flow.ended = true;
  if (flow.from == Side::kClient) {
    if (broken) over_ = true;
    ::shutdown(backend_.get(), SHUT_WR);
  } else {
    // In good order or not: the client gets all that came, then the end.
    if (tls_) tls_->EndOutput();
    ::shutdown(client_.get(), SHUT_WR);
  }
  if (up_.ended && down_.ended) over_ = true;
}

void Link::AwaitWritable(Side side, bool wanted) {
  bool& awaits = awaits_writable_[static_cast<int>(side)];
  if (awaits == wanted) return;
  awaits = wanted;
  // Asked for only while needed: a Unix socket tells of it at each message that its peer takes.
  epoll_event event{.events = wanted ? kAlways | EPOLLOUT : kAlways,
                    .data = {.u64 = EventData(id_, side)}};
  const int fd = side == Side::kClient ? client_.get() : backend_.get();
  if (::epoll_ctl(epoll_, EPOLL_CTL_MOD, fd, &event) != 0) over_ = true;
}

}  // namespace howdah::gateway
