// The relay: a thread of its own, and all sessions that were given to it, from the end of their
// startup on. An idle session costs two descriptors and a few hundred bytes. Each loop has one
// relay and speaks to it by messages, which are done in order.
#pragma once

#include <sys/epoll.h>

#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <span>
#include <thread>
#include <unordered_map>
#include <vector>

#include "gateway/busy_poll.h"
#include "gateway/link.h"
#include "gateway/live.h"
#include "system/real/file_descriptor.h"

namespace howdah::gateway {

// A client and its backend, ready to be relayed.
struct Joined {
  system::FileDescriptor client;
  std::unique_ptr<Tls> tls;  // null: in the clear
  system::FileDescriptor backend;
  std::shared_ptr<const LiveRoute> route;  // in whose epoch the backend was reached
  OpenConnection open;
};

class Relay {
 public:
  static Result<std::unique_ptr<Relay>> Start();
  ~Relay();
  // Ends all sessions, and the thread: no done() is called after this.
  void Stop();

  // From any thread.
  void Adopt(Joined joined);
  // Cuts the sessions that this table leaves behind, then calls done() on the relay's thread.
  void CutStale(std::shared_ptr<const LiveTable> table, std::function<void()> done);

 private:
  using Clock = std::chrono::steady_clock;
  using Message = std::move_only_function<void()>;
  struct Session {
    Link link;
    std::shared_ptr<const LiveRoute> route;
    OpenConnection open;
    bool said_goodbye = false;
  };
  struct Goodbye {
    Clock::time_point until;
    std::uint64_t id;
  };

  Relay(system::FileDescriptor epoll, system::FileDescriptor wake);
  void Post(Message message);
  void Run();
  std::span<const epoll_event> Wait(std::span<epoll_event> events);
  void DoMessages();
  void Add(Joined joined);
  void Cut(const LiveTable& table);
  void Handle(std::uint64_t data, std::uint32_t events);
  void After(std::uint64_t id, Session& session);
  void GoOnWithBusy();
  void EndGoodbyes();
  int WaitMilliseconds() const;

  system::FileDescriptor epoll_, wake_;
  std::mutex mutex_;
  std::vector<Message> inbox_;  // under the mutex
  // From here on: the relay's thread only.
  std::vector<char> buffer_;
  BusyPoll busy_poll_;
  std::unordered_map<std::uint64_t, Session> sessions_;
  std::uint64_t last_id_ = 0;
  std::vector<std::uint64_t> busy_;
  std::deque<Goodbye> goodbyes_;  // in order of time
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace howdah::gateway
