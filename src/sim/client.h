// A client of a simulated world: connects through the gateway, commits and reads, and waits no
// longer than it likes. Whatever it is told to be done is a promise.
#pragma once

#include <optional>

#include "sim/gateway.h"
#include "sim/judge.h"
#include "sim/postgres.h"

namespace howdah::sim {

struct ClientNeeds {
  Postgres& postgres;
  Gateway& gateway;
  Judge& judge;
  Random& random;
};

class Client {
 public:
  Client(int id, const ClientNeeds& needs) : id_(id), needs_(needs) {}

  void Pass(MonotonicTime now);
  void OnAnswer(const NodeId& node, const Waiter& waiter, bool success);
  std::size_t done() const { return done_; }
  const std::optional<Session>& session() const { return session_; }

 private:
  bool Connect();
  void Leave();

  const int id_;
  const ClientNeeds& needs_;
  std::optional<Session> session_;
  EntryId waits_for_ = 0;  // 0: for nothing
  MonotonicTime deadline_{};
  MonotonicTime next_{};
  std::size_t done_ = 0;
};

}  // namespace howdah::sim
