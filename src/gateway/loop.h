// One event loop, one thread. Loops share nothing that changes but counters: each has its own
// pointer to the table in force, which is immutable and is swapped by a message to the loop.
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <set>

#include "gateway/asio_types.h"
#include "gateway/gateway.h"
#include "gateway/routes.h"
#include "gateway/tls.h"

namespace howdah::gateway {

struct Counters {
  std::atomic<std::int64_t> open = 0, accepted = 0, refused = 0, held = 0, handed_over = 0;
};

// A route with what the gateway made of it.
struct LiveRoute {
  Route route;
  TlsContext tls;                      // null: the client's SSLRequest is answered with 'N'
  std::shared_ptr<Counters> counters;  // the instance's, for the life of the gateway
};
using LiveTable = std::map<InstanceId, std::shared_ptr<const LiveRoute>>;

class Session;

class Loop {
 public:
  Loop(const Limits& limits_in, const Log& log_in) : limits(limits_in), log(log_in) {}

  // Puts a table in force and cuts the sessions that it leaves behind. On the loop's thread.
  void SetTable(std::shared_ptr<const LiveTable> table);
  // The instance's route now; null when there is none. On the loop's thread.
  std::shared_ptr<const LiveRoute> Find(const InstanceId& instance) const;
  void CloseSessions();

  const Limits& limits;
  const Log& log;
  // Sessions enter and leave by themselves; declared before io, which destroys the last of them.
  std::set<Session*> sessions;
  asio::io_context io{1};

 private:
  std::shared_ptr<const LiveTable> table_ = std::make_shared<LiveTable>();
};

}  // namespace howdah::gateway
