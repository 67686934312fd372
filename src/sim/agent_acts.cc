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
    if (!asked) needs_.violated("I11", "an agent brought a primary back by itself");
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

void Agent::StayEnded(State state, const std::string& detail) {
  observed_.state = state;
  observed_.detail = detail;
  observed_.shutdown_lsn = static_cast<std::int64_t>(machine().shutdown_end);
  Publish();
  Fit(false);
  next_ = std::max(next_, now_ + kQuick);
}

void Agent::Do(Act act, const nodes::Desired& want, const host::Facts& facts) {
  Machine& it = machine();
  if (act != Act::kServe && act != Act::kFollow && act != Act::kAwait && act != Act::kStayFenced &&
      act != Act::kStayRecruited && act != Act::kStayStopped && act != Act::kAwaitReplay &&
      act != Act::kStayDown)
    needs_.trace(fmt::format("{} epoch {} {}: {}", id_.str(), want.epoch,
                             nodes::RoleName(want.role), ActName(act)));
  if (DoToServer(act, want) || DoToDirectory(act, want)) return;
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
    case Act::kStayFenced:
      ForgetServer();
      StayEnded(State::kFenced, "");
      break;
    case Act::kStayStopped:
      ForgetServer();
      StayEnded(State::kStopped, "");
      break;
    case Act::kAwait:
      if (facts.server == host::Server::kStarting && !answered_) {
        observed_.state = State::kStarting;
        observed_.detail = "the server is starting";
      }
      next_ = std::max(next_, now_ + (facts.promoting ? kPoll : kQuick));
      break;
    case Act::kStayDown:
      StayEnded(State::kDown, "the server ended");
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
    case Act::kRefuse:
      Fit(false);
      observed_.state = State::kFailed;
      observed_.detail = "cannot be what it should be";
      next_ = std::max(next_, now_ + kWatchful);
      break;
    default:
      break;
  }
}

bool Agent::DoToServer(Act act, const nodes::Desired& want) {
  Machine& it = machine();
  switch (act) {
    case Act::kKill:
      ForgetServer();
      needs_.postgres.End(id_);
      return true;
    case Act::kStop:
    case Act::kRestart:
      if (!Fit(false)) return true;
      ForgetServer();
      task_ = Task::kStop;
      // Of a pair that is stopped, the standby goes last.
      task_peer_ =
          act == Act::kStop && want.role == nodes::Role::kStandby ? want.primary : NodeId();
      // A frozen one is killed when the patience with it ends.
      next_ =
          std::max(next_, now_ + (it.frozen ? Duration(3s) : needs_.random.Between(5ms, 300ms)));
      return true;
    case Act::kStart:
      Start(want, false);
      return true;
    case Act::kStartAlone:
      Start(want, true);
      return true;
    case Act::kLeave:
      it.has_source = false;
      observed_.connects_as.clear();
      observed_.state = State::kRunning;
      return true;
    case Act::kPromote:
      needs_.postgres.AskToPromote(id_, now_);
      promoting_ = true;
      it.epoch_of_reign = want.epoch;
      observed_.state = State::kRunning;
      return true;
    case Act::kServe:
      Serve(want);
      return true;
    case Act::kFollow:
      Follow(want);
      return true;
    default:
      return false;
  }
}

bool Agent::DoToDirectory(Act act, const nodes::Desired& want) {
  Machine& it = machine();
  switch (act) {
    case Act::kRemove:
      if (!Fit(false)) return true;
      needs_.before_overwriting(id_, "the removal");
      ForgetServer();
      needs_.postgres.End(id_);
      it = Machine{.incarnation = it.incarnation};
      observed_ = {.state = State::kAbsent};
      return true;
    case Act::kCreate:
      needs_.before_overwriting(id_, "initdb");
      it.initialized = true;
      it.standby_signal = it.was_in_recovery = false;
      observed_.state = State::kPreparing;
      return true;
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
      return true;
    default:
      return false;
  }
}

}  // namespace howdah::sim
