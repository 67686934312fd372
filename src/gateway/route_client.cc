// The agent's side of the control socket; see route_client.h.
#include "gateway/route_client.h"

#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

namespace howdah::gateway {
namespace {

// Every send and receive gives up after the timeout.
Result<void> SetTimeouts(int fd, Duration timeout) {
  timeval value{};
  value.tv_sec = timeout.count() / 1'000'000;
  value.tv_usec = timeout.count() % 1'000'000;
  if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &value, sizeof(value)) != 0 ||
      setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &value, sizeof(value)) != 0)
    return Fail(ErrnoError("setting the timeout of the gateway's socket", errno));
  return {};
}

Result<pid_t> CheckPeer(int fd) {
  ucred peer{};
  socklen_t length = sizeof(peer);
  if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &length) != 0)
    return Fail(ErrnoError("asking who the gateway is", errno));
  if (peer.uid != geteuid())
    return Fail(Code::kPermission, "the gateway's socket belongs to another user");
  return peer.pid;
}

Error Lost(std::string_view doing, int error_number) {
  if (error_number == EAGAIN || error_number == EWOULDBLOCK)
    return Error(Code::kTimeout, std::string(doing) + ": the gateway does not answer");
  return Error(Code::kUnavailable, ErrnoError(doing, error_number).what());
}

}  // namespace

Result<RouteClient> RouteClient::Connect(const std::string& socket_path, Duration timeout) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (socket_path.size() >= sizeof(address.sun_path))
    return Fail(Code::kInvalid, "the name of the gateway's socket is too long: " + socket_path);
  std::memcpy(address.sun_path, socket_path.data(), socket_path.size());
  const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return Fail(ErrnoError("opening a socket", errno));
  RouteClient client(fd, 0, timeout);  // closes fd from here on
  TRY(SetTimeouts(fd, timeout));
  if (connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0)
    return Fail(Lost("connecting to the gateway at " + socket_path, errno));
  TRY_ASSIGN(client.gateway_pid_, CheckPeer(fd));
  return client;
}

RouteClient::RouteClient(RouteClient&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)),
      gateway_pid_(other.gateway_pid_),
      timeout_(other.timeout_),
      buffer_(std::move(other.buffer_)) {}

RouteClient& RouteClient::operator=(RouteClient&& other) noexcept {
  std::swap(fd_, other.fd_);
  std::swap(gateway_pid_, other.gateway_pid_);
  std::swap(timeout_, other.timeout_);
  std::swap(buffer_, other.buffer_);
  return *this;
}

RouteClient::~RouteClient() {
  if (fd_ >= 0) close(fd_);
}

Result<ApplyAnswer> RouteClient::Apply(const RouteTable& table) {
  TRY_ASSIGN(const json::object answer, Ask(FormatRouteTable(table)));
  return ParseAnswer(answer);
}

Result<Statistics> RouteClient::ReadStatistics() {
  TRY_ASSIGN(const json::object answer, Ask({{"statistics", true}}));
  return ParseStatistics(answer);
}

Result<json::object> RouteClient::Ask(const json::object& request) {
  TRY(Send(json::serialize(request) + "\n"));
  TRY_ASSIGN(const std::string line, ReadLine());
  return ParseJsonObject(line);
}

Result<void> RouteClient::Send(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0) return Fail(Lost("sending routes to the gateway", errno));
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
  return {};
}

Result<std::string> RouteClient::ReadLine() {
  std::array<char, 16384> chunk;
  for (;;) {
    if (const auto end = buffer_.find('\n'); end != std::string::npos) {
      std::string line = buffer_.substr(0, end);
      buffer_.erase(0, end + 1);
      return line;
    }
    if (buffer_.size() > kMaxMessageBytes)
      return Fail(Code::kExhausted, "the gateway's answer is too long");
    const ssize_t got = recv(fd_, chunk.data(), chunk.size(), 0);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return Fail(Lost("reading the gateway's answer", errno));
    if (got == 0) return Fail(Code::kUnavailable, "the gateway closed the control connection");
    buffer_.append(chunk.data(), static_cast<std::size_t>(got));
  }
}

}  // namespace howdah::gateway
