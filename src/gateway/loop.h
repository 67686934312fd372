// One event loop, one thread: where connections start. Loops share nothing that changes but
// counters: each has its own pointer to the table in force, which is immutable and is swapped by a
// message to the loop, and its own relay for the sessions whose start is over.
#pragma once

#include <memory>
#include <set>

#include "gateway/asio_types.h"
#include "gateway/gateway.h"
#include "gateway/live.h"
#include "gateway/relay.h"

namespace howdah::gateway {

class Session;

class Loop {
 public:
  Loop(const Limits& limits_in, const Log& log_in, std::unique_ptr<Relay> relay_in)
      : limits(limits_in), log(log_in), relay(std::move(relay_in)) {}

  // Puts a table in force and cuts the sessions that it leaves behind; done() is called, on the
  // relay's thread, when that is so. On the loop's thread.
  void SetTable(std::shared_ptr<const LiveTable> table, std::function<void()> done);
  // The instance's route now; null when there is none. On the loop's thread.
  std::shared_ptr<const LiveRoute> Find(const InstanceId& instance) const;
  // Connections of all instances, on all loops and relays.
  std::int64_t CountOpen() const;
  void CloseSessions();

  const Limits& limits;
  const Log& log;
  const std::unique_ptr<Relay> relay;
  // Sessions enter and leave by themselves; declared before io, which destroys the last of them.
  std::set<Session*> sessions;
  asio::io_context io{1};

 private:
  std::shared_ptr<const LiveTable> table_ = std::make_shared<LiveTable>();
};

}  // namespace howdah::gateway
