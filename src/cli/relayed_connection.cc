#include "cli/relayed_connection.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>
#include <string_view>

namespace howdah::cli {
namespace {

constexpr const char* kNotAdmitted =
    "the endpoint closed the connection before it answered: no rule of the instance's security "
    "groups admits this task";

Result<sockaddr_in> Address(const std::string& text, std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  if (inet_pton(AF_INET, text.c_str(), &address.sin_addr) != 1) {
    return Fail(Code::kInvalid, "not an IPv4 address: " + text);
  }
  return address;
}

short Events(bool read, bool write) {
  return static_cast<short>((read ? POLLIN : 0) | (write ? POLLOUT : 0));
}

}  // namespace

Result<system::FileDescriptor> ConnectFrom(const RelayRoute& route) {
  TRY_ASSIGN(const sockaddr_in source, Address(route.source_address, 0));
  TRY_ASSIGN(const sockaddr_in target, Address(route.endpoint_address, route.endpoint_port));
  system::FileDescriptor fd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd.valid()) return Fail(ErrnoError("socket", errno));
  const int on = 1;
  // The port is chosen at connect, when the kernel knows the whole quadruple.
  setsockopt(fd.get(), IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
  setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  if (bind(fd.get(), reinterpret_cast<const sockaddr*>(&source), sizeof source) != 0) {
    return Fail(ErrnoError("bind " + route.source_address, errno));
  }
  if (connect(fd.get(), reinterpret_cast<const sockaddr*>(&target), sizeof target) != 0 &&
      errno != EINPROGRESS) {
    return Fail(ErrnoError("connect to " + route.endpoint_address, errno));
  }
  return fd;
}

Result<std::unique_ptr<RelayedConnection>> RelayedConnection::Open(system::FileDescriptor client,
                                                                   const RelayRoute& route,
                                                                   TlsClient* tls) {
  std::unique_ptr<RelayedConnection> connection(new RelayedConnection(tls));
  connection->client_ = Stream(std::move(client));
  TRY_ASSIGN(auto endpoint, ConnectFrom(route));
  connection->endpoint_ = Stream(std::move(endpoint));
  return connection;
}

void RelayedConnection::Watch(std::vector<pollfd>& watched) const {
  switch (phase_) {
    case Phase::kConnecting:
      watched.push_back({endpoint_.descriptor(), POLLOUT, 0});
      break;
    case Phase::kAskingTls:
      watched.push_back({endpoint_.descriptor(), POLLIN, 0});
      break;
    case Phase::kHandshake:
      watched.push_back({endpoint_.descriptor(), Events(!wants_write_, wants_write_), 0});
      break;
    case Phase::kRelaying: {
      // A descriptor without events would still report POLLHUP, again and again.
      const short client = Events(up_.empty() && !up_.ended, !down_.empty());
      const short endpoint = Events(down_.empty() && !down_.ended, !up_.empty());
      if (client != 0) watched.push_back({client_.descriptor(), client, 0});
      if (endpoint != 0) watched.push_back({endpoint_.descriptor(), endpoint, 0});
      break;
    }
    case Phase::kFinished:
      break;
  }
}

void RelayedConnection::Advance() {
  if (phase_ == Phase::kConnecting) FinishConnecting();
  if (phase_ == Phase::kAskingTls) AskTls();
  if (phase_ == Phase::kHandshake) FinishHandshake();
  if (phase_ != Phase::kRelaying) return;
  Pump(client_, endpoint_, up_);
  Pump(endpoint_, client_, down_);
  if (phase_ == Phase::kRelaying && up_.closed && down_.closed) phase_ = Phase::kFinished;
}

void RelayedConnection::FinishConnecting() {
  pollfd ready{endpoint_.descriptor(), POLLOUT, 0};
  if (poll(&ready, 1, 0) != 1) return;
  int error = 0;
  socklen_t size = sizeof error;
  getsockopt(endpoint_.descriptor(), SOL_SOCKET, SO_ERROR, &error, &size);
  if (error != 0) return Break(ErrnoError("connect to the endpoint", error).what());
  phase_ = tls_ == nullptr ? Phase::kRelaying : Phase::kAskingTls;
}

void RelayedConnection::AskTls() {
  std::size_t moved = 0;
  if (!asked_) {
    // Eight bytes into an empty socket buffer go in one piece.
    if (endpoint_.Write(kSslRequest, moved) != StreamState::kMoved) return Break(kNotAdmitted);
    asked_ = true;
  }
  char answer = 0;
  const auto state = endpoint_.Read({&answer, 1}, moved);
  if (state == StreamState::kAgain) return;
  if (state != StreamState::kMoved) return Break(kNotAdmitted);
  answered_ = true;
  if (answer != 'S') return Break("the endpoint does not speak TLS");
  if (!endpoint_.StartTls(tls_->context())) return Break("TLS could not be started");
  phase_ = Phase::kHandshake;
}

void RelayedConnection::FinishHandshake() {
  const auto state = endpoint_.Handshake(wants_write_);
  if (state == StreamState::kAgain) return;
  if (state != StreamState::kMoved) return Break("the TLS handshake with the endpoint failed");
  phase_ = Phase::kRelaying;
}

void RelayedConnection::Pump(Stream& from, Stream& to, Direction& direction) {
  while (phase_ == Phase::kRelaying && !direction.closed) {
    if (direction.empty() && !direction.ended) {
      std::size_t moved = 0;
      const auto state = from.Read(direction.buffer, moved);
      if (state == StreamState::kAgain) return;
      direction.begin = 0;
      direction.end = moved;
      // A reset is passed on as an end: the other side learns the same, that nobody is there.
      direction.ended = state != StreamState::kMoved;
      if (&from == &endpoint_) answered_ |= moved > 0;
      if (&from == &endpoint_ && direction.ended && !answered_) return Break(kNotAdmitted);
    }
    if (direction.empty()) {
      to.EndWriting();
      direction.closed = true;
      return;
    }
    std::size_t moved = 0;
    const auto state = to.Write(
        {direction.buffer.data() + direction.begin, direction.end - direction.begin}, moved);
    if (state == StreamState::kAgain) return;
    if (state != StreamState::kMoved) {
      // An endpoint that refuses resets what we send before it answers.
      if (&to == &endpoint_ && !answered_) return Break(kNotAdmitted);
      return Break("");
    }
    direction.begin += moved;
  }
}

void RelayedConnection::Break(std::string trouble) {
  trouble_ = std::move(trouble);
  phase_ = Phase::kFinished;
}

}  // namespace howdah::cli
