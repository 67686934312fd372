// See pass_descriptor.h.
#include "system/real/pass_descriptor.h"

#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstring>

namespace howdah::system {

Result<> PassDescriptor(int connection, int descriptor) {
  char byte = kPassedByte;
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
  std::memcpy(CMSG_DATA(header), &descriptor, sizeof(descriptor));
  for (;;) {
    const ssize_t sent = ::sendmsg(connection, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent == 1) return {};
    if (sent < 0 && errno == EINTR) continue;
    return Fail(ErrnoError("passing a descriptor on", sent < 0 ? errno : EIO));
  }
}

}  // namespace howdah::system
