// The gateway of a simulated world, and the part of the agent that keeps it: the real book of
// routes (gateway/route_book.h), tables that are built of the routes in the store and of the nodes'
// fitness, and the sessions of clients. It may be slow, die, and be given an old table once more.
#pragma once

#include <map>
#include <optional>

#include "gateway/route_book.h"
#include "sim/memory_store.h"
#include "sim/mutants.h"
#include "sim/random.h"

namespace howdah::sim {

// A client's connection to one server.
struct Session {
  NodeId node;
  std::int64_t incarnation = 0;
  std::uint64_t epoch = 0;
  std::uint64_t gateway = 0;  // which life of the gateway carries it
  bool relayed = false;       // else the server has the client's own socket
};

class Gateway {
 public:
  Gateway(store::Store& store, InstanceId instance, Mutant mutant)
      : store_(store), instance_(std::move(instance)), mutant_(mutant) {}

  // The keeper's side. A fitness is in force when the returned moment has come.
  MonotonicTime SetFit(const NodeId& node, bool fit, MonotonicTime now);
  void Wake(MonotonicTime now) { next_ = std::min(next_, now + lateness_); }
  void Pass(MonotonicTime now);
  void ForgetKeeper();  // its process was killed
  void Kill(MonotonicTime back_at);
  void set_lateness(Duration lateness) { lateness_ = lateness; }
  void GiveOldTable();

  // The clients' side.
  bool alive() const { return alive_; }
  std::uint64_t epoch() const;
  std::optional<NodeId> Leads() const;  // where to, if it lets anybody in now
  bool Carries(const Session& session) const;
  Session Open(const NodeId& node, std::int64_t incarnation, bool relayed) const;

 private:
  std::optional<gateway::ParsedTable> Build();
  void Apply(const gateway::ParsedTable& table);
  void Report(const gateway::ParsedTable& table, const std::vector<gateway::RouteError>& errors);

  store::Store& store_;
  const InstanceId instance_;
  const Mutant mutant_;
  gateway::RouteBook book_;
  std::map<InstanceId, gateway::Route> blind_;  // what one without a book goes by
  std::string written_down_;
  bool alive_ = true;
  std::uint64_t life_ = 1;
  MonotonicTime back_at_{};
  MonotonicTime next_{};
  Duration lateness_{0};
  std::map<NodeId, bool> fit_;
  std::optional<gateway::ParsedTable> old_;
  std::optional<gateway::ParsedTable> last_;
  std::uint64_t last_epoch_ = 0;  // of that table
};

}  // namespace howdah::sim
