#include "sim/agent.h"

#include <fmt/format.h>

#include <algorithm>

namespace howdah::sim {

namespace {

using host::Act;
using nodes::State;

constexpr Duration kPoll = 5ms;
constexpr Duration kQuick = 50ms;

}  // namespace

Agent::Agent(NodeId id, const AgentNeeds& needs) : id_(std::move(id)), needs_(needs) {
  if (const auto stored = needs.store.Get(nodes::ObservedKey(id_))) {
    observed_ = *nodes::ParseObserved(stored->value);
  }
  published_ = observed_;
}

void Agent::GiveOldDocument(const nodes::Desired& old, MonotonicTime now) {
  want_ = old;
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
      if (!finished_ && needs_.mutant == Mutant::kDemotesWithoutStore) needs_.postgres.End(id_);
      return;
    }
    if (document->revision != parsed_revision_) {
      parsed_ = *nodes::ParseDesired(document->value);
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
  CheckAct(act, want, facts);
  Do(act, want, facts);
  is_old_ = false;
  adopted_ = true;
  FeelPulse(want, now);
  Publish();
}

host::Facts Agent::Look(const nodes::Desired& want, MonotonicTime) {
  Machine& it = machine();
  host::Facts facts;
  facts.promised = std::max(it.promised, promised_in_memory_);
  observed_.epoch = facts.promised;
  facts.had_data = observed_.seeded;
  facts.restarts = observed_.restarts;
  facts.revived = observed_.revive;
  const bool lives = it.proc != Proc::kNone;
  facts.processes = Postgres::Runs(it);
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
  // Without a connection from before, one whose postmaster is frozen does not answer.
  if (!lives || !needs_.postgres.Answers(it) || (it.deaf && !answered_)) return facts;
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
  if (needs_.mutant == Mutant::kPromiseForgotten)
    facts.promised = std::min(facts.promised, want.epoch);
  if (needs_.mutant == Mutant::kStartsInPlace) facts.ended = false;
  const Act act = NextAct(want, facts);
  const bool starts_standby = act == Act::kStart && want.role == nodes::Role::kStandby;
  if (needs_.mutant == Mutant::kCopiesAnew && starts_standby && !copied_anew_) return Act::kCopy;
  if (needs_.mutant == Mutant::kEndsWhatItFinds && !adopted_ && facts.processes) return Act::kKill;
  if (needs_.mutant == Mutant::kFencesInName && act == Act::kKill &&
      want.role == nodes::Role::kFenced)
    return Act::kStayFenced;
  if (needs_.mutant == Mutant::kLeavesTheReceiver && act == Act::kLeave)
    return want.role == nodes::Role::kRecruit ? Act::kStayRecruited : Act::kPromote;
  return act;
}

// I6: nothing is done for an older document, whatever this life of the agent remembers. I15: what
// is as it should be is left alone, whoever started it.
void Agent::CheckAct(Act act, const nodes::Desired& want, const host::Facts& facts) {
  if (want.epoch < machine().told && act != Act::kDisobey)
    needs_.violated("I6", fmt::format("{} obeys epoch {} after it has promised {}", id_.str(),
                                      want.epoch, machine().told));
  const bool ends = act == Act::kKill || act == Act::kStop || act == Act::kRestart;
  const bool is_not_its_role =
      want.role == nodes::Role::kStandby &&
      (facts.directory != host::Directory::kStandby || facts.server == host::Server::kReadWrite);
  const bool asked = want.role == nodes::Role::kFenced || want.power != nodes::Power::kRunning ||
                     want.restarts > facts.restarts || is_not_its_role;
  if (ends && facts.processes && !asked)
    needs_.violated(
        "I15", fmt::format("the agent of {} ends a server that is what it should be", id_.str()));
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
  if (observed_.epoch > machine().promised)
    needs_.violated("I6", fmt::format("{} reports a promise that is not on its disk", id_.str()));
  const Result<store::Revision> committed =
      needs_.store.Commit({.compares = {},
                           .puts = {{nodes::ObservedKey(id_), nodes::Format(observed_), ""}},
                           .deletes = {}});
  if (!committed) return;
  published_ = observed_;
  machine().told = std::max(machine().told, observed_.epoch);
}

}  // namespace howdah::sim
