#include "cli/relay.h"

#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "cli/relayed_connection.h"

namespace howdah::cli {
namespace {

std::string SocketPath(const std::string& directory) {
  return fmt::format("{}/.s.PGSQL.{}", directory, kRelayPort);
}

Result<system::FileDescriptor> ListenAt(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) {
    return Fail(Code::kInvalid, "the path of the socket is too long: " + path);
  }
  std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
  system::FileDescriptor fd(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd.valid()) return Fail(ErrnoError("socket", errno));
  if (bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
      listen(fd.get(), SOMAXCONN) != 0) {
    return Fail(ErrnoError("listen at " + path, errno));
  }
  return fd;
}

}  // namespace

Relay::Relay(RelayRoute route, Complain complain)
    : route_(std::move(route)), complain_(std::move(complain)) {}

Result<std::unique_ptr<Relay>> Relay::Open(RelayRoute route, const std::string& parent_directory,
                                           Complain complain) {
  std::unique_ptr<Relay> relay(new Relay(std::move(route), std::move(complain)));
  std::string pattern = parent_directory + "/howdah-run-XXXXXX";
  if (mkdtemp(pattern.data()) == nullptr) return Fail(ErrnoError("mkdtemp " + pattern, errno));
  relay->directory_ = pattern;
  TRY_ASSIGN(relay->listener_, ListenAt(SocketPath(relay->directory_)));
  if (relay->route_.tls) {
    TRY_ASSIGN(auto tls, TlsClient::Create());
    relay->tls_ = std::make_unique<TlsClient>(std::move(tls));
  }
  return relay;
}

Relay::~Relay() {
  if (directory_.empty()) return;
  unlink(SocketPath(directory_).c_str());
  rmdir(directory_.c_str());
}

void Relay::Watch(std::vector<pollfd>& watched) const {
  if (connections_.size() < kMaxRelayedConnections) {
    watched.push_back({listener_.get(), POLLIN, 0});
  }
  for (const auto& connection : connections_) connection->Watch(watched);
}

void Relay::Advance() {
  Accept();
  for (const auto& connection : connections_) {
    connection->Advance();
    if (!connection->trouble().empty()) Complaint(connection->trouble());
  }
  std::erase_if(connections_, [](const auto& connection) { return connection->finished(); });
}

void Relay::Accept() {
  while (connections_.size() < kMaxRelayedConnections) {
    system::FileDescriptor client(
        accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
    if (!client.valid()) return;
    auto connection = RelayedConnection::Open(std::move(client), route_, tls_.get());
    if (connection) {
      connections_.push_back(*std::move(connection));
    } else {
      Complaint(connection.error().what());
    }
  }
}

void Relay::Complaint(const std::string& text) {
  if (complained_) return;
  complained_ = true;
  complain_(text);
}

}  // namespace howdah::cli
