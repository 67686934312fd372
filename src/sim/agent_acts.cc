// What an agent of the simulation does on the model of PostgreSQL: one function an act.
#include <fmt/format.h>

#include <algorithm>

#include "sim/agent.h"

namespace howdah::sim {

namespace {

using host::Act;
using nodes::State;

constexpr Duration kPoll = 5ms;
constexpr Duration kQuick = 50ms;
constexpr Duration kWatchful = 300ms;
constexpr Duration kCalm = 2s;

}  // namespace

void Agent::Start(const nodes::Desired& want, bool alone) {
  Machine& it = machine();
  if (!Fit(false)) return;
  if (it.orphans) needs_.postgres.End(id_);  // what was left behind would keep it from starting
  copied_anew_ = false;
  if (alone) {
    it.standby_signal = true;
    it.has_source = false;
    observed_.connects_as.clear();
  } else if (want.role == nodes::Role::kStandby) {
    it.standby_signal = needs_.mutant != Mutant::kLosesTheSignalFile;
    if (!it.standby_signal) it.was_in_recovery = false;
    it.has_source = true;
    it.source = want.primary;
    it.source_name = want.token;
    observed_.connects_as = want.token;
  } else {
    it.standby_signal = false;
    const bool asked = !ended_ || want.waits_for.empty() || want.revive > observed_.revive;
    if (!asked) needs_.violated("H4", "an agent brought a primary back by itself");
  }
  ForgetServer();
  observed_.state = State::kStarting;
  observed_.shutdown_lsn = 0;
  needs_proof_ = want.role == nodes::Role::kPrimary && !want.waits_for.empty();
  needs_.postgres.Start(id_, now_);
  server_ = it.incarnation;
  ++observed_.starts;
  observed_.pid = it.incarnation;
  observed_.restarts = want.restarts;
  observed_.revive = std::max(observed_.revive, want.revive);
  it.epoch_of_reign = want.epoch;
}

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

// What took its time is done now, if it still can be.
void Agent::FinishTask() {
  Machine& it = machine();
  switch (std::exchange(task_, Task::kNone)) {
    case Task::kRejoin:
      needs_.before_overwriting(id_, "a rejoin");
      if (needs_.postgres.Rewind(id_, task_peer_)) it.rejoining = it.torn = false;
      observed_.rejoined = "pg_rewind";
      break;
    case Task::kCopy:
      needs_.before_overwriting(id_, "a copy");
      copied_anew_ = true;
      if (!needs_.postgres.Copy(id_, task_peer_)) break;
      observed_.seeded = true;
      break;
    case Task::kStop:
      if (!task_peer_.empty() && needs_.postgres.IsPrimary(task_peer_))
        needs_.violated("I14", "a standby is stopped before its primary");
      needs_.postgres.StopFast(id_);
      break;
    case Task::kNone:
      break;
  }
}

void Agent::Do(Act act, const nodes::Desired& want, const host::Facts& facts) {
  Machine& it = machine();
  if (act != Act::kServe && act != Act::kFollow && act != Act::kAwait && act != Act::kStayFenced &&
      act != Act::kStayRecruited && act != Act::kStayStopped && act != Act::kAwaitReplay &&
      act != Act::kStayDown)
    needs_.trace(fmt::format("{} epoch {} {}: {}", id_.str(), want.epoch,
                             nodes::RoleName(want.role), ActName(act)));
  switch (act) {
    case Act::kDisobey:
      observed_.detail = "a document of an older epoch is not obeyed";
      next_ = now_ + kQuick;
      break;
    case Act::kPromise:
      if (needs_.mutant == Mutant::kPromiseNotWritten)
        promised_in_memory_ = want.epoch;
      else
        it.promised = want.epoch;
      observed_.epoch = want.epoch;
      observed_.recruited = false;
      break;
    case Act::kRemove:
      if (!Fit(false)) break;
      needs_.before_overwriting(id_, "the removal");
      ForgetServer();
      needs_.postgres.End(id_);
      it = Machine{.incarnation = it.incarnation};
      observed_ = {.state = State::kAbsent};
      break;
    case Act::kKill:
      ForgetServer();
      needs_.postgres.End(id_);
      break;
    case Act::kStayFenced:
      ForgetServer();
      observed_.state = State::kFenced;
      observed_.detail.clear();
      observed_.shutdown_lsn = static_cast<std::int64_t>(it.shutdown_end);
      Publish();
      Fit(false);
      next_ = std::max(next_, now_ + kQuick);
      break;
    case Act::kStop:
    case Act::kRestart:
      if (!Fit(false)) break;
      ForgetServer();
      task_ = Task::kStop;
      // Of a pair that is stopped, the standby goes last.
      task_peer_ =
          act == Act::kStop && want.role == nodes::Role::kStandby ? want.primary : NodeId();
      // A frozen one is killed when the patience with it ends.
      next_ =
          std::max(next_, now_ + (it.frozen ? Duration(3s) : needs_.random.Between(5ms, 300ms)));
      break;
    case Act::kStayStopped:
      ForgetServer();
      observed_.state = State::kStopped;
      observed_.detail.clear();
      observed_.shutdown_lsn = static_cast<std::int64_t>(it.shutdown_end);
      Publish();
      Fit(false);
      next_ = std::max(next_, now_ + kQuick);
      break;
    case Act::kCreate:
      needs_.before_overwriting(id_, "initdb");
      it.initialized = true;
      it.standby_signal = it.was_in_recovery = false;
      observed_.state = State::kPreparing;
      break;
    case Act::kCopy:
    case Act::kRejoin:
      task_ = act == Act::kCopy ? Task::kCopy : Task::kRejoin;
      task_peer_ = want.primary;
      observed_.state = State::kPreparing;
      observed_.detail = "bringing the copy in line";
      if (act == Act::kRejoin) it.rejoining = it.torn = true;
      if (act == Act::kRejoin && needs_.mutant == Mutant::kStartsHalfMade) {
        it.rejoining = false;
        it.standby_signal = it.was_in_recovery = true;
      }
      if (act == Act::kRejoin && needs_.mutant == Mutant::kRejoinsWithoutRewind) {
        it.rejoining = it.torn = false;
        it.standby_signal = it.was_in_recovery = true;
        task_ = Task::kNone;
      }
      next_ = now_ + needs_.random.Between(needs_.postgres.pace.rewind_low,
                                           needs_.postgres.pace.rewind_high);
      break;
    case Act::kStart:
      Start(want, false);
      break;
    case Act::kStartAlone:
      Start(want, true);
      break;
    case Act::kAwait:
      if (facts.server == host::Server::kStarting && !answered_) {
        observed_.state = State::kStarting;
        observed_.detail = "the server is starting";
      }
      next_ = std::max(next_, now_ + (facts.promoting ? kPoll : kQuick));
      break;
    case Act::kStayDown:
      observed_.state = State::kDown;
      observed_.detail = "the server ended";
      observed_.shutdown_lsn = static_cast<std::int64_t>(it.shutdown_end);
      Publish();
      Fit(false);
      next_ = std::max(next_, now_ + kQuick);
      break;
    case Act::kLeave:
      it.has_source = false;
      observed_.connects_as.clear();
      observed_.state = State::kRunning;
      break;
    case Act::kAwaitReplay:
      observed_.state = State::kRunning;
      break;
    case Act::kStayRecruited:
      observed_.state = State::kRunning;
      observed_.detail.clear();
      observed_.recruited = true;
      if (needs_.mutant == Mutant::kOpensTheRecruit) Fit(true);
      next_ = std::max(next_, now_ + kQuick);
      break;
    case Act::kPromote:
      needs_.postgres.AskToPromote(id_, now_);
      promoting_ = true;
      it.epoch_of_reign = want.epoch;
      observed_.state = State::kRunning;
      break;
    case Act::kServe:
      Serve(want);
      break;
    case Act::kFollow:
      Follow(want);
      break;
    case Act::kRefuse:
      Fit(false);
      observed_.state = State::kFailed;
      observed_.detail = "cannot be what it should be";
      next_ = std::max(next_, now_ + kWatchful);
      break;
  }
}

}  // namespace howdah::sim
