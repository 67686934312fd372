// Preloaded into the postmaster: replaces accept() so that a connection on one Unix socket, named
// by the environment, is replaced by the TCP socket that it carries (SCM_RIGHTS). PostgreSQL then
// serves the gateway's client as if it had accepted it itself. Every other listening socket is
// untouched.
//
// The rule inside: never an error for something that a client can cause. PostgreSQL sleeps a tenth
// of a second after a failed accept(), so that would let one client hold up all others. Where no
// usable socket arrives, the Unix connection itself is returned, shut down: PostgreSQL reads the
// end of it and forgets it, as it does with any client that hangs up at once.
#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>

namespace {

constexpr const char* kSocketVariable = "HOWDAH_HANDOVER_SOCKET";
// The gateway sends with its connect, so this is never waited for unless the gateway is frozen
// exactly between the two. Short, because the postmaster does nothing else meanwhile.
constexpr int kWaitMilliseconds = 50;

struct SocketPath {
  char text[sizeof(sockaddr_un::sun_path)] = {};
};

SocketPath& HandoverPath() {
  static SocketPath path;
  return path;
}

// Before main(): takes what concerns us out of the environment, so that no archive or restore
// command that PostgreSQL starts inherits it.
__attribute__((constructor)) void TakeEnvironment() {
  if (const char* path = std::getenv(kSocketVariable)) {
    std::strncpy(HandoverPath().text, path, sizeof(HandoverPath().text) - 1);
  }
  unsetenv(kSocketVariable);
  unsetenv("LD_PRELOAD");
}

bool IsHandoverListener(int listener) {
  sockaddr_un name{};
  socklen_t length = sizeof(name);
  if (HandoverPath().text[0] == '\0') return false;
  if (getsockname(listener, reinterpret_cast<sockaddr*>(&name), &length) != 0) return false;
  name.sun_path[sizeof(name.sun_path) - 1] = '\0';
  return name.sun_family == AF_UNIX && std::strcmp(name.sun_path, HandoverPath().text) == 0;
}

// The descriptor that came with the one byte, or -1. Close-on-exec from the start.
int ReceiveDescriptor(int connection) {
  pollfd readable{.fd = connection, .events = POLLIN, .revents = 0};
  if (poll(&readable, 1, kWaitMilliseconds) != 1) return -1;
  char byte = 0;
  iovec data{.iov_base = &byte, .iov_len = 1};
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {};
  msghdr message{};
  message.msg_iov = &data;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = sizeof(control);
  if (recvmsg(connection, &message, MSG_CMSG_CLOEXEC | MSG_DONTWAIT) != 1) return -1;
  const cmsghdr* header = CMSG_FIRSTHDR(&message);
  if (header == nullptr || header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS ||
      header->cmsg_len != CMSG_LEN(sizeof(int))) {
    return -1;
  }
  int descriptor = -1;
  std::memcpy(&descriptor, CMSG_DATA(header), sizeof(descriptor));
  return descriptor;
}

// A connected TCP socket, and nothing else; fills in the peer as accept() does.
bool IsConnectedTcp(int descriptor, sockaddr_storage& peer, socklen_t& length) {
  int type = 0;
  socklen_t size = sizeof(type);
  length = sizeof(peer);
  return getsockopt(descriptor, SOL_SOCKET, SO_TYPE, &type, &size) == 0 && type == SOCK_STREAM &&
         getpeername(descriptor, reinterpret_cast<sockaddr*>(&peer), &length) == 0 &&
         (peer.ss_family == AF_INET || peer.ss_family == AF_INET6);
}

void FillAddress(const sockaddr_storage& peer, socklen_t peer_length, sockaddr* address,
                 socklen_t* length) {
  if (address == nullptr || length == nullptr) return;
  std::memcpy(address, &peer, *length < peer_length ? *length : peer_length);
  *length = peer_length;
}

int Accept(int listener, sockaddr* address, socklen_t* length, int flags) {
  const socklen_t room = length == nullptr ? 0 : *length;
  const int connection = static_cast<int>(syscall(SYS_accept4, listener, address, length, flags));
  if (connection < 0 || !IsHandoverListener(listener)) return connection;
  const int why = errno;
  const int client = ReceiveDescriptor(connection);
  sockaddr_storage peer{};
  socklen_t peer_length = 0;
  if (client < 0 || !IsConnectedTcp(client, peer, peer_length)) {
    if (client >= 0) close(client);
    shutdown(connection, SHUT_RDWR);
    errno = why;
    return connection;
  }
  // The gateway's event loop works without blocking, and the flag belongs to the socket, not to the
  // descriptor. PostgreSQL expects what accept() gives.
  const int status = fcntl(client, F_GETFL);
  const int wanted = (flags & SOCK_NONBLOCK) != 0 ? status | O_NONBLOCK : status & ~O_NONBLOCK;
  if (status >= 0 && wanted != status) fcntl(client, F_SETFL, wanted);
  if (length != nullptr) *length = room;
  FillAddress(peer, peer_length, address, length);
  close(connection);
  errno = why;
  return client;
}

}  // namespace

extern "C" {

__attribute__((visibility("default"))) int accept(int listener, sockaddr* address,
                                                  socklen_t* length) {
  return Accept(listener, address, length, 0);
}

__attribute__((visibility("default"))) int accept4(int listener, sockaddr* address,
                                                   socklen_t* length, int flags) {
  return Accept(listener, address, length, flags);
}
}
