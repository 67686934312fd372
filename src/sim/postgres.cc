#include "sim/postgres.h"

#include <algorithm>

namespace howdah::sim {

namespace {

constexpr Duration kSilence = 2s;  // a walsender that hears nothing for so long counts no more

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
    if (machine.promoted_at && now >= *machine.promoted_at) {
      // The history of the new timeline, then the end of recovery; the signal file goes with it.
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
  }
  for (auto& [node, machine] : machines) {
    if (machine.proc != Proc::kRecovery) continue;
    Connect(node, machine, now);
    Receive(node, machine, now);
    const bool replays = pace.replay_lag == Duration(0) || random_.Chance(0.1);
    if (!machine.frozen && replays) machine.visible = machine.wal.size();
  }
}

void Postgres::Start(const NodeId& node, MonotonicTime now) {
  Machine& machine = machines[node];
  machine.proc = Proc::kStarting;
  machine.ready_at = now + random_.Between(pace.start_low, pace.start_high);
  machine.shutdown_end = 0;
  machine.sync_in_force = machine.sync_name;
  ++machine.incarnation;
  if (!machine.standby_signal && on_primary_starts) on_primary_starts(node);
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
  if (machine.promoted_at && random_.Chance(0.5)) machine.standby_signal = false;
  machine.proc = Proc::kNone;
  machine.frozen = false;
  machine.promoted_at.reset();
  machine.stream.reset();
  for (const Waiter& waiter : machine.waiters) {
    if (on_lost) on_lost(node, waiter);
  }
  machine.waiters.clear();
}

// Sessions end, then the walsenders send all that there is, the last checkpoint too.
void Postgres::StopFast(const NodeId& node) {
  Machine& machine = machines[node];
  if (machine.frozen || machine.proc == Proc::kStarting) return End(node);
  const bool was_primary = machine.proc == Proc::kReadWrite;
  if (was_primary) {
    Append(machine);
    for (auto& [name, other] : machines) {
      const bool streams = other.stream && other.stream->primary == node && !other.frozen &&
                           !partitioned && !other.disk_full;
      if (streams && IsPrefix(other.wal, machine.wal)) other.wal = machine.wal;
    }
  }
  End(node);
  machine.shutdown_end = machine.wal.size();
}

void Postgres::AskToPromote(const NodeId& node, MonotonicTime now) {
  Machine& machine = machines[node];
  if (machine.proc != Proc::kRecovery || machine.promoted_at) return;
  machine.promoted_at = now + random_.Between(pace.promote_low, pace.promote_high);
}

void Postgres::SetSync(const NodeId& node, const std::string& name) {
  Machine& machine = machines[node];
  machine.sync_name = name;
  machine.sync_in_force = name;
  if (name.empty()) Release(node, machine, machine.wal.size(), NodeId());  // L8
}

EntryId Postgres::Commit(const NodeId& node, int client) {
  Machine& machine = machines[node];
  if (machine.proc != Proc::kReadWrite || machine.frozen || machine.disk_full) return 0;
  const EntryId entry = Append(machine);
  machine.waiters.push_back({machine.wal.size(), entry, client});
  if (machine.sync_in_force.empty()) Release(node, machine, machine.wal.size(), NodeId());
  return entry;
}

// The wait is cut short: the row is there for everybody (L6), and without the guard its client is
// told that all is well (L4).
void Postgres::Cancel(const NodeId& node, int client) {
  Machine& machine = machines[node];
  if (machine.proc != Proc::kReadWrite || machine.frozen) return;
  const auto waiter = std::ranges::find(machine.waiters, client, &Waiter::client);
  if (waiter == machine.waiters.end()) return;
  const Waiter cut = *waiter;
  machine.waiters.erase(waiter);
  leaked.insert(cut.entry);
  if (guard) {
    if (on_lost) on_lost(node, cut);
  } else if (on_ack) {
    on_ack(node, cut, NodeId());
  }
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

void Postgres::Connect(const NodeId& node, Machine& machine, MonotonicTime now) {
  if (machine.stream) {
    const auto found = machines.find(machine.stream->primary);
    const bool same = found != machines.end() && found->second.proc == Proc::kReadWrite &&
                      found->second.incarnation == machine.stream->incarnation;
    const bool wanted = machine.has_source && machine.source == machine.stream->primary &&
                        machine.source_name == machine.stream->name;
    if (!same || !wanted || machine.disk_full) machine.stream.reset();
    // Neither side hears of the other: both end.
    if (machine.stream && now - machine.stream->last_reply > 2 * kSilence) machine.stream.reset();
    if (machine.stream) return;
    machine.connect_at = now + random_.Between(5ms, 100ms);
  }
  if (!machine.has_source || machine.frozen || machine.disk_full || now < machine.connect_at)
    return;
  machine.connect_at = now + 100ms;
  const auto primary = machines.find(machine.source);
  if (partitioned || primary == machines.end() || machine.source == node) return;
  if (primary->second.proc != Proc::kReadWrite || primary->second.frozen) return;
  if (!IsPrefix(machine.wal, primary->second.wal)) return;  // "is not a child of this server's"
  machine.stream = Machine::Stream{.primary = machine.source,
                                   .name = machine.source_name,
                                   .incarnation = primary->second.incarnation,
                                   .next = now + random_.Between(pace.wal_low, pace.wal_high),
                                   .last_reply = now,
                                   .confirmed = 0,
                                   .replies = {}};
}

void Postgres::Receive(const NodeId& node, Machine& machine, MonotonicTime now) {
  if (!machine.stream) return;
  Machine::Stream& stream = *machine.stream;
  Machine& primary = machines[stream.primary];
  // Replies that are on their way arrive, also from one that has frozen meanwhile.
  while (!stream.replies.empty() && stream.replies.front().first <= now && !primary.frozen) {
    stream.confirmed = std::max(stream.confirmed, stream.replies.front().second);
    stream.last_reply = now;
    stream.replies.pop_front();
    if (!primary.sync_in_force.empty() && primary.sync_in_force == stream.name)
      Release(stream.primary, primary, stream.confirmed, node);
  }
  if (machine.frozen || primary.frozen || partitioned || now < stream.next) return;
  stream.next = now + random_.Between(pace.wal_low, pace.wal_high);
  if (machine.wal.size() < primary.wal.size()) {
    const Position more = 1 + random_.Below(primary.wal.size() - machine.wal.size());
    const auto from = primary.wal.begin() + static_cast<std::ptrdiff_t>(machine.wal.size());
    machine.wal.insert(machine.wal.end(), from, from + static_cast<std::ptrdiff_t>(more));
  }
  machine.timeline = primary.timeline;
  stream.replies.emplace_back(now + random_.Between(pace.reply_low, pace.reply_high),
                              machine.wal.size());
}

bool Postgres::Rewind(const NodeId& node, const NodeId& primary) {
  Machine& machine = machines[node];
  const auto found = machines.find(primary);
  if (found == machines.end() || found->second.proc != Proc::kReadWrite || partitioned)
    return false;
  const auto& [mine, theirs] = std::mismatch(machine.wal.begin(), machine.wal.end(),
                                             found->second.wal.begin(), found->second.wal.end());
  machine.wal.erase(mine, machine.wal.end());
  machine.standby_signal = true;
  machine.was_in_recovery = true;
  machine.sync_name = found->second.sync_name;  // files are copied too
  machine.has_source = false;
  return true;
}

bool Postgres::Copy(const NodeId& node, const NodeId& primary) {
  const auto found = machines.find(primary);
  if (found == machines.end() || found->second.proc != Proc::kReadWrite || found->second.frozen ||
      partitioned)
    return false;
  Machine& machine = machines[node];
  machine.wal = found->second.wal;
  machine.sync_name = found->second.sync_name;
  machine.initialized = true;
  machine.standby_signal = true;
  machine.was_in_recovery = true;
  machine.timeline = found->second.timeline;
  return true;
}

std::string Postgres::StreamingFrom(const NodeId& node, const std::string& preferred,
                                    MonotonicTime now) const {
  std::string streaming;
  for (const auto& [name, machine] : machines) {
    if (!machine.stream || machine.stream->primary != node) continue;
    if (now - machine.stream->last_reply >= kSilence) continue;
    if (streaming.empty() || machine.stream->name == preferred) streaming = machine.stream->name;
  }
  return streaming;
}

Position Postgres::ConfirmedUnder(const NodeId& node, const std::string& name) const {
  Position confirmed = 0;
  for (const auto& [other, machine] : machines) {
    if (machine.stream && machine.stream->primary == node && machine.stream->name == name)
      confirmed = std::max(confirmed, machine.stream->confirmed);
  }
  return confirmed;
}

}  // namespace howdah::sim
