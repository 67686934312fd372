// See handover.h. Plain sockets: this is the client's, the gateway's and the judge's part at once,
// for a few milliseconds after a server's start.
#include "postgres/handover.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include "postgres/library_file.h"
#include "preload/libraries.h"
#include "system/real/file_descriptor.h"
#include "system/real/pass_descriptor.h"

namespace howdah::postgres {
namespace {

// "SSLRequest": length 8, code 80877103. Source: PostgreSQL documentation, "Message Formats".
constexpr std::array<unsigned char, 8> kSslRequest = {0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f};

using Socket = system::FileDescriptor;

struct TcpPair {
  Socket client;
  Socket server;
};

Result<TcpPair> ConnectToOurselves() {
  const Socket listener(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof(address);
  auto* name = reinterpret_cast<sockaddr*>(&address);
  if (::bind(listener.get(), name, length) != 0 || ::listen(listener.get(), 1) != 0 ||
      ::getsockname(listener.get(), name, &length) != 0) {
    return Fail(ErrnoError("listening on loopback", errno));
  }
  Socket client(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (::connect(client.get(), name, length) != 0) return Fail(ErrnoError("connecting", errno));
  sockaddr_in own{};
  sockaddr_in peer{};
  socklen_t own_length = sizeof(own);
  socklen_t peer_length = sizeof(peer);
  Socket server(
      ::accept4(listener.get(), reinterpret_cast<sockaddr*>(&peer), &peer_length, SOCK_CLOEXEC));
  if (server.get() < 0) return Fail(ErrnoError("accepting", errno));
  ::getsockname(client.get(), reinterpret_cast<sockaddr*>(&own), &own_length);
  // Anybody may have connected to that port in between.
  if (own.sin_port != peer.sin_port || own.sin_addr.s_addr != peer.sin_addr.s_addr) {
    return Fail(Code::kUnavailable, "somebody else connected to the proof's own port");
  }
  return TcpPair{std::move(client), std::move(server)};
}

}  // namespace

Result<std::string> InstallHandoverLibrary(system::Disk& disk, const std::string& home) {
  if (home.find_first_of(" :") != std::string::npos) {
    return Fail(Code::kUnsupported,
                "the home's path has a space or a colon, which LD_PRELOAD cannot hold: " + home);
  }
  return InstallLibrary(disk, home, "howdah-handover", preload::HandoverLibrary());
}

// Connects first: what is sent before the postmaster accepts is there when it does.
Result<> HandOver(const std::string& socket_path, int client) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (socket_path.size() >= sizeof(address.sun_path)) {
    return Fail(Code::kInvalid, "the path of the handover socket is too long: " + socket_path);
  }
  std::memcpy(address.sun_path, socket_path.data(), socket_path.size());
  const Socket unix_socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (::connect(unix_socket.get(), reinterpret_cast<sockaddr*>(&address), sizeof(address)) != 0) {
    return Fail(Code::kUnavailable, ErrnoError("connecting to " + socket_path, errno).what());
  }
  return system::PassDescriptor(unix_socket.get(), client);
}

Result<HandoverProof> ProveHandover(const std::string& socket_path, Duration limit) {
  TRY_ASSIGN(TcpPair pair, ConnectToOurselves());
  if (::send(pair.client.get(), kSslRequest.data(), kSslRequest.size(), MSG_NOSIGNAL) !=
      static_cast<ssize_t>(kSslRequest.size())) {
    return Fail(ErrnoError("asking for TLS", errno));
  }
  TRY(HandOver(socket_path, pair.server.get()));
  // Ours must go, or the end of the server's would not be seen.
  {
    const Socket gone(std::move(pair.server));
  }
  pollfd readable{.fd = pair.client.get(), .events = POLLIN, .revents = 0};
  const auto wait = std::chrono::duration_cast<std::chrono::milliseconds>(limit).count();
  if (::poll(&readable, 1, static_cast<int>(wait)) != 1) {
    return Fail(Code::kUnavailable, "the server does not answer on a socket that it was handed");
  }
  char answer = 0;
  if (::recv(pair.client.get(), &answer, 1, 0) != 1 || (answer != 'S' && answer != 'N')) {
    return Fail(Code::kUnsupported,
                "the server does not take over a client's socket: it runs without the library");
  }
  return HandoverProof{.tls = answer == 'S'};
}

}  // namespace howdah::postgres
