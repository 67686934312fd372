#include "sim/judge.h"

#include <fmt/format.h>

#include <algorithm>

namespace howdah::sim {

namespace {

// "hd_<epoch>_<nonce>"
std::int64_t EpochOf(const std::string& token) {
  return token.starts_with("hd_") ? std::strtoll(token.c_str() + 3, nullptr, 10) : 0;
}

}  // namespace

void Judge::Violated(const std::string& invariant, const std::string& what) {
  if (violation_.empty()) violation_ = invariant + ": " + what;
}

void Judge::NoteCommit(EntryId entry) {
  is_commit_.resize(std::max<std::size_t>(is_commit_.size(), entry + 1));
  is_seen_.resize(is_commit_.size());
  is_commit_[entry] = true;
}

EntryId Judge::Missing(const std::vector<EntryId>& wal, std::size_t visible,
                       const std::vector<EntryId>& wanted) {
  ++count_;
  for (std::size_t i = 0; i < wal.size(); ++i) {
    // A row that a cut wait made readable is there although its commit was never confirmed (L6).
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

// What the record says is looked up in the servers themselves.
void Judge::RequireTruth(const ha::Record& before, const ha::Record& after) {
  const auto primary = postgres_.machines.find(after.primary);
  const auto standby = postgres_.machines.find(after.standby);
  if (primary == postgres_.machines.end() || standby == postgres_.machines.end()) return;
  if (after.phase == ha::Phase::kPromoting && before.phase == ha::Phase::kFailover) {
    if (standby->second.proc != Proc::kNone || standby->second.promised < after.epoch)
      Violated("I7", "the record lets promote while the former primary is not fenced");
    const Machine& recruit = primary->second;
    if (recruit.has_source || recruit.stream || recruit.promised < after.epoch)
      Violated("I17", "the record lets promote one that is not recruited");
  }
  if (after.protected_ && !before.protected_ && !loss_accepted_)
    RequireAll("I2", after.standby, standby->second.wal.size(), "when it may be promoted");
}

void Judge::OnRecord(const ha::Record& before, const ha::Record& after) {
  record_ = after;
  if (!after.token.empty()) {
    const bool is_new = tokens_.insert(after.token).second;
    const bool met_again = before.phase == ha::Phase::kDegraded &&
                           after.phase == ha::Phase::kCatchup && before.epoch == after.epoch;
    if (!is_new && (before.token != after.token || met_again || before.epoch != after.epoch))
      Violated("I9", "an identity was given twice");
  }
  if (before.primary.empty()) return;
  RequireTruth(before, after);
  const bool accepted = after.cause == ha::Cause::kDataLossAccepted && after.epoch != before.epoch;
  if (accepted) loss_accepted_ = true;
  if (after.epoch == before.epoch) {
    if (after.primary != before.primary) Violated("I5", "roles changed without a new epoch");
    return;
  }
  const bool entitled =
      before.protected_ || accepted ||
      (before.phase == ha::Phase::kFailover && after.cause == ha::Cause::kTurnedBack);
  if (after.epoch != before.epoch + 1) Violated("I5", "an epoch is not one more than the last");
  if (!entitled)
    Violated("I20", fmt::format("roles changed from {} by themselves", PhaseName(before.phase)));
}

void Judge::OnAcknowledged(const NodeId& node, const Waiter& waiter, const NodeId& confirmed_by) {
  const Machine& machine = postgres_.machines.at(node);
  if (waiter.client < 0) return;
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

void Judge::OnPromotion(const NodeId& node) {
  const Machine& machine = postgres_.machines.at(node);
  if (machine.stream || machine.has_source)
    Violated("I17", fmt::format("{} is promoted while it follows somebody", node.str()));
  const bool late = record_.phase == ha::Phase::kFailover && record_.epoch == machine.promised;
  if (late) Violated("I17", fmt::format("{} is promoted before the record says so", node.str()));
  if (gateway_.alive() && gateway_.epoch() != 0 &&
      static_cast<std::int64_t>(gateway_.epoch()) < machine.promised)
    Violated("I12", "the gateway leads into an older epoch when the next one begins");
  if (loss_accepted_) return;
  RequireAll("I2", node, machine.wal.size(), "at its promotion");
  if (record_.cause != ha::Cause::kSwitchover) return;
  const auto former = postgres_.machines.find(record_.standby);
  if (former == postgres_.machines.end() || former->second.shutdown_end == 0) return;
  if (!IsPrefix(former->second.wal, machine.wal))
    Violated("I22", "after a clean stop the new primary lacks the end of the old one's WAL");
}

void Judge::OnPrimaryStarts(const NodeId& node) {
  const bool known = !record_.primary.empty();
  if (known && record_.primary != node && record_.standby == node &&
      record_.phase != ha::Phase::kFailover)
    Violated("I7", fmt::format("{} starts as a primary and is none", node.str()));
}

void Judge::BeforeRewind(const NodeId& node, const NodeId& primary) {
  if (loss_accepted_) return;
  const auto theirs = postgres_.machines.find(primary);
  if (theirs == postgres_.machines.end()) return;
  for (const EntryId entry : acknowledged_) {
    if (postgres_.Holds(node, entry) && !postgres_.Holds(primary, entry))
      Violated("I8", fmt::format("a rejoin of {} throws the acknowledged commit {} away",
                                 node.str(), entry));
  }
}

void Judge::OnRead(const NodeId& node) {
  ++reads_;
  const Machine& machine = postgres_.machines.at(node);
  if (!loss_accepted_) RequireAll("I12", node, machine.visible, "at a read");
  for (Position i = 0; i < machine.visible; ++i) {
    const EntryId entry = machine.wal[i];
    if (entry >= is_commit_.size() || !is_commit_[entry] || is_seen_[entry]) continue;
    if (postgres_.leaked.contains(entry)) continue;
    is_seen_[entry] = true;
    seen_.push_back(entry);
  }
}

void Judge::OnMoment() {
  int primaries = 0;
  for (const auto& [node, machine] : postgres_.machines) {
    if (machine.proc != Proc::kReadWrite) continue;
    ++primaries;
    if (node == record_.standby && record_.phase != ha::Phase::kFailover)
      Violated("I7", fmt::format("{} serves as a primary and is none", node.str()));
  }
  if (primaries > 1) Violated("I7", "two primaries run");
  const auto primary = postgres_.machines.find(record_.primary);
  if (!record_.protected_ || primary == postgres_.machines.end()) return;
  const bool serves = primary->second.proc == Proc::kReadWrite;
  if (serves && primary->second.sync_in_force != record_.token)
    Violated("I3",
             fmt::format("{} waits for '{}' while '{}' may be promoted", record_.primary.str(),
                         primary->second.sync_in_force, record_.token));
}

void Judge::OnEnd() {
  if (loss_accepted_) return;
  for (const NodeId& node : {record_.primary, record_.standby}) {
    if (!node.empty()) RequireAll("I2", node, postgres_.machines.at(node).wal.size(), "at the end");
  }
}

}  // namespace howdah::sim
