// One session of the relay: a client's socket and its backend's, and the bytes between them, each
// way as fast as the slower side takes them. Knows two descriptors and an epoll instance; nothing
// of threads, routes or time. The rule: a direction reads only when nothing of it waits to be
// written, so that what it holds is one buffer at most, and none while idle.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "gateway/tls.h"
#include "system/real/file_descriptor.h"

namespace howdah::gateway {

class Link {
 public:
  enum class Side : std::uint8_t { kClient = 0, kBackend = 1 };

  // Both sockets do not block. tls: null in the clear. The epoll instance outlives this and tells
  // of events with EventData().
  Link(std::uint64_t id, int epoll, system::FileDescriptor client, std::unique_ptr<Tls> tls,
       system::FileDescriptor backend);

  static std::uint64_t EventData(std::uint64_t id, Side side) {
    return id << 1 | static_cast<std::uint64_t>(side);
  }

  // Moves what can be moved now; the buffer is only borrowed. After these calls look at the state.
  void Begin(std::span<char> buffer);
  void Handle(Side side, std::uint32_t events, std::span<char> buffer);
  void GoOn(std::span<char> buffer);
  // RST: what the client has in flight is lost, and it must not take it for done.
  void ResetClient();

  // More can be moved at once, but others are to have their turn: GoOn().
  bool is_busy() const { return up_.busy || down_.busy; }
  // The backend has said its last word: the client may not take for ever to hear it.
  bool is_ending() const { return down_.ended; }
  bool is_over() const { return over_; }

 private:
  struct Flow {
    Side from;
    std::string rest = {};  // read and not written yet
    bool end_seen = false;  // the source has hung up: read to its end
    bool ended = false;     // all was passed on, and the end too
    bool discards = false;  // the sink is gone
    bool busy = false;
  };

  Flow& FlowFrom(Side side) { return side == Side::kClient ? up_ : down_; }
  static Side Other(Side side) { return side == Side::kClient ? Side::kBackend : Side::kClient; }
  Progress Read(Side side, std::span<char> buffer);
  Progress Write(Side side, std::string_view bytes);
  void Pump(Flow& flow, std::span<char> buffer);
  bool PassOn(Flow& flow, std::string_view bytes);
  void End(Flow& flow, bool broken);
  void AwaitWritable(Side side, bool wanted);

  std::uint64_t id_;
  int epoll_;
  system::FileDescriptor client_;
  std::unique_ptr<Tls> tls_;  // uses client_
  system::FileDescriptor backend_;
  Flow up_{.from = Side::kClient};
  Flow down_{.from = Side::kBackend};
  bool awaits_writable_[2] = {false, false};
  bool over_ = false;
};

}  // namespace howdah::gateway
