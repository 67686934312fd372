// The relay's thread; see relay.h. How the bytes of one session move is link.cc.
#include "gateway/relay.h"

#include <sched.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <optional>

#include "system/real/file_descriptor.h"

namespace howdah::gateway {
namespace {

constexpr std::size_t kBufferBytes = 16384;
constexpr std::size_t kEventsAtOnce = 128;
// How long a client may take to hear the last of a backend that is gone.
constexpr std::chrono::seconds kGoodbye{2};
// The wake-up descriptor's event: no session has the id 0.
constexpr std::uint64_t kWake = 0;

// Whose the events are, if they are all of one session.
std::optional<std::uint64_t> OnlySession(std::span<const epoll_event> events) {
  if (events.empty()) return std::nullopt;
  const std::uint64_t first = events.front().data.u64 >> 1;
  const bool alone = std::ranges::all_of(
      events, [&](const epoll_event& event) { return event.data.u64 >> 1 == first; });
  return alone && first != kWake ? std::optional(first) : std::nullopt;
}

}  // namespace

Result<std::unique_ptr<Relay>> Relay::Start() {
  system::FileDescriptor epoll(::epoll_create1(EPOLL_CLOEXEC));
  system::FileDescriptor wake(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  epoll_event event{.events = EPOLLIN, .data = {.u64 = kWake}};
  if (epoll.get() < 0 || wake.get() < 0 ||
      ::epoll_ctl(epoll.get(), EPOLL_CTL_ADD, wake.get(), &event) != 0)
    return Fail(ErrnoError("making a relay", errno));
  std::unique_ptr<Relay> relay(new Relay(std::move(epoll), std::move(wake)));
  relay->thread_ = std::thread([raw = relay.get()] { raw->Run(); });
  return relay;
}

Relay::Relay(system::FileDescriptor epoll, system::FileDescriptor wake)
    : epoll_(std::move(epoll)), wake_(std::move(wake)), buffer_(kBufferBytes) {}

Relay::~Relay() {
  Stop();
}

void Relay::Stop() {
  Post([this] { stopping_ = true; });
  if (thread_.joinable()) thread_.join();
}

void Relay::Adopt(Joined joined) {
  Post([this, joined = std::move(joined)]() mutable { Add(std::move(joined)); });
}

void Relay::CutStale(std::shared_ptr<const LiveTable> table, std::function<void()> done) {
  Post([this, table = std::move(table), done = std::move(done)] {
    Cut(*table);
    done();
  });
}

void Relay::Post(Message message) {
  bool was_empty = false;
  {
    const std::lock_guard lock(mutex_);
    was_empty = inbox_.empty();
    inbox_.push_back(std::move(message));
  }
  const std::uint64_t one = 1;
  if (was_empty) (void)!::write(wake_.get(), &one, sizeof(one));
}

void Relay::Run() {
  std::array<epoll_event, kEventsAtOnce> events;
  while (!stopping_) {
    for (const epoll_event& event : Wait(events)) Handle(event.data.u64, event.events);
    GoOnWithBusy();
    EndGoodbyes();
  }
  sessions_.clear();
}

// The next events: looked for first, as long as it is worth it, then slept for.
std::span<const epoll_event> Relay::Wait(std::span<epoll_event> events) {
  const auto ask = [&](int milliseconds) {
    return ::epoll_wait(epoll_.get(), events.data(), static_cast<int>(events.size()), milliseconds);
  };
  const auto found = [&](int count) {
    return events.first(static_cast<std::size_t>(std::max(count, 0)));
  };
  if (!busy_.empty()) return found(ask(0));
  const Clock::time_point begun = Clock::now();
  const Clock::time_point until = begun + busy_poll_.Window();
  int count = 0;
  do {
    // Who is to send the next message may need this processor for it.
    ::sched_yield();
    count = ask(0);
  } while (count == 0 && Clock::now() < until);
  if (count == 0) count = ask(WaitMilliseconds());
  busy_poll_.Note(Clock::now() - begun, OnlySession(found(count)));
  return found(count);
}

void Relay::DoMessages() {
  std::uint64_t ignored = 0;
  (void)!::read(wake_.get(), &ignored, sizeof(ignored));
  std::vector<Message> messages;
  {
    const std::lock_guard lock(mutex_);
    messages.swap(inbox_);
  }
  for (Message& message : messages) message();
}

void Relay::Add(Joined joined) {
  const std::uint64_t id = ++last_id_;
  const auto [entry, added] = sessions_.try_emplace(
      id, Session{.link = Link(id, epoll_.get(), std::move(joined.client), std::move(joined.tls),
                               std::move(joined.backend)),
                  .route = std::move(joined.route),
                  .open = std::move(joined.open)});
  entry->second.link.Begin(buffer_);
  After(id, entry->second);
}

void Relay::Cut(const LiveTable& table) {
  for (auto entry = sessions_.begin(); entry != sessions_.end();) {
    const Route& route = entry->second.route->route;
    const auto now = table.find(route.instance);
    const bool is_current = now != table.end() && now->second->route.epoch <= route.epoch;
    // One whose backend is gone already can do no harm, and a reset would take its last word (a
    // planned stop's 57P01) out of the client's hands.
    if (is_current || entry->second.link.is_ending()) {
      ++entry;
    } else {
      entry->second.link.ResetClient();
      entry = sessions_.erase(entry);
    }
  }
}

void Relay::Handle(std::uint64_t data, std::uint32_t events) {
  if (data == kWake) return DoMessages();
  const std::uint64_t id = data >> 1;
  const auto found = sessions_.find(id);
  if (found == sessions_.end()) return;  // ended earlier in this round
  found->second.link.Handle(static_cast<Link::Side>(data & 1), events, buffer_);
  After(id, found->second);
}

// Draws the consequences of what a link did.
void Relay::After(std::uint64_t id, Session& session) {
  if (session.link.is_over()) {
    sessions_.erase(id);
    return;
  }
  if (session.link.is_busy()) busy_.push_back(id);
  if (session.link.is_ending() && !std::exchange(session.said_goodbye, true))
    goodbyes_.push_back({Clock::now() + kGoodbye, id});
}

void Relay::GoOnWithBusy() {
  std::vector<std::uint64_t> turn;
  turn.swap(busy_);
  for (const std::uint64_t id : turn) {
    const auto found = sessions_.find(id);
    if (found == sessions_.end() || !found->second.link.is_busy()) continue;
    found->second.link.GoOn(buffer_);
    After(id, found->second);
  }
}

void Relay::EndGoodbyes() {
  while (!goodbyes_.empty() && goodbyes_.front().until <= Clock::now()) {
    sessions_.erase(goodbyes_.front().id);
    goodbyes_.pop_front();
  }
}

int Relay::WaitMilliseconds() const {
  if (goodbyes_.empty()) return -1;
  const auto left =
      std::chrono::ceil<std::chrono::milliseconds>(goodbyes_.front().until - Clock::now());
  return static_cast<int>(std::max<std::int64_t>(left.count(), 0));
}

}  // namespace howdah::gateway
