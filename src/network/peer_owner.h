// Asks the kernel (NETLINK_SOCK_DIAG) which user owns the other end of a TCP connection within this
// host. Ask right after accept: the answer counts only while both ends are established, because an
// address and port can belong to somebody else a moment later.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>

#include "network/cidr.h"

namespace howdah::network {

struct Endpoint {
  Ipv4 address;
  std::uint16_t port = 0;
};

// The owner of the established socket whose own address is `client` and whose peer is `server`;
// nullopt when there is none, when no process holds it any more, or when the kernel does not
// answer.
std::optional<uid_t> SocketOwner(const Endpoint& client, const Endpoint& server);

// The owner of the peer of an accepted connection; nullopt also when the connection is no longer
// established on our side after the question: then the answer may have been about a later socket.
std::optional<uid_t> PeerOwner(int accepted_socket);

}  // namespace howdah::network
