#include "sim/judge.h"

#include <fmt/format.h>

#include <algorithm>

namespace howdah::sim {

namespace {

// RDS's sentences and ours (fleet), as far as a change of roles must be told by one.
constexpr const char* kStarted = "Multi-AZ instance failover started.";
constexpr const char* kCompleted = "Multi-AZ instance failover completed";
constexpr const char* kAlone =
    "The standby is lost. The DB instance goes on alone and cannot fail over until the standby is "
    "back";

bool NobodyAsked(ha::Cause cause) {
  return cause == ha::Cause::kPrimaryDown || cause == ha::Cause::kPrimaryUnresponsive ||
         cause == ha::Cause::kPrimaryFailed;
}

}  // namespace

void Judge::Violated(const std::string& invariant, const std::string& what) {
  if (violation_.empty()) violation_ = invariant + ": " + what;
}

// What the record says is looked up in the servers themselves.
void Judge::RequireTruth(const ha::Record& before, const ha::Record& after) {
  const auto primary = postgres_.machines.find(after.primary);
  const auto standby = postgres_.machines.find(after.standby);
  if (primary == postgres_.machines.end() || standby == postgres_.machines.end()) return;
  if (after.phase == ha::Phase::kPromoting && before.phase == ha::Phase::kFailover) {
    if (Postgres::Runs(standby->second) || standby->second.promised < after.epoch)
      Violated("I7", "the record lets promote while the former primary is not fenced");
    const Machine& recruit = primary->second;
    if (recruit.has_source || recruit.stream || recruit.promised < after.epoch)
      Violated("I17", "the record lets promote one that is not recruited");
  }
  if (after.protected_ && !before.protected_ && !loss_accepted_)
    RequireAll("I2", after.standby, standby->second.wal.size(), "when it may be promoted");
}

void Judge::RequireEntitled(const ha::Record& before, const ha::Record& after) {
  const bool accepted = after.cause == ha::Cause::kDataLossAccepted;
  const bool turned_back =
      before.phase == ha::Phase::kFailover && after.cause == ha::Cause::kTurnedBack;
  if (after.epoch != before.epoch + 1) Violated("I5", "an epoch is not one more than the last");
  if (!before.protected_ && !accepted && !turned_back)
    Violated("I20", fmt::format("roles changed from {} by themselves", PhaseName(before.phase)));
}

std::size_t Judge::FailoversWithin(Duration window, MonotonicTime now) const {
  return static_cast<std::size_t>(std::ranges::count_if(
      failovers_, [&](const MonotonicTime& time) { return now - time < window; }));
}

bool Judge::MayFailOver(MonotonicTime now) const {
  const ha::Policy policy;
  return FailoversWithin(policy.window, now) < policy.failovers_in_window;
}

// I19: counted here, whatever the record remembers of it.
void Judge::RequirePatience(const ha::Record& after, MonotonicTime now) {
  if (!NobodyAsked(after.cause)) return;
  const bool held = FailoversWithin(ha::Policy().hold_down, now) > 0;
  if (after.cause == ha::Cause::kPrimaryUnresponsive && held)
    Violated("I19", "a failover from one that only does not answer, shortly after another");
  if (after.cause != ha::Cause::kPrimaryFailed && !MayFailOver(now))
    Violated("I19",
             fmt::format("{} failovers within a short time, and one more", failovers_.size()));
  failovers_.push_back(now);
}

void Judge::ExpectEvents(const ha::Record& before, const ha::Record& after) {
  using enum ha::Phase;
  if (after.phase == before.phase) return;
  const bool turned_back = after.epoch != before.epoch && after.phase == kDegraded;
  if (after.phase == kFailover) ++to_be_told_[kStarted];
  if (after.phase == kRejoin) ++to_be_told_[kCompleted];
  if (after.phase == kDegraded && before.phase != kHalted && !turned_back) ++to_be_told_[kAlone];
  if (!ha::IsChangingRoles(before) && ha::IsChangingRoles(after)) ++role_changes_;
  if (after.phase == kRejoin) ++completed_;
}

void Judge::OnRecord(const ha::Record& before, const ha::Record& after, MonotonicTime now) {
  record_ = after;
  if (!after.token.empty()) {
    const bool is_new = tokens_.insert(after.token).second;
    const bool met_again = before.phase == ha::Phase::kDegraded &&
                           after.phase == ha::Phase::kCatchup && before.epoch == after.epoch;
    if (!is_new && (before.token != after.token || met_again || before.epoch != after.epoch))
      Violated("I9", "an identity was given twice");
  }
  if (before.primary.empty()) return;
  ExpectEvents(before, after);
  RequireTruth(before, after);
  if (after.epoch == before.epoch) {
    if (after.primary != before.primary) Violated("I5", "roles changed without a new epoch");
    return;
  }
  if (after.cause == ha::Cause::kDataLossAccepted) loss_accepted_ = true;
  RequireEntitled(before, after);
  RequirePatience(after, now);
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

// I19, I20: each change of roles has one pair of events, a reason and an end; and who goes on alone
// says so.
void Judge::OnTold(const std::vector<std::string>& events,
                   const std::vector<fleet::RoleChange>& journal) {
  for (const char* sentence : {kStarted, kCompleted, kAlone}) {
    const auto told = static_cast<int>(std::ranges::count(events, sentence));
    if (told != to_be_told_[sentence])
      Violated(sentence == kAlone ? "I20" : "I19",
               fmt::format("'{}' was told {} times and true {} times", sentence, told,
                           to_be_told_[sentence]));
  }
  const auto completed = static_cast<std::size_t>(
      std::ranges::count(journal, std::string("completed"), &fleet::RoleChange::outcome));
  if (journal.size() != role_changes_ || completed != completed_)
    Violated("I19", fmt::format("{} changes of roles, {} completed; the journal has {} and {}",
                                role_changes_, completed_, journal.size(), completed));
  for (const fleet::RoleChange& change : journal) {
    const bool has_evidence = !change.steps.empty() && !change.steps.front().reason.empty();
    if (change.cause.empty() || change.outcome.empty() || !has_evidence)
      Violated("I19", "a change of roles without a reason: " + Format(change));
  }
}

}  // namespace howdah::sim
