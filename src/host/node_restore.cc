// The keeper's part of a restore: the files of a backup, the recovery from it, and what makes the
// result this instance's own. What is restored carries the roles of the instance that was backed
// up, so the agent comes in without their passwords until it has set its own.
#include "host/node_keeper.h"
#include "host/proof_check.h"
#include "postgres/roles.h"
#include "postgres/scram.h"

namespace howdah::host {

namespace {

constexpr Duration kWatchful = 300ms;
constexpr Duration kCalm = 2s;
constexpr Duration kConnectLimit = 30s;
constexpr Duration kPasswordLimit = 30s;
constexpr Duration kStopLimit = 60s;
constexpr int kStartsBeforeFailed = 3;

}  // namespace

NodeKeeper::Again NodeKeeper::Restore(const nodes::Desired& want, postgres::Node& node) {
  Fit(false);
  if (observed_.proven.done) return kCalm;  // it has served its purpose, and is taken away
  const Result<bool> prepared = restorer_.Prepare(want, node);
  NoteRestore(node);
  TRY_ASSIGN(const bool ready, prepared);
  if (!ready) return kWatchful;
  TRY(Configure(want, node, true));  // `true`: how the recovery ends is not ours to remove
  if (failed_starts_ >= kStartsBeforeFailed) {
    observed_.state = nodes::State::kFailed;
    observed_.detail = "the recovery does not end well: " + node.LastWords();
    Publish();
  }
  TRY_ASSIGN(const std::optional<Duration> again, StartServer(want, node));
  NoteRestore(node);
  return again;
}

NodeKeeper::Again NodeKeeper::AwaitRestore(postgres::Node& node) {
  NoteRestore(node);
  return kWatchful;
}

void NodeKeeper::NoteRestore(postgres::Node& node) {
  if (failed_starts_ < kStartsBeforeFailed) {
    observed_.state = nodes::State::kPreparing;
    observed_.detail = "restoring from a backup";
  }
  observed_.restored = restorer_.Progress(node);
}

// The order to restore stays, so that this is never taken for anybody's data. Cut at any moment,
// all of it is done again.
NodeKeeper::Again NodeKeeper::ProveCopy(postgres::Node& node) {
  observed_.restored.stage = "checks";
  Publish();
  const ProofNeeds needs{.connect =
                             [&](const std::string& database) {
                               return postgres::Connection::Open(node.AdminOptions(database),
                                                                 needs_.clock, kConnectLimit);
                             },
                         .is_called_off = [this] { return stopping_ || IsHurried(); },
                         .disk = needs_.disk};
  proving_ = true;
  nodes::Proven proven;
  Result<> checked = CheckDatabases(needs, proven);
  if (checked) {
    TRY(node.Stop(postgres::StopMode::kFast, kStopLimit));
    ForgetServer();
    if (proven.failure.empty()) checked = CheckPages(needs, node.paths().Data(), proven);
  }
  proving_ = false;
  TRY(std::move(checked));
  proven.done = true;
  observed_.proven = proven;
  observed_.restored.done = true;
  observed_.state = nodes::State::kStopped;
  observed_.detail.clear();
  needs_.log.Info("node {}: the checks of the copy have ended: {}", id_.str(),
                  proven.failure.empty() ? "all is well" : proven.failure);
  return kCalm;
}

// Everything here may be done again: the order to restore goes last.
NodeKeeper::Again NodeKeeper::EndRestore(const nodes::Desired& want, postgres::Node& node) {
  if (want.proof) return ProveCopy(node);
  for (const std::string_view role : {postgres::kAdminUser, postgres::kReplicationUser}) {
    TRY_ASSIGN(const std::string verifier, postgres::MakeScramVerifier(password_, needs_.entropy));
    TRY(postgres::SetPassword(*admin_, role, verifier, kPasswordLimit));
  }
  if (!want.bootstrap.master_verifier.empty()) {
    TRY(postgres::SetPassword(*admin_, want.bootstrap.master_user, want.bootstrap.master_verifier,
                              kPasswordLimit));
  }
  observed_.bootstrap_stamp = want.bootstrap.stamp;
  TRY(node.Stop(postgres::StopMode::kFast, kStopLimit));
  ForgetServer();
  TRY(restorer_.Forget(node));
  observed_.restored.done = true;
  observed_.restored.done_bytes = observed_.restored.total_bytes;
  observed_.seeded = true;
  needs_.log.Info("node {}: restored from a backup of {}", id_.str(), want.restore.source.str());
  return std::nullopt;
}

}  // namespace howdah::host
