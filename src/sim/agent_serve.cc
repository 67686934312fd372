// What an agent of the simulation does for a server that runs as it should: the names that it waits
// for, the proof, the pulse.
#include <fmt/format.h>

#include <algorithm>

#include "sim/agent.h"

namespace howdah::sim {

namespace {

using nodes::State;

constexpr Duration kQuick = 50ms;
constexpr Duration kWatchful = 300ms;
constexpr Duration kCalm = 2s;

}  // namespace

void Agent::LookInside(const nodes::Desired& want) {
  Machine& it = machine();
  observed_.in_recovery = it.proc == Proc::kRecovery;
  observed_.effective_token = it.sync_in_force;
  if (needs_.mutant == Mutant::kSaysWaitsAndDoesNot) observed_.effective_token = want.waits_for;
  observed_.timeline = it.timeline;
  std::string streaming = needs_.postgres.StreamingFrom(id_, want.waits_for, now_);
  const auto peer = std::ranges::find_if(needs_.postgres.machines, [&](const auto& other) {
    return !want.waits_for.empty() && other.second.disk_full &&
           other.second.source_name == want.waits_for;
  });
  if (needs_.mutant == Mutant::kWaitsForTheFull && peer != needs_.postgres.machines.end())
    streaming = want.waits_for;
  if (streaming != observed_.streaming_token) {
    observed_.streaming_token = streaming;
    observed_.silent_ms = 0;
  }
}

// A commit made after the name was in force, and confirmed by exactly that standby.
void Agent::Prove(const nodes::Desired& want) {
  Machine& it = machine();
  if (want.waits_for.empty()) {
    observed_.proven_token.clear();
    probe_.reset();
    return;
  }
  if (observed_.proven_token == want.waits_for || observed_.streaming_token != want.waits_for)
    return;
  if (!probe_) {
    if (needs_.postgres.Commit(id_, -1) != 0) probe_ = it.wal.size();
    return;
  }
  if (needs_.postgres.ConfirmedUnder(id_, want.waits_for) < *probe_ || it.visible < *probe_) return;
  observed_.proven_token = want.waits_for;
  probe_.reset();
}

void Agent::Serve(const nodes::Desired& want) {
  Machine& it = machine();
  if (promoting_) {
    promoting_ = false;
    observed_.recruited = false;
    observed_.received_lsn = observed_.replayed_lsn = 0;
    needs_proof_ = !want.waits_for.empty();
    observed_.bootstrap_stamp = want.bootstrap.stamp;
  }
  it.epoch_of_reign = want.epoch;
  LookInside(want);
  if (!adopted_ && observed_.proven_token != want.waits_for) needs_proof_ = true;
  observed_.bootstrap_stamp = want.bootstrap.stamp;
  if (observed_.effective_token != want.waits_for) {
    needs_.trace(fmt::format("{} waits for '{}'", id_.str(), want.waits_for));
    if (!needs_.postgres.SetSync(id_, want.waits_for)) return;
    observed_.effective_token = want.waits_for;
    probe_.reset();
    if (observed_.proven_token != want.waits_for) observed_.proven_token.clear();
  }
  Prove(want);
  if (want.checkpoint > observed_.checkpoint && !checkpoint_at_)
    checkpoint_at_ = now_ + needs_.random.Between(5ms, 200ms);
  if (checkpoint_at_ && now_ >= *checkpoint_at_) {
    observed_.checkpoint = std::max(observed_.checkpoint, want.checkpoint);
    checkpoint_at_.reset();
  }
  observed_.state = State::kRunning;
  observed_.detail.clear();
  observed_.settings_hash = nodes::HashOf(want.settings);
  if (want.waits_for.empty() || observed_.proven_token == want.waits_for) needs_proof_ = false;
  Fit(!needs_proof_ || needs_.mutant == Mutant::kOpensUnproven);
  const bool unproven = !want.waits_for.empty() && observed_.proven_token != want.waits_for;
  next_ = std::max(next_, now_ + (unproven || checkpoint_at_ ? kQuick
                                  : !want.token.empty()      ? kWatchful
                                                             : kCalm));
}

void Agent::Follow(const nodes::Desired& want) {
  Machine& it = machine();
  Fit(false);
  const bool keeps = needs_.mutant == Mutant::kKeepsAnOldIdentity && !it.source_name.empty();
  if (!keeps || it.source != want.primary) {
    it.has_source = true;
    it.source = want.primary;
    it.source_name = want.token;
  }
  observed_.connects_as = want.token;
  LookInside(want);
  observed_.recruited = false;
  observed_.state = State::kRunning;
  observed_.detail.clear();
  observed_.settings_hash = nodes::HashOf(want.settings);
  if (it.stream) observed_.received_lsn = observed_.replayed_lsn = 0;
  // A history that is not its primary's: it is brought in line (a restart finds out).
  const auto primary = needs_.postgres.machines.find(want.primary);
  const bool diverged = !it.stream && primary != needs_.postgres.machines.end() &&
                        primary->second.proc == Proc::kReadWrite &&
                        !IsPrefix(it.wal, primary->second.wal);
  if (diverged && needs_.mutant != Mutant::kRejoinsWithoutRewind) {
    needs_.postgres.End(id_);
    ForgetServer();
    it.rejoining = true;
  }
  next_ = std::max(next_, now_ + kWatchful);
}

void Agent::FeelPulse(const nodes::Desired& want, MonotonicTime now) {
  const bool follows = want.role == nodes::Role::kPrimary && !want.waits_for.empty() &&
                       observed_.state == State::kRunning;
  if (!follows || (!machine().frozen && !machine().deaf)) {
    silent_pulse_.reset();
    observed_.unresponsive.clear();
    observed_.unresponsive_ms = 0;
    return;
  }
  if (!silent_pulse_) silent_pulse_ = now;
  const Duration silent = now - *silent_pulse_;
  if (silent < 1s || !observed_.unresponsive.empty()) return;
  observed_.unresponsive = "a new connection: no answer";
  observed_.unresponsive_ms = std::chrono::duration_cast<std::chrono::milliseconds>(silent).count();
}

}  // namespace howdah::sim
