// The judge's eyes on the servers: what was acknowledged, read, promoted, started and overwritten.
#include <fmt/format.h>

#include <algorithm>

#include "sim/judge.h"

namespace howdah::sim {

namespace {

// "hd_<epoch>_<nonce>"
std::int64_t EpochOf(const std::string& token) {
  return token.starts_with("hd_") ? std::strtoll(token.c_str() + 3, nullptr, 10) : 0;
}

}  // namespace

void Judge::NoteCommit(EntryId entry) {
  is_commit_.resize(std::max<std::size_t>(is_commit_.size(), entry + 1));
  is_seen_.resize(is_commit_.size());
  is_commit_[entry] = true;
}

EntryId Judge::Missing(const std::vector<EntryId>& wal, std::size_t visible,
                       const std::vector<EntryId>& wanted) {
  ++count_;
  for (std::size_t i = 0; i < wal.size(); ++i) {
    // A row that a cut wait made readable is there although its commit was never confirmed.
    if (i >= visible && !postgres_.leaked.contains(wal[i])) continue;
    if (stamps_.size() <= wal[i]) stamps_.resize(wal[i] + 1);
    stamps_[wal[i]] = count_;
  }
  for (const EntryId entry : wanted) {
    if (entry >= stamps_.size() || stamps_[entry] != count_) return entry;
  }
  return 0;
}

void Judge::RequireAll(const std::string& invariant, const NodeId& node, std::size_t visible,
                       const std::string& when) {
  const std::vector<EntryId>& wal = postgres_.machines.at(node).wal;
  if (const EntryId lost = Missing(wal, visible, acknowledged_); lost != 0)
    Violated(invariant,
             fmt::format("{}: {} lacks the acknowledged commit {}", when, node.str(), lost));
  if (const EntryId lost = Missing(wal, visible, seen_); lost != 0)
    Violated(invariant == "I2" ? "I11" : invariant,
             fmt::format("{}: {} lacks commit {}, which was read before", when, node.str(), lost));
}

void Judge::OnAcknowledged(const NodeId& node, const Waiter& waiter, const NodeId& confirmed_by) {
  const Machine& machine = postgres_.machines.at(node);
  if (waiter.client < 0) return;
  if (waiter.cut)
    Violated("I10",
             fmt::format("{} answers that a commit is done whose wait was cut short", node.str()));
  if (machine.epoch_of_reign < epoch_of_last_ack_)
    Violated("I1", fmt::format("{} acknowledges in epoch {} after epoch {} did", node.str(),
                               machine.epoch_of_reign, epoch_of_last_ack_));
  epoch_of_last_ack_ = machine.epoch_of_reign;
  if (confirmed_by.empty()) {
    if (record_.protected_)
      Violated("I14", fmt::format("{} acknowledges without its standby while that may be promoted",
                                  node.str()));
    return;
  }
  if (!postgres_.Holds(confirmed_by, waiter.entry))
    Violated("I9", "a commit counts as confirmed that its standby does not hold");
  if (EpochOf(machine.sync_in_force) != machine.epoch_of_reign)
    Violated("I9", "a confirmation counts under the identity of another epoch");
}

void Judge::OnLetGo(const NodeId& node) {
  if (record_.primary != node || loss_accepted_) return;
  if (record_.protected_)
    Violated("I4", fmt::format("{} stops waiting while its standby may be promoted", node.str()));
}

void Judge::OnPromotion(const NodeId& node) {
  const Machine& machine = postgres_.machines.at(node);
  if (machine.stream || machine.has_source)
    Violated("I17", fmt::format("{} is promoted while it follows somebody", node.str()));
  const bool late = record_.phase == ha::Phase::kFailover && record_.epoch == machine.promised;
  if (late) Violated("I17", fmt::format("{} is promoted before the record says so", node.str()));
  if (machine.visible != machine.wal.size())
    Violated("I17", fmt::format("{} is promoted before it has replayed everything", node.str()));
  if (gateway_.alive() && gateway_.epoch() != 0 &&
      static_cast<std::int64_t>(gateway_.epoch()) < machine.promised)
    Violated("I12", "the gateway leads into an older epoch when the next one begins");
  if (loss_accepted_) return;
  // One that never met the other may have counted to the same number; only a person lets it.
  if (machine.timeline + 1 <= newest_timeline_)
    Violated("I17", fmt::format("{} begins timeline {} once more", node.str(), newest_timeline_));
  newest_timeline_ = machine.timeline + 1;
  RequireAll("I2", node, machine.wal.size(), "at its promotion");
  if (record_.cause != ha::Cause::kSwitchover) return;
  const auto former = postgres_.machines.find(record_.standby);
  if (former == postgres_.machines.end() || former->second.shutdown_end == 0) return;
  if (!IsPrefix(former->second.wal, machine.wal))
    Violated("I22", "after a clean stop the new primary lacks the end of the old one's WAL");
}

void Judge::OnStart(const NodeId& node) {
  const Machine& machine = postgres_.machines.at(node);
  if (machine.torn) Violated("I18", fmt::format("{} starts on a half-made directory", node.str()));
  const bool known = !record_.primary.empty() && !machine.standby_signal;
  if (known && record_.primary != node && record_.standby == node &&
      record_.phase != ha::Phase::kFailover)
    Violated("I7", fmt::format("{} starts as a primary and is none", node.str()));
}

void Judge::BeforeOverwriting(const NodeId& node, const std::string& how) {
  if (loss_accepted_) return;
  if (record_.protected_ && (node == record_.primary || node == record_.standby))
    Violated("I8", fmt::format("{} of {} while its copy is counted upon", how, node.str()));
  for (const auto* wanted : {&acknowledged_, &seen_}) {
    for (const EntryId entry : *wanted) {
      if (!postgres_.Holds(node, entry)) continue;
      const bool is_elsewhere = std::ranges::any_of(postgres_.machines, [&](const auto& other) {
        return other.first != node && !other.second.torn && postgres_.Holds(other.first, entry);
      });
      if (!is_elsewhere)
        Violated("I8", fmt::format("{} of {} throws the promised commit {} away", how, node.str(),
                                   entry));
    }
  }
}

void Judge::OnRead(const NodeId& node) {
  ++reads_;
  const Machine& machine = postgres_.machines.at(node);
  if (machine.proc == Proc::kRecovery)
    Violated("I12", fmt::format("a client is led to {}, which is no primary yet", node.str()));
  if (!loss_accepted_) RequireAll("I12", node, machine.visible, "at a read");
  for (Position i = 0; i < machine.wal.size(); ++i) {
    const EntryId entry = machine.wal[i];
    if (i >= machine.visible && !postgres_.leaked.contains(entry)) continue;
    if (entry >= is_commit_.size() || !is_commit_[entry] || is_seen_[entry]) continue;
    is_seen_[entry] = true;
    seen_.push_back(entry);
  }
}

void Judge::OnEnd() {
  if (loss_accepted_) return;
  for (const NodeId& node : {record_.primary, record_.standby}) {
    if (!node.empty()) RequireAll("I2", node, postgres_.machines.at(node).wal.size(), "at the end");
  }
}

}  // namespace howdah::sim
