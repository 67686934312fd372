// What came of a read or write that does not wait, and the same calls for sockets in the clear.
#pragma once

#include <cstddef>
#include <span>
#include <string_view>

namespace howdah::gateway {

struct Progress {
  enum class State {
    kDone,        // `count` bytes, at least one
    kWantsRead,   // again when the socket is readable
    kWantsWrite,  // again when the socket is writable
    kEnded,       // the peer ended its output in good order
    kBroken,
  };
  State state = State::kBroken;
  std::size_t count = 0;
  bool drained = false;  // nothing more is there now
};

Progress ReadSome(int fd, std::span<char> buffer);
Progress WriteSome(int fd, std::string_view bytes);

}  // namespace howdah::gateway
