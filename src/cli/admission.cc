#include "cli/admission.h"

#include <poll.h>
#include <sys/socket.h>

#include <algorithm>

#include "cli/daemon.h"
#include "cli/relayed_connection.h"

namespace howdah::cli {

namespace {

constexpr Duration kBetweenTries = 20ms;

// Waits no longer than until `until`.
bool AwaitEvent(int fd, short event, const system::Clock& clock, MonotonicTime until) {
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - clock.Monotonic()).count();
  pollfd ready{fd, event, 0};
  return poll(&ready, 1, static_cast<int>(std::max<std::int64_t>(left, 0))) == 1;
}

bool Answers(const RelayRoute& route, const system::Clock& clock, MonotonicTime until) {
  const auto socket = ConnectFrom(route);
  if (!socket || !AwaitEvent(socket->get(), POLLOUT, clock, until)) return false;
  const auto sent = send(socket->get(), kSslRequest.data(), kSslRequest.size(), MSG_NOSIGNAL);
  if (sent != static_cast<ssize_t>(kSslRequest.size())) return false;
  if (!AwaitEvent(socket->get(), POLLIN, clock, until)) return false;
  char answer = 0;
  return recv(socket->get(), &answer, 1, 0) == 1;
}

}  // namespace

bool AwaitAdmission(const RelayRoute& route, const system::Clock& clock, Duration limit) {
  const MonotonicTime until = clock.Monotonic() + limit;
  while (!Answers(route, clock, until)) {
    if (clock.Monotonic() >= until) return false;
    PauseBetweenPolls(kBetweenTries);
  }
  return true;
}

}  // namespace howdah::cli
