#include "sim/agent.h"

#include <fmt/format.h>

#include <algorithm>

namespace howdah::sim {

namespace {

using host::Act;
using nodes::State;

constexpr Duration kPoll = 5ms;
constexpr Duration kQuick = 50ms;
constexpr Duration kWatchful = 300ms;
constexpr Duration kCalm = 2s;

}  // namespace

Agent::Agent(NodeId id, const AgentNeeds& needs) : id_(std::move(id)), needs_(needs) {
  if (const auto stored = needs.store.Get(nodes::ObservedKey(id_))) {
    observed_ = *nodes::ParseObserved(stored->value);
  }
  published_ = observed_;
}

void Agent::GiveOldDocument(MonotonicTime now) {
  if (!old_) return;
  want_ = old_;
  is_old_ = true;
  next_ = now;
}

// First it reads, a moment later it acts on what it has read.
void Agent::Pass(MonotonicTime now) {
  if (now < next_) return;
  now_ = now;
  if (task_ != Task::kNone) FinishTask();
  if (!want_) {
    const Result<store::Document> document = needs_.store.Get(nodes::DesiredKey(id_));
    if (!document) {
      finished_ = document.error().code() == Code::kNotFound;
      next_ = now + kQuick;
      return;
    }
    if (document->revision != parsed_revision_) {
      nodes::Desired next = *nodes::ParseDesired(document->value);
      if (parsed_revision_ != 0 && parsed_.epoch < next.epoch) old_ = parsed_;
      parsed_ = std::move(next);
      parsed_revision_ = document->revision;
    }
    want_ = parsed_;
    next_ = now + (needs_.random.Chance(0.02) ? needs_.random.Between(10ms, 300ms)
                                              : needs_.random.Between(0ms, 5ms));
    return;
  }
  const nodes::Desired want = *std::exchange(want_, std::nullopt);
  if (!is_old_ && want.power == nodes::Power::kAbsent && observed_.state == State::kAbsent) {
    next_ = now + kQuick;
    return;
  }
  next_ = now + kPoll;
  const host::Facts facts = Look(want, now);
  const Act act = Decide(want, facts);
  Do(act, want, facts);
  is_old_ = false;
  adopted_ = true;
  FeelPulse(want, now);
  Publish();
}

host::Facts Agent::Look(const nodes::Desired& want, MonotonicTime) {
  Machine& it = machine();
  host::Facts facts;
  facts.promised = it.promised;
  observed_.epoch = it.promised;
  facts.had_data = observed_.seeded;
  facts.restarts = observed_.restarts;
  facts.revived = observed_.revive;
  const bool lives = it.proc != Proc::kNone;
  if (server_ && (!lives || *server_ != it.incarnation)) {
    ForgetServer();
    ended_ = !lives;
  }
  if (lives) {
    server_ = it.incarnation;
    if (!adopted_ && observed_.pid != it.incarnation) {
      needs_proof_ = true;
      observed_.proven_token.clear();
    }
    ended_ = false;
    facts.processes = true;
    observed_.pid = it.incarnation;
    facts.server = host::Server::kStarting;
  }
  facts.ended = ended_;
  if (want.power != nodes::Power::kRunning || want.role == nodes::Role::kFenced) return facts;
  using host::Directory;
  facts.directory = it.rejoining                                          ? Directory::kRejoining
                    : !it.initialized                                     ? Directory::kNone
                    : it.standby_signal || (!lives && it.was_in_recovery) ? Directory::kStandby
                                                                          : Directory::kPrimary;
  if (it.initialized) observed_.seeded = true;
  facts.has_source = it.has_source;
  facts.promoting = promoting_;
  if (!lives || !needs_.postgres.Answers(it)) return facts;
  answered_ = true;
  facts.server = it.proc == Proc::kRecovery ? host::Server::kRecovery : host::Server::kReadWrite;
  facts.receives = it.stream.has_value();
  facts.replayed_all = it.visible == it.wal.size();
  if (it.proc == Proc::kRecovery) {
    observed_.in_recovery = true;
    observed_.received_lsn = static_cast<std::int64_t>(it.wal.size());
    observed_.replayed_lsn = static_cast<std::int64_t>(it.visible);
  }
  return facts;
}

Act Agent::Decide(const nodes::Desired& want, host::Facts facts) const {
  if (needs_.mutant == Mutant::kPromiseForgotten) facts.promised = want.epoch;
  if (needs_.mutant == Mutant::kStartsInPlace) facts.ended = false;
  const Act act = NextAct(want, facts);
  if (needs_.mutant == Mutant::kFencesInName && act == Act::kKill &&
      want.role == nodes::Role::kFenced)
    return Act::kStayFenced;
  if (needs_.mutant == Mutant::kLeavesTheReceiver && act == Act::kLeave)
    return want.role == nodes::Role::kRecruit ? Act::kStayRecruited : Act::kPromote;
  return act;
}

void Agent::ForgetServer() {
  server_.reset();
  ended_ = answered_ = promoting_ = false;
  probe_.reset();
  checkpoint_at_.reset();
  silent_pulse_.reset();
  observed_.pid = 0;
  observed_.in_recovery = false;
  observed_.recruited = false;
  observed_.streaming_token.clear();
  observed_.silent_ms = 0;
  observed_.proven_token.clear();
  observed_.effective_token.clear();
  observed_.unresponsive.clear();
  observed_.unresponsive_ms = 0;
}

// True when it is in force; nothing that rests on it goes on before.
bool Agent::Fit(bool fit) {
  if (fit_ != fit || !adopted_) {
    fit_ = fit;
    fit_at_ = needs_.set_fit(id_, fit);
  }
  if (!fit) next_ = std::max(next_, fit_at_);
  return now_ >= fit_at_;
}

void Agent::Publish() {
  if (observed_ == published_) return;
  const Result<store::Revision> committed =
      needs_.store.Commit({.compares = {},
                           .puts = {{nodes::ObservedKey(id_), nodes::Format(observed_), ""}},
                           .deletes = {}});
  if (committed) published_ = observed_;
}

void Agent::Start(const nodes::Desired& want, bool alone) {
  Machine& it = machine();
  if (!Fit(false)) return;
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
  const std::string streaming = needs_.postgres.StreamingFrom(id_, want.waits_for, now_);
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
    needs_.postgres.SetSync(id_, want.waits_for);
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
  if (!follows || !machine().frozen) {
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
      if (needs_.before_rewind) needs_.before_rewind(id_, task_peer_);
      if (needs_.postgres.Rewind(id_, task_peer_)) it.rejoining = false;
      observed_.rejoined = "pg_rewind";
      break;
    case Task::kCopy:
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
      it.promised = want.epoch;
      observed_.epoch = want.epoch;
      observed_.recruited = false;
      break;
    case Act::kRemove:
      if (!Fit(false)) break;
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
      if (act == Act::kRejoin) it.rejoining = true;
      if (act == Act::kRejoin && needs_.mutant == Mutant::kRejoinsWithoutRewind) {
        it.rejoining = false;
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
