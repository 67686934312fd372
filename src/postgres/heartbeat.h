// Asks a primary whether it does what it is for: a new connection, a question, a commit that waits
// for the standby (H12). A commit that is not answered in time is neither cancelled nor tried again
// beside the first: its connection is kept and looked at by the next beat, because a backend that
// waits for a silent standby stays until the standby answers, and each would hold a place. One
// caller at a time.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "postgres/connection.h"
#include "system/clock.h"

namespace howdah::postgres {

inline constexpr std::string_view kNoConnection = "connection";
inline constexpr std::string_view kNoAnswer = "query";
inline constexpr std::string_view kNoCommit = "commit";
inline constexpr std::string_view kSilentStandby = "commit: the standby does not answer";

class Heartbeat {
 public:
  // `options`: of rdsadmin, on the node's own socket.
  Heartbeat(ConnectOptions options, const system::Clock& clock)
      : options_(std::move(options)), clock_(clock) {}

  // One beat, at most `limit` long. What failed (one of the above), or empty: all is well. The
  // commit is a transactional message in the WAL: no table, nothing to clean up, and it is
  // flushed, sent and waited for as any client's.
  std::string_view Beat(Duration limit);

 private:
  std::string_view Commit(Connection connection, MonotonicTime deadline);
  std::string_view AwaitPending(Duration limit);
  // Does the backend of the pending commit wait for the standby? Asked over that connection.
  bool WaitsForStandby(Connection& connection, Duration limit) const;
  Duration Left(MonotonicTime deadline) const;

  ConnectOptions options_;
  const system::Clock& clock_;
  std::optional<Connection> pending_;
};

}  // namespace howdah::postgres
