// The keeper's facts and acts: what is true of the node now, and who carries out what follows from
// it (role.h).
#include <fmt/format.h>

#include "host/node_keeper.h"
#include "host/promise.h"

namespace howdah::host {

namespace {

constexpr Duration kStopLimit = 60s;
// A planned switchover: clients are held for so long at most, and the standby has what it needs.
constexpr Duration kSwitchStopLimit = 10s;
constexpr Duration kCalm = 2s;

// A node that was a standby is not a primary just because its signal file has gone: that goes
// before the new timeline is begun.
bool WasInRecovery(const Result<postgres::ControlData>& control) {
  return control && (control->state == postgres::ClusterState::kInArchiveRecovery ||
                     control->state == postgres::ClusterState::kShutDownInRecovery);
}

bool IsOnItsWayToPrimary(const nodes::Desired& want) {
  return want.role == nodes::Role::kRecruit || want.role == nodes::Role::kPrimary;
}

}  // namespace

Result<Facts> NodeKeeper::Look(const nodes::Desired& want, postgres::Node& node) {
  Facts facts;
  const Result<std::int64_t> promised =
      promised_ ? *promised_ : ReadPromise(needs_.disk, node.paths().root);
  if (!promised && want.power != nodes::Power::kAbsent) return Fail(promised.error());
  promised_ = promised.value_or(0);
  facts.promised = *promised_;
  observed_.epoch = *promised_;
  facts.had_data = observed_.seeded;
  facts.restarts = observed_.restarts;
  facts.revived = observed_.revive;
  TRY(LookForServer(node, facts));
  if (want.power != nodes::Power::kRunning || want.role == nodes::Role::kFenced ||
      want.epoch != facts.promised) {
    return facts;
  }
  TRY(needs_.disk.MakeDirectories(node.paths().root, 0700));
  TRY(needs_.disk.MakeDirectories(node.paths().socket_dir, 0700));
  MeasureStorage(want, node);
  TRY(LookAtDirectory(node, facts));
  if (server_) TRY(LookAtServer(want, node, facts));
  return facts;
}

Result<> NodeKeeper::LookForServer(postgres::Node& node, Facts& facts) {
  const bool lives = server_ && needs_.processes.IsAlive(*server_);
  if (!lives) {
    TRY_ASSIGN(const postgres::Life life, node.Look());
    if (server_ && server_ != life.postmaster) {
      ForgetServer();
      ended_ = !life.postmaster;
    }
    server_ = life.postmaster;
    facts.processes = life.anything;
  }
  if (server_) {
    // Whoever started it: clients wait until its recovery is on the standby (H4).
    if (!adopted_ && server_->pid != observed_.pid) {
      needs_proof_ = true;
      observed_.proven_token.clear();
    }
    ended_ = false;
    facts.processes = true;
    facts.server = Server::kStarting;
    observed_.pid = server_->pid;
    WatchServer(server_);
  }
  facts.ended = ended_;
  return {};
}

Result<> NodeKeeper::LookAtDirectory(postgres::Node& node, Facts& facts) {
  TRY_ASSIGN(const bool rejoining, node.IsRejoining());
  TRY_ASSIGN(const bool initialized, node.IsInitialized());
  TRY_ASSIGN(const bool signal, needs_.disk.Exists(node.paths().StandbySignal()));
  TRY_ASSIGN(restoring_, needs_.disk.Exists(Restorer::OrderFile(node.paths())));
  if (restoring_) {
    facts.directory = Directory::kRestoring;
    return {};
  }
  if (rejoining) {
    facts.directory = Directory::kRejoining;
  } else if (!initialized) {
    facts.directory = Directory::kNone;
  } else if (signal || (!server_ && WasInRecovery(node.ReadControl()))) {
    facts.directory = Directory::kStandby;
  } else {
    facts.directory = Directory::kPrimary;
  }
  if (initialized) observed_.seeded = true;
  return {};
}

Result<> NodeKeeper::LookAtServer(const nodes::Desired& want, postgres::Node& node, Facts& facts) {
  const bool is_recruit = facts.directory == Directory::kStandby && IsOnItsWayToPrimary(want);
  if (is_recruit) {
    TRY_ASSIGN(facts.has_source, node.HasSource());
  }
  TRY_ASSIGN(const bool answers, EnsureAdmin(node));
  if (!answers) return {};
  if (is_recruit || promoting_) return NoteRecovery(want, facts);
  TRY_ASSIGN(seen_, LookInside(want));
  facts.server = seen_->in_recovery ? Server::kRecovery : Server::kReadWrite;
  return {};
}

NodeKeeper::Again NodeKeeper::Do(Act act, const nodes::Desired& want, postgres::Node& node,
                                 const Facts& facts) {
  if (act != Act::kRestore) restorer_.GiveUp();
  switch (act) {
    case Act::kDisobey:
      return Disobey(want);
    case Act::kPromise:
      return Promise(want, node);
    case Act::kRemove:
      return Remove(node);
    case Act::kKill:
      return Kill(node);
    case Act::kStayFenced:
      return StayFenced(node);
    case Act::kStop:
      return Stop(want, node, want.waits_for.empty() ? kStopLimit : kSwitchStopLimit);
    case Act::kStayStopped:
      return StayStopped(node);
    case Act::kStayDown:
      return StayDown(node, facts);
    case Act::kRestart:
      return Stop(want, node, kStopLimit);
    case Act::kRefuse:
      return Refuse(want, facts);
    default:
      return DoOnServer(act, want, node, facts);
  }
}

NodeKeeper::Again NodeKeeper::DoOnServer(Act act, const nodes::Desired& want, postgres::Node& node,
                                         const Facts& facts) {
  switch (act) {
    case Act::kCreate:
    case Act::kCopy:
      TRY(Seed(want, node));
      return std::nullopt;
    case Act::kRestore:
      return Restore(want, node);
    case Act::kAwaitRestore:
      return AwaitRestore(node);
    case Act::kEndRestore:
      return EndRestore(want, node);
    case Act::kRejoin:
      return Rejoin(want, node, facts);
    case Act::kStart:
      return StartInPlace(want, node);
    case Act::kStartAlone:
      return StartAlone(want, node);
    case Act::kAwait:
      return Await(want, node, facts);
    case Act::kLeave:
      return Leave(node);
    case Act::kAwaitReplay:
      return AwaitReplay();
    case Act::kStayRecruited:
      return StayRecruited();
    case Act::kPromote:
      return Promote();
    case Act::kServe:
      return Serve(want, node);
    case Act::kFollow:
      return FollowPrimary(want, node);
    default:
      return Refuse(want, facts);
  }
}

NodeKeeper::Again NodeKeeper::Promise(const nodes::Desired& want, const postgres::Node& node) {
  TRY(WritePromise(needs_.disk, node.paths().root, want.epoch));
  promised_ = want.epoch;
  observed_.epoch = want.epoch;
  observed_.recruited = false;
  return std::nullopt;
}

NodeKeeper::Again NodeKeeper::Disobey(const nodes::Desired& want) {
  const std::string why = fmt::format("has promised epoch {}: a document of epoch {} is not obeyed",
                                      observed_.epoch, want.epoch);
  if (observed_.detail != why) needs_.log.Warning("node {}: {}", id_.str(), why);
  observed_.detail = why;
  return kCalm;
}

NodeKeeper::Again NodeKeeper::Refuse(const nodes::Desired& want, const Facts& facts) {
  Fit(false);
  const std::string_view why = facts.directory == Directory::kNone ? "its data directory is gone"
                               : facts.directory == Directory::kRejoining
                                   ? "a rejoin has left its data directory half done"
                                   : "its data directory is no standby's";
  return Fail(Code::kCorrupt, fmt::format("cannot be {}: {}. Restore it, or delete the DB instance",
                                          nodes::RoleName(want.role), why));
}

}  // namespace howdah::host
