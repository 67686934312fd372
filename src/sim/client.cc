#include "sim/client.h"

namespace howdah::sim {

namespace {

constexpr Duration kPatience = 5s;

}  // namespace

void Client::Leave() {
  session_.reset();
  waits_for_ = 0;
}

bool Client::Connect() {
  const std::optional<NodeId> node = needs_.gateway.Leads();
  if (!node) return false;
  const auto machine = needs_.postgres.machines.find(*node);
  if (machine == needs_.postgres.machines.end() || !needs_.postgres.Answers(machine->second) ||
      machine->second.deaf)
    return false;
  session_ = needs_.gateway.Open(*node, machine->second.incarnation, needs_.random.Chance(0.5));
  return true;
}

// An answer counts if its client still hears it.
void Client::OnAnswer(const NodeId& node, const Waiter& waiter, bool success) {
  const bool hears = session_ && session_->node == node && waits_for_ == waiter.entry &&
                     needs_.gateway.Carries(*session_);
  if (!hears) return;
  waits_for_ = 0;
  if (!success) {
    Leave();
    return;
  }
  needs_.judge.OnPromised(waiter.entry);
  ++done_;
}

void Client::Pass(MonotonicTime now) {
  if (now < next_) return;
  next_ = now + needs_.random.Between(5ms, 150ms);
  if (session_) {
    const Machine& machine = needs_.postgres.machines[session_->node];
    const bool there = machine.proc != Proc::kNone &&
                       machine.incarnation == session_->incarnation &&
                       needs_.gateway.Carries(*session_);
    if (!there || (waits_for_ != 0 && now >= deadline_)) Leave();
    if (session_ && machine.frozen) return;
  }
  if (!session_ && !Connect()) return;
  if (waits_for_ != 0) return;
  if (needs_.random.Chance(0.4)) {
    needs_.judge.OnRead(session_->node);
    ++done_;
    return;
  }
  const NodeId node = session_->node;
  Machine& machine = needs_.postgres.machines[node];
  if (machine.proc != Proc::kReadWrite || machine.disk_full) return;  // refused
  deadline_ = now + kPatience;
  // The answer may come at once.
  waits_for_ = needs_.postgres.NextEntry();
  needs_.judge.NoteCommit(waits_for_);
  const CommitBy by = needs_.random.Chance(0.15)  ? CommitBy::kProcedure
                      : needs_.random.Chance(0.1) ? CommitBy::kLocal
                                                  : CommitBy::kStatement;
  if (needs_.postgres.Commit(node, id_, by) == 0) waits_for_ = 0;
}

}  // namespace howdah::sim
