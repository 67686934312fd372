// The sock_diag question; see peer_owner.h. The protocol is sock_diag(7).
#include "network/peer_owner.h"

#include <arpa/inet.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cstring>

namespace howdah::network {
namespace {

struct Request {
  nlmsghdr header;
  inet_diag_req_v2 body;
};

Request MakeRequest(const Endpoint& client, const Endpoint& server) {
  Request request{};
  request.header.nlmsg_len = sizeof(request);
  request.header.nlmsg_type = SOCK_DIAG_BY_FAMILY;
  request.header.nlmsg_flags = NLM_F_REQUEST;  // exactly one socket, not a dump
  request.body.sdiag_family = AF_INET;
  request.body.sdiag_protocol = IPPROTO_TCP;
  request.body.idiag_states = 1U << TCP_ESTABLISHED;
  inet_diag_sockid& id = request.body.id;
  id.idiag_sport = htons(client.port);
  id.idiag_dport = htons(server.port);
  id.idiag_src[0] = htonl(client.address.value());
  id.idiag_dst[0] = htonl(server.address.value());
  id.idiag_cookie[0] = id.idiag_cookie[1] = INET_DIAG_NOCOOKIE;
  return request;
}

// An IPv4 address as the kernel reports it: in the first word, or mapped into IPv6 when the socket
// is an IPv6 one that speaks IPv4, as those of every JVM.
bool IsAddress(const __be32 (&found)[4], unsigned char family, __be32 asked) {
  if (family == AF_INET) return found[0] == asked;
  return family == AF_INET6 && found[0] == 0 && found[1] == 0 && found[2] == htonl(0xffff) &&
         found[3] == asked;
}

// The kernel falls back to a listening socket, and also reports closing ones, whose owner reads as
// root: only an established socket of exactly this connection, held by a process, is an answer.
bool IsAnswer(const inet_diag_msg& found, const inet_diag_sockid& asked) {
  return found.idiag_state == TCP_ESTABLISHED && found.idiag_inode != 0 &&
         found.id.idiag_sport == asked.idiag_sport && found.id.idiag_dport == asked.idiag_dport &&
         IsAddress(found.id.idiag_src, found.idiag_family, asked.idiag_src[0]) &&
         IsAddress(found.id.idiag_dst, found.idiag_family, asked.idiag_dst[0]);
}

std::optional<uid_t> Ask(int netlink, const Request& request) {
  sockaddr_nl kernel{};
  kernel.nl_family = AF_NETLINK;
  if (sendto(netlink, &request, sizeof(request), 0, reinterpret_cast<const sockaddr*>(&kernel),
             sizeof(kernel)) != sizeof(request))
    return std::nullopt;
  // The kernel answers within sendto, so there is nothing to wait for.
  alignas(nlmsghdr) std::array<char, 4096> buffer;
  const ssize_t got = recv(netlink, buffer.data(), buffer.size(), MSG_DONTWAIT);
  if (got < static_cast<ssize_t>(NLMSG_LENGTH(sizeof(inet_diag_msg)))) return std::nullopt;
  nlmsghdr header;
  std::memcpy(&header, buffer.data(), sizeof(header));
  if (header.nlmsg_type != SOCK_DIAG_BY_FAMILY) return std::nullopt;
  inet_diag_msg found;
  std::memcpy(&found, buffer.data() + NLMSG_HDRLEN, sizeof(found));
  if (!IsAnswer(found, request.body.id)) return std::nullopt;
  return found.idiag_uid;
}

std::optional<Endpoint> EndpointOf(int socket, int (*name)(int, sockaddr*, socklen_t*)) {
  sockaddr_in address{};
  socklen_t length = sizeof(address);
  if (name(socket, reinterpret_cast<sockaddr*>(&address), &length) != 0) return std::nullopt;
  if (address.sin_family != AF_INET) return std::nullopt;
  return Endpoint{Ipv4(ntohl(address.sin_addr.s_addr)), ntohs(address.sin_port)};
}

bool IsEstablished(int socket) {
  tcp_info info{};
  socklen_t length = sizeof(info);
  return getsockopt(socket, IPPROTO_TCP, TCP_INFO, &info, &length) == 0 &&
         info.tcpi_state == TCP_ESTABLISHED;
}

}  // namespace

std::optional<uid_t> SocketOwner(const Endpoint& client, const Endpoint& server) {
  const int netlink = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
  if (netlink < 0) return std::nullopt;
  const auto owner = Ask(netlink, MakeRequest(client, server));
  close(netlink);
  return owner;
}

std::optional<uid_t> PeerOwner(int accepted_socket) {
  const auto client = EndpointOf(accepted_socket, getpeername);
  const auto server = EndpointOf(accepted_socket, getsockname);
  if (!client || !server) return std::nullopt;
  const auto owner = SocketOwner(*client, *server);
  if (!IsEstablished(accepted_socket)) return std::nullopt;
  return owner;
}

}  // namespace howdah::network
