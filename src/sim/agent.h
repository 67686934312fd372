// The agent of one simulated node: the real decision what comes next (host/role.h), carried out on
// the model of PostgreSQL. What its keeper remembers is lost when it is killed; what it wrote down
// is in the machine and in the store.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "host/role.h"
#include "nodes/node.h"
#include "sim/memory_store.h"
#include "sim/mutants.h"
#include "sim/postgres.h"

namespace howdah::sim {

// What an agent touches.
struct AgentNeeds {
  Postgres& postgres;
  store::Store& store;
  Random& random;
  Mutant mutant = Mutant::kNone;
  // Whether clients may come in; returns when the gateway has it, which may be later.
  std::function<MonotonicTime(const NodeId& node, bool fit)> set_fit;
  std::function<void(const std::string& invariant, const std::string& what)> violated;
  std::function<void(const std::string& what)> trace;
  // What an overwriting throws away is judged before it does.
  std::function<void(const NodeId& node, const std::string& how)> before_overwriting;
};

class Agent {
 public:
  Agent(NodeId id, const AgentNeeds& needs);

  // Looks and does one thing, when its time has come.
  void Pass(MonotonicTime now);
  void Wake(MonotonicTime now) { next_ = std::min(next_, std::max(now, asleep_until_)); }
  void Sleep(MonotonicTime until) { next_ = asleep_until_ = std::max(next_, until); }
  bool finished() const { return finished_; }
  // An older document, delivered late; what follows is the promise's business.
  void GiveOldDocument(const nodes::Desired& old, MonotonicTime now);

 private:
  enum class Task { kNone, kRejoin, kCopy, kStop };

  host::Facts Look(const nodes::Desired& want, MonotonicTime now);
  host::Act Decide(const nodes::Desired& want, host::Facts facts) const;
  void CheckAct(host::Act act, const nodes::Desired& want, const host::Facts& facts);
  void Do(host::Act act, const nodes::Desired& want, const host::Facts& facts);
  bool DoToServer(host::Act act, const nodes::Desired& want);
  bool DoToDirectory(host::Act act, const nodes::Desired& want);
  void Start(const nodes::Desired& want, bool alone);
  void Serve(const nodes::Desired& want);
  void Prove(const nodes::Desired& want);
  void Follow(const nodes::Desired& want);
  void LookInside(const nodes::Desired& want);
  void FeelPulse(const nodes::Desired& want, MonotonicTime now);
  void StayEnded(nodes::State state, const std::string& detail);
  void FinishTask();
  void ForgetServer();
  bool Fit(bool fit);
  void Publish();
  Machine& machine() { return needs_.postgres.machines[id_]; }

  const NodeId id_;
  const AgentNeeds& needs_;
  MonotonicTime now_{};
  MonotonicTime next_{};
  MonotonicTime asleep_until_{};
  nodes::Observed observed_;
  nodes::Observed published_;
  std::optional<nodes::Desired> want_;  // read, and soon acted upon
  bool is_old_ = false;                 // what was read is an old one
  store::Revision parsed_revision_ = 0;
  nodes::Desired parsed_;
  std::optional<std::int64_t> server_;  // the incarnation that is watched
  bool ended_ = false, answered_ = false, promoting_ = false, adopted_ = false;
  bool needs_proof_ = false;
  std::optional<bool> fit_;  // as the gateway was told
  MonotonicTime fit_at_{};   // when it had that in force
  std::optional<Position> probe_;
  std::optional<MonotonicTime> checkpoint_at_;
  std::optional<MonotonicTime> silent_pulse_;
  Task task_ = Task::kNone;
  NodeId task_peer_;
  std::int64_t promised_in_memory_ = 0;  // a mutant's
  bool copied_anew_ = false;             // a mutant's
  bool finished_ = false;
};

}  // namespace howdah::sim
