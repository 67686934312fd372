// The calls of the handover; see handover.h, unix(7) and tcp(7).
#include "gateway/handover.h"

#include <poll.h>
#include <sys/socket.h>

#include <cerrno>

namespace howdah::gateway {

Result<Peeked> Peek(int client, char* buffer, std::size_t size) {
  // In this order: what came before the end is there when the end is seen.
  pollfd state{.fd = client, .events = POLLRDHUP, .revents = 0};
  const bool ended = ::poll(&state, 1, 0) > 0;
  const ssize_t got = ::recv(client, buffer, size, MSG_PEEK | MSG_DONTWAIT);
  if (got < 0 && errno != EAGAIN && errno != EINTR)
    return Fail(ErrnoError("looking at a client's first bytes", errno));
  return Peeked{got < 0 ? 0 : static_cast<std::size_t>(got), ended};
}

void SetLowWater(int client, std::size_t bytes) {
  const int value = static_cast<int>(bytes);
  ::setsockopt(client, SOL_SOCKET, SO_RCVLOWAT, &value, sizeof(value));
}

}  // namespace howdah::gateway
