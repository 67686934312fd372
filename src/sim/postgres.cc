#include "sim/postgres.h"

#include <algorithm>

namespace howdah::sim {

namespace {

constexpr Position kReplayedAtOnce = 3;

}  // namespace

bool IsPrefix(const std::vector<EntryId>& prefix, const std::vector<EntryId>& whole) {
  return prefix.size() <= whole.size() && std::equal(prefix.begin(), prefix.end(), whole.begin());
}

EntryId Postgres::Append(Machine& machine) {
  machine.wal.push_back(next_entry_);
  return next_entry_++;
}

bool Postgres::IsPrimary(const NodeId& node) const {
  const auto found = machines.find(node);
  return found != machines.end() && found->second.proc == Proc::kReadWrite;
}

bool Postgres::Holds(const NodeId& node, EntryId entry) const {
  const auto found = machines.find(node);
  if (found == machines.end()) return false;
  const std::vector<EntryId>& wal = found->second.wal;
  return std::find(wal.rbegin(), wal.rend(), entry) != wal.rend();
}

void Postgres::Advance(MonotonicTime now) {
  now_ = now;
  for (auto& [node, machine] : machines) {
    if (machine.frozen) continue;
    if (machine.proc == Proc::kStarting && now >= machine.ready_at) Up(node, machine);
    const bool ends_recovery = machine.promoted_at && now >= *machine.promoted_at &&
                               !machine.deaf && machine.visible == machine.wal.size();
    if (ends_recovery) Promoted(node, machine);
    TimeOut(node, machine);
  }
  for (auto& [node, machine] : machines) {
    if (machine.proc != Proc::kRecovery) continue;
    Connect(node, machine, now);
    Receive(node, machine, now);
    Replay(machine);
  }
}

// The history of the new timeline, then the end of recovery; the signal file goes with it.
void Postgres::Promoted(const NodeId& node, Machine& machine) {
  machine.promoted_at.reset();
  machine.standby_signal = false;
  machine.was_in_recovery = false;
  if (on_promoted) on_promoted(node);
  ++machine.timeline;
  Append(machine);
  machine.proc = Proc::kReadWrite;
  machine.stream.reset();
  machine.sync_in_force = machine.sync_name;
  machine.visible = machine.wal.size();
  if (on_primary_up) on_primary_up(node);
}

void Postgres::Replay(Machine& machine) {
  if (machine.frozen) return;
  if (!pace.replays_late) {
    machine.visible = machine.wal.size();
  } else if (random_.Chance(0.1)) {
    machine.visible = std::min(machine.wal.size(), machine.visible + kReplayedAtOnce);
  }
}

void Postgres::Start(const NodeId& node, MonotonicTime now) {
  Machine& machine = machines[node];
  if (machine.orphans) return;  // "pre-existing shared memory block is still in use" (L12)
  if (on_start) on_start(node);
  machine.proc = Proc::kStarting;
  machine.ready_at = now + random_.Between(pace.start_low, pace.start_high);
  machine.shutdown_end = 0;
  machine.sync_in_force = machine.sync_name;
  ++machine.incarnation;
}

// Recovery has ended: whatever is in the WAL is there (L7).
void Postgres::Up(const NodeId& node, Machine& machine) {
  if (machine.broken || machine.disk_full) {
    End(node);
    return;
  }
  machine.visible = machine.wal.size();
  if (machine.standby_signal) {
    machine.proc = Proc::kRecovery;
    machine.was_in_recovery = true;
    machine.connect_at = now_;
    return;
  }
  machine.was_in_recovery = false;
  machine.proc = Proc::kReadWrite;
  Append(machine);  // the checkpoint at the end of recovery
  machine.visible = machine.wal.size();
  if (on_primary_up) on_primary_up(node);
}

void Postgres::End(const NodeId& node) {
  Machine& machine = machines[node];
  // The signal file goes shortly before the new timeline begins.
  const bool ends_recovery = machine.promoted_at && machine.visible == machine.wal.size();
  if (ends_recovery && random_.Chance(0.5)) machine.standby_signal = false;
  machine.proc = Proc::kNone;
  machine.frozen = machine.deaf = machine.orphans = false;
  machine.promoted_at.reset();
  machine.stream.reset();
  for (const Waiter& waiter : machine.waiters) {
    if (on_lost) on_lost(node, waiter);
  }
  machine.waiters.clear();
}

// Its sessions see that soon, but for one that computes: that one computes on.
void Postgres::EndPostmaster(const NodeId& node) {
  Machine& machine = machines[node];
  if (machine.proc == Proc::kNone) return;
  End(node);
  machine.orphans = true;
}

// Sessions end, then the walsenders send all that there is, the last checkpoint too. Who waits for
// a standby that does not come is killed with the rest when the patience with it ends.
void Postgres::StopFast(const NodeId& node) {
  Machine& machine = machines[node];
  if (machine.frozen || machine.proc == Proc::kStarting) return End(node);
  const bool was_primary = machine.proc == Proc::kReadWrite;
  if (was_primary) {
    Append(machine);
    for (auto& [name, other] : machines) {
      const bool streams = other.stream && other.stream->primary == node && !other.frozen &&
                           !partitioned && !other.disk_full;
      if (!streams || !IsPrefix(other.wal, machine.wal)) continue;
      other.wal = machine.wal;
      if (machine.sync_in_force == other.stream->name)
        Release(node, machine, machine.wal.size(), name);
    }
    if (!machine.waiters.empty()) return End(node);
  }
  End(node);
  machine.shutdown_end = machine.wal.size();
}

void Postgres::AskToPromote(const NodeId& node, MonotonicTime now) {
  Machine& machine = machines[node];
  if (machine.proc != Proc::kRecovery || machine.promoted_at) return;
  machine.promoted_at = now + random_.Between(pace.promote_low, pace.promote_high);
}

bool Postgres::SetSync(const NodeId& node, const std::string& name) {
  Machine& machine = machines[node];
  machine.sync_name = name;
  if (machine.deaf) return false;
  const bool lets_go = name.empty() && !machine.sync_in_force.empty();
  machine.sync_in_force = name;
  if (lets_go && on_let_go) on_let_go(node);
  if (name.empty()) Release(node, machine, machine.wal.size(), NodeId());  // L8
  return true;
}

EntryId Postgres::Commit(const NodeId& node, int client, CommitBy by) {
  Machine& machine = machines[node];
  if (machine.proc != Proc::kReadWrite || machine.frozen || machine.disk_full) return 0;
  const EntryId entry = Append(machine);
  const Waiter waiter{.end = machine.wal.size(), .entry = entry, .client = client};
  if (by == CommitBy::kLocal && !guard.raises && !machine.sync_in_force.empty()) {
    leaked.insert(entry);
    if (on_ack) on_ack(node, waiter, NodeId());
    return entry;
  }
  machine.waiters.push_back(waiter);
  if (by == CommitBy::kProcedure)
    machine.waiters.back().times_out = now_ + random_.Between(10ms, 300ms);
  if (machine.sync_in_force.empty()) Release(node, machine, machine.wal.size(), NodeId());
  return entry;
}

// L4, L5, L6: PostgreSQL shows the row to everybody, and a client that is still there takes the
// answer for a success. The guard ends the session, and waits on where nobody sees its row.
void Postgres::Cut(const NodeId& node, Waiter& waiter, bool terminated) {
  const Waiter told = waiter;
  waiter.cut = true;
  waiter.client = kNobody;
  waiter.times_out.reset();
  if (!guard.waits_on) leaked.insert(waiter.entry);
  if (terminated || guard.ends_the_session) {
    if (on_lost) on_lost(node, told);
  } else if (on_ack) {
    Waiter cut = told;
    cut.cut = true;
    on_ack(node, cut, NodeId());
  }
}

void Postgres::TimeOut(const NodeId& node, Machine& machine) {
  for (Waiter& waiter : machine.waiters) {
    if (waiter.times_out && now_ >= *waiter.times_out) Cut(node, waiter, false);
  }
}

void Postgres::Cancel(const NodeId& node, int client) {
  Machine& machine = machines[node];
  const auto waiter = std::ranges::find(machine.waiters, client, &Waiter::client);
  if (machine.frozen || waiter == machine.waiters.end()) return;
  Cut(node, *waiter, false);
}

void Postgres::Terminate(const NodeId& node, int client) {
  Machine& machine = machines[node];
  const auto waiter = std::ranges::find(machine.waiters, client, &Waiter::client);
  if (machine.frozen || waiter == machine.waiters.end()) return;
  Cut(node, *waiter, true);
}

// All that waits for positions up to there.
void Postgres::Release(const NodeId& node, Machine& machine, Position end, const NodeId& by) {
  machine.visible = std::max(machine.visible, end);
  std::vector<Waiter> released;
  std::erase_if(machine.waiters, [&](const Waiter& waiter) {
    if (waiter.end > end) return false;
    released.push_back(waiter);
    return true;
  });
  for (const Waiter& waiter : released) {
    if (on_ack) on_ack(node, waiter, by);
  }
}

}  // namespace howdah::sim
