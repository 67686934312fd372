// The agent's side of the gateway's control socket: send a whole table, read the answer, ask for
// statistics. Blocking, with a deadline on every call; one thread at a time. After an error the
// connection is of no more use: connect again and send the whole table.
#pragma once

#include <sys/types.h>

#include <string>

#include "base/time.h"
#include "gateway/routes.h"

namespace howdah::gateway {

inline constexpr std::size_t kMaxMessageBytes = 32 << 20;

class RouteClient {
 public:
  static Result<RouteClient> Connect(const std::string& socket_path, Duration timeout = 5s);
  RouteClient(RouteClient&& other) noexcept;
  RouteClient& operator=(RouteClient&& other) noexcept;
  ~RouteClient();

  // When it returns, the table is in force for every new connection and older epochs are cut.
  // Errors of single routes are in the answer.
  Result<ApplyAnswer> Apply(const RouteTable& table);
  Result<Statistics> ReadStatistics();
  // The gateway's process, as the kernel names it.
  pid_t gateway_pid() const { return gateway_pid_; }

 private:
  RouteClient(int fd, pid_t pid, Duration timeout)
      : fd_(fd), gateway_pid_(pid), timeout_(timeout) {}
  Result<json::object> Ask(const json::object& request);
  Result<void> Send(std::string_view bytes);
  Result<std::string> ReadLine();

  int fd_ = -1;
  pid_t gateway_pid_ = 0;
  Duration timeout_{};
  std::string buffer_;
};

}  // namespace howdah::gateway
