// Replication between the modelled servers: streams, what counts as confirmed, rewind and copy.
#include <algorithm>

#include "sim/postgres.h"

namespace howdah::sim {

namespace {

constexpr Duration kSilence = 2s;  // a walsender that hears nothing for so long counts no more

}  // namespace

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
  if (primary->second.proc != Proc::kReadWrite || primary->second.frozen || primary->second.deaf)
    return;
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
  machine.timeline = found->second.timeline;
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
