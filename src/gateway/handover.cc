// The calls of the handover; see handover.h, unix(7) and tcp(7).
#include "gateway/handover.h"

#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstring>

namespace howdah::gateway {

Result<void> PassSocket(int connection, int client) {
  char byte = kHandoverByte;
  iovec data{.iov_base = &byte, .iov_len = 1};
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int))> control{};
  msghdr message{};
  message.msg_iov = &data;
  message.msg_iovlen = 1;
  message.msg_control = control.data();
  message.msg_controllen = control.size();
  cmsghdr* header = CMSG_FIRSTHDR(&message);
  header->cmsg_level = SOL_SOCKET;
  header->cmsg_type = SCM_RIGHTS;
  header->cmsg_len = CMSG_LEN(sizeof(int));
  std::memcpy(CMSG_DATA(header), &client, sizeof(int));
  for (;;) {
    const ssize_t sent = ::sendmsg(connection, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent == 1) return {};
    if (sent < 0 && errno == EINTR) continue;
    return Fail(ErrnoError("handing a client's socket over", sent < 0 ? errno : EIO));
  }
}

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
