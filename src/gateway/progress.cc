// Reads and writes that do not wait; see progress.h.
#include "gateway/progress.h"

#include <sys/socket.h>

#include <cerrno>

namespace howdah::gateway {

Progress ReadSome(int fd, std::span<char> buffer) {
  for (;;) {
    const ssize_t got = ::recv(fd, buffer.data(), buffer.size(), MSG_DONTWAIT);
    if (got > 0) {
      const auto count = static_cast<std::size_t>(got);
      return {Progress::State::kDone, count, count < buffer.size()};
    }
    if (got == 0) return {Progress::State::kEnded, 0, true};
    if (errno == EINTR) continue;
    return {errno == EAGAIN ? Progress::State::kWantsRead : Progress::State::kBroken, 0, true};
  }
}

Progress WriteSome(int fd, std::string_view bytes) {
  for (;;) {
    const ssize_t sent = ::send(fd, bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent >= 0) return {Progress::State::kDone, static_cast<std::size_t>(sent), false};
    if (errno == EINTR) continue;
    return {errno == EAGAIN ? Progress::State::kWantsWrite : Progress::State::kBroken, 0, false};
  }
}

}  // namespace howdah::gateway
