// A test aid: a host agent and its gateway without a machine. It follows /nodes/*/desired and
// /routes/* and reports as the real ones in host/ do, a small stage at each Tick. What it makes
// (directories, processes, addresses that are listened on) are sets that know nothing of the store,
// so that a test can ask what was left behind.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "fleet/simulated_shelf.h"
#include "nodes/backup.h"
#include "nodes/node.h"
#include "nodes/route.h"
#include "store/store.h"

namespace howdah::fleet {

class SimulatedHost {
 public:
  // What is on the machine of one node.
  struct Machine {
    bool directory = false;
    bool process = false;
    bool is_standby = false;
    NodeId primary;           // whom the standby follows
    std::string connects_as;  // in the standby's configuration
    std::string waits_for;    // in the primary's configuration: it survives a restart
    std::string verifier;     // the master user's password
    bool needs_proof = false;
    bool fit = false;
    bool was_seen = false;  // its keeper has seen it run
  };
  struct State {
    std::map<NodeId, Machine> machines;
    std::set<std::string> listening;   // "127.0.1.4:5432"
    std::set<std::string> violations;  // of the rules that every host relies on
    std::int64_t next_pid = 1000;
    Shelf shelf;
  };

  explicit SimulatedHost(store::Store& store) : store_(store) {}

  // One pass over every node and over the routes.
  void Tick();

  const State& state() const { return state_; }
  void Restore(State state) { state_ = std::move(state); }
  Shelf& shelf() { return state_.shelf; }
  WallTime now{};  // what its clock says

  // Mischief: nodes that cannot be made to run, addresses that somebody else has.
  std::set<NodeId> broken_nodes;
  bool breaks_standbys = false;
  std::set<std::string> taken_addresses;
  // What a node reports of its storage; a held one has no process.
  std::map<NodeId, nodes::Storage> storages;
  // Backups that will still fail; whether they wait for ever.
  int failing_backups = 0;
  bool stalls_backups = false;
  void Kill(const NodeId& node) { state_.machines[node].process = false; }

 private:
  void Keep(const nodes::Desired& want);
  void CheckNobodyWaitsFor(const nodes::Desired& want);
  void Stop(const nodes::Desired& want, nodes::Observed& observed);
  void Run(const nodes::Desired& want, nodes::Observed& observed);
  bool MayNotStart(const nodes::Desired& want, Machine& machine, nodes::Observed& observed);
  void Fence(const nodes::Desired& want, nodes::Observed& observed);
  void Recruit(Machine& machine, nodes::Observed& observed);
  void Hold(Machine& machine, nodes::Observed& observed);
  bool Seed(const nodes::Desired& want, Machine& machine, nodes::Observed& observed);
  void Start(const nodes::Desired& want, Machine& machine, nodes::Observed& observed);
  void LookInside(const nodes::Desired& want, Machine& machine, nodes::Observed& observed);
  std::string StreamingFrom(const NodeId& primary, const std::string& preferred) const;
  void TakeBackup(const nodes::BackupTask& task);
  nodes::BackupState Advance(const nodes::BackupTask& task, nodes::BackupState state);
  bool RestoreInto(const nodes::Desired& want, Machine& machine, nodes::Observed& observed);
  void ServeRoutes();
  nodes::RouteObserved Serve(const nodes::Route& route);
  void Put(const std::string& key, const std::string& text);

  store::Store& store_;
  State state_;
};

}  // namespace howdah::fleet
