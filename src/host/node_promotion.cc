// The keeper's part of a failover on the standby's side: it lets go of its primary, replays what it
// has, is promoted, and serves. No step waits for a tick: polls are a few milliseconds apart, and
// each step is reported when it is true.
#include <fmt/format.h>

#include <algorithm>

#include "host/node_keeper.h"

namespace howdah::host {

namespace {

constexpr Duration kAdminLimit = 1s;
constexpr Duration kPoll = 5ms;
constexpr Duration kWatchful = 300ms;
// A replay that has not moved for so long, with WAL left, stands at WAL that cannot be replayed.
constexpr Duration kReplayStands = 2s;

}  // namespace

Result<> NodeKeeper::NoteRecovery(const nodes::Desired& want, Facts& facts) {
  const Result<postgres::Recovery> recovery = postgres::ReadRecovery(*admin_, kAdminLimit);
  if (!recovery) {
    admin_.reset();
    return Fail(recovery.error());
  }
  const MonotonicTime now = needs_.clock.Monotonic();
  const bool stands = recovery->replayed == replayed_;
  if (!stands) replay_moved_ = now;
  replayed_ = recovery->replayed;
  facts.server = recovery->in_recovery ? Server::kRecovery : Server::kReadWrite;
  facts.promoting = promoting_;
  facts.receives = recovery->receives;
  facts.replayed_all = recovery->replayed >= recovery->received ||
                       (stands && recovery->waits_for_wal) ||
                       (stands && now - replay_moved_ >= kReplayStands);
  observed_.in_recovery = recovery->in_recovery;
  // Without a WAL receiver a standby remembers its timeline only as of its last restart point.
  observed_.timeline =
      std::max<std::int64_t>(observed_.timeline, postgres::ToNumber(recovery->timeline));
  if (recovery->in_recovery) {
    observed_.received_lsn = static_cast<std::int64_t>(recovery->received.value());
    observed_.replayed_lsn = static_cast<std::int64_t>(recovery->replayed.value());
  }
  if (!want.primary.empty() && want.primary != id_) peer_ = want.primary;
  return {};
}

NodeKeeper::Again NodeKeeper::StartAlone(const nodes::Desired& want, postgres::Node& node) {
  TRY(node.ConfigureAlone());
  TRY(Configure(want, node, true));  // `true`: standby.signal is not ours to remove (I17)
  observed_.connects_as.clear();
  TRY_ASSIGN(const std::optional<Duration> again, StartServer(want, node));
  return again ? std::min<Duration>(*again, kPoll * 2) : kPoll;
}

NodeKeeper::Again NodeKeeper::Leave(postgres::Node& node) {
  TRY_ASSIGN(const bool changed, node.ConfigureAlone());
  observed_.connects_as.clear();
  observed_.state = nodes::State::kRunning;
  observed_.detail = "letting go of its primary";
  // The old configuration may have been read just before the file changed: said again each time.
  if (changed || !left_told_) TRY(node.Reload());
  left_told_ = true;
  return kPoll;
}

NodeKeeper::Again NodeKeeper::AwaitReplay() {
  observed_.state = nodes::State::kRunning;
  observed_.detail = "replaying what it has received";
  return kPoll;
}

NodeKeeper::Again NodeKeeper::StayRecruited() {
  if (!observed_.recruited) {
    needs_.log.Info("node {}: recruited at epoch {}, WAL up to {} on timeline {}", id_.str(),
                    observed_.epoch,
                    postgres::Lsn(static_cast<std::uint64_t>(observed_.received_lsn)).Format(),
                    observed_.timeline);
  }
  observed_.state = nodes::State::kRunning;
  observed_.detail.clear();
  observed_.recruited = true;
  failed_starts_ = 0;
  not_before_ = {};
  return kWatchful;
}

NodeKeeper::Again NodeKeeper::Promote() {
  const Result<> asked = postgres::AskToPromote(*admin_, kAdminLimit);
  if (!asked) {
    admin_.reset();
    return Fail(asked.error().During("promoting"));
  }
  promoting_ = true;
  observed_.state = nodes::State::kRunning;
  observed_.detail = "ending its recovery";
  needs_.log.Info("node {}: promoting at epoch {}", id_.str(), observed_.epoch);
  return kPoll;
}

// It is the primary: first clients come in and everybody hears of it, then the rest.
Result<> NodeKeeper::NotePromotion(const nodes::Desired& want, const postgres::Node& node) {
  promoting_ = false;
  observed_.recruited = false;
  // What was asked of the former primary is not asked of this one again.
  observed_.revive = std::max(observed_.revive, want.revive);
  observed_.received_lsn = 0;
  observed_.replayed_lsn = 0;
  needs_proof_ = !want.waits_for.empty();
  checkpoint_due_ = true;
  NoteRunning(want);
  ProveDataPath(want, node, *server_);
  Fit(!needs_proof_);
  Publish();
  needs_.log.Info("node {}: promoted at epoch {}, timeline {}", id_.str(), observed_.epoch,
                  observed_.timeline);
  // Reserves WAL from the last restart point on, before any checkpoint: the former primary finds
  // all that it needs, however late it comes back.
  if (const NodeId peer = PeerOf(want); !peer.empty()) {
    TRY(postgres::EnsureSlot(*admin_, SlotOf(peer), kAdminLimit));
  }
  return AdoptBootstrap(want);
}

// What the predecessor made inside the database came here with the WAL. Making it again would bring
// back what users have dropped or changed since.
Result<> NodeKeeper::AdoptBootstrap(const nodes::Desired& want) {
  const Result<store::Document> report = needs_.store.Get(nodes::ObservedKey(PeerOf(want)));
  if (!report) return {};
  TRY_ASSIGN(const nodes::Observed peer, nodes::ParseObserved(report->value));
  if (peer.bootstrap_stamp != 0) observed_.bootstrap_stamp = peer.bootstrap_stamp;
  return {};
}

// The instance's other node: as a document has named it, else as the store knows it.
NodeId NodeKeeper::PeerOf(const nodes::Desired& want) {
  if (!peer_.empty()) return peer_;
  const Result<store::Listing> listing = needs_.store.List(nodes::kNodesPrefix);
  if (!listing) return {};
  for (const store::Document& document : listing->documents) {
    if (!document.key.ends_with("/desired")) continue;
    const Result<nodes::Desired> other = nodes::ParseDesired(document.value);
    if (other && other->instance == want.instance && other->id != id_) peer_ = other->id;
  }
  return peer_;
}

void NodeKeeper::FollowCheckpoints(const nodes::Desired& want, const postgres::Node& node) {
  if (const std::optional<std::int64_t> done = checkpointer_.TakeDone()) {
    observed_.checkpoint = std::max(observed_.checkpoint, *done);
    checkpoint_due_ = false;
  }
  if (!checkpoint_due_ && want.checkpoint <= observed_.checkpoint) return;
  if (!checkpointer_.IsBusy()) checkpointer_.Ask(node.AdminOptions(), want.checkpoint);
}

}  // namespace howdah::host
