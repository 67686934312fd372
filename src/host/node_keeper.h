// Keeps one node what it should be: looks at its disk, its process and its server, does what is
// missing, and reports. One thread a node, so that a slow node delays no other. Everything that it
// remembers it could read again: a new keeper, after a crash, goes on where this one was.
//
// What to do next is decided by role.h, from facts that every pass gathers anew (node_acts.cc); the
// keeper carries it out: the server (node_server.cc, node_inside.cc), the way from standby to
// primary (node_promotion.cc), and what is done where nothing runs (node_rest.cc).
//
// Fitness is the host's own word on top of the control plane's route: after a start as primary
// whose commits must wait for a standby, nobody is let in before that standby holds all that the
// server's recovery has made visible (H4).
#pragma once

#include <atomic>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <optional>
#include <stop_token>
#include <thread>

#include "host/archive_keeper.h"
#include "host/checkpointer.h"
#include "host/data_path.h"
#include "host/interrupt.h"
#include "host/needs.h"
#include "host/pulse.h"
#include "host/rejoin.h"
#include "host/restorer.h"
#include "host/role.h"
#include "host/storage_watch.h"
#include "nodes/node.h"
#include "postgres/base_backup.h"
#include "postgres/config.h"
#include "postgres/connection.h"
#include "postgres/node.h"
#include "postgres/observe.h"
#include "postgres/promotion.h"

namespace howdah::host {

class NodeKeeper {
 public:
  // Says whether clients may be let in to this node. With false it returns only when the gateway
  // lets nobody new in.
  using SetFit = std::function<void(const NodeId&, const Fitness&)>;

  NodeKeeper(NodeId id, const Needs& needs, SetFit set_fit);
  ~NodeKeeper();  // stops the thread, not the server

  void Start();
  // Something has changed: look now.
  void Wake();
  // What should be has changed, to this document. A wait for a server that no longer matters ends.
  void Wake(const std::string& desired);
  // True once the node is gone from the machine and nothing is left to keep.
  bool IsFinished() const;

  // Whose primary this is, and how many sessions users have on it, as seen last.
  std::pair<InstanceId, std::int64_t> Sessions() const;

  // One look and what follows from it; returns when to look again. For tests and the thread.
  Duration Pass();

 private:
  // What a newer document may say that no wait for a server should outlast.
  struct Aim {
    std::int64_t epoch = 0;
    nodes::Role role = nodes::Role::kPrimary;
    nodes::Power power = nodes::Power::kRunning;
    std::int64_t revive = 0;
    bool operator==(const Aim&) const = default;
  };
  static Aim AimOf(const nodes::Desired& want);
  // How an act went: look again after that time, or at once.
  using Again = Result<std::optional<Duration>>;

  Result<Duration> Pursue(const nodes::Desired& want);
  Result<postgres::Node> MakeNode(const nodes::Desired& want);

  // Facts and acts (node_acts.cc).
  Result<Facts> Look(const nodes::Desired& want, postgres::Node& node);
  Result<> LookForServer(postgres::Node& node, Facts& facts);
  Result<> LookAtDirectory(postgres::Node& node, Facts& facts);
  Result<> LookAtServer(const nodes::Desired& want, postgres::Node& node, Facts& facts);
  Again Do(Act act, const nodes::Desired& want, postgres::Node& node, const Facts& facts);
  Again DoOnServer(Act act, const nodes::Desired& want, postgres::Node& node, const Facts& facts);
  Again Promise(const nodes::Desired& want, const postgres::Node& node);
  Again Disobey(const nodes::Desired& want);
  Again Refuse(const nodes::Desired& want, const Facts& facts);
  // The server is no longer, or not any more, this keeper's to watch: it was stopped by its hand.
  void ForgetServer();
  // Nothing of what was seen on the server is true any more.
  void ForgetWhatWasSeen();

  // Where nothing runs (node_rest.cc).
  Again Remove(postgres::Node& node);
  Again Kill(postgres::Node& node);
  Again StayFenced(postgres::Node& node);
  Again Stop(const nodes::Desired& want, postgres::Node& node, Duration limit);
  Again StayStopped(postgres::Node& node);
  Again StayDown(postgres::Node& node, const Facts& facts);

  // From standby to primary (node_promotion.cc).
  Result<> NoteRecovery(const nodes::Desired& want, Facts& facts);
  Again StartAlone(const nodes::Desired& want, postgres::Node& node);
  Again Leave(postgres::Node& node);
  Again AwaitReplay();
  Again StayRecruited();
  Again Promote();
  Result<> NotePromotion(const nodes::Desired& want, const postgres::Node& node);
  Result<> AdoptBootstrap(const nodes::Desired& want);
  NodeId PeerOf(const nodes::Desired& want);
  void FollowCheckpoints(const nodes::Desired& want, const postgres::Node& node);

  // From a backup (node_restore.cc).
  Again Restore(const nodes::Desired& want, postgres::Node& node);
  Again AwaitRestore(postgres::Node& node);
  Again EndRestore(const nodes::Desired& want, postgres::Node& node);
  Again ProveCopy(postgres::Node& node);
  void NoteRestore(postgres::Node& node);

  // From primary to standby (node_rejoin.cc).
  Again Rejoin(const nodes::Desired& want, postgres::Node& node, const Facts& facts);
  Again FollowAsItWas(const nodes::Desired& want, postgres::Node& node);
  Again EndRejoin(postgres::Node& node, RejoinWay way);
  Again DeltaCopy(const nodes::Desired& want, postgres::Node& node);
  Again CopyAnew(const nodes::Desired& want, postgres::Node& node);
  Result<bool> RewindTo(const nodes::Desired& want, postgres::Node& node);
  Result<> SetAside(postgres::Node& node, const RejoinFacts& known, const RejoinPlan& plan);
  Result<> SetMarker(postgres::Node& node);
  Result<> RemoveMarker(postgres::Node& node);
  Result<> ClearOldData(const nodes::Desired& want, const postgres::Node& node);
  postgres::ConnectOptions PrimaryOptions(const nodes::Desired& want) const;
  postgres::BaseBackupOptions CopyOptions(const nodes::Desired& want);
  void SayProgress(std::uint64_t done, std::uint64_t expected);
  bool IsHurried() const;  // something else is wanted than what is being done

  // The server (node_server.cc).
  // True when the data directory is whole.
  Result<bool> Seed(const nodes::Desired& want, postgres::Node& node);
  Result<> CopyFromPrimary(const nodes::Desired& want, postgres::Node& node);
  // True if anything changed that a reload brings into force.
  Result<bool> Configure(const nodes::Desired& want, postgres::Node& node, bool running);
  Again StartInPlace(const nodes::Desired& want, postgres::Node& node);
  Again StartServer(const nodes::Desired& want, postgres::Node& node);
  Again Await(const nodes::Desired& want, postgres::Node& node, const Facts& facts);
  Again Serve(const nodes::Desired& want, postgres::Node& node);
  Again FollowPrimary(const nodes::Desired& want, postgres::Node& node);
  void NoteRunning(const nodes::Desired& want);
  void NoteStandby();
  Result<> Reconfigure(const nodes::Desired& want, postgres::Node& node);
  // A connection to ask the server over; false while it takes none.
  Result<bool> EnsureAdmin(postgres::Node& node);
  Result<> Bootstrap(const nodes::Desired& want);
  Result<postgres::Observation> LookInside(const nodes::Desired& want);
  Result<> FollowSynchronousStandby(const nodes::Desired& want, postgres::Node& node);
  Result<> Prove(const nodes::Desired& want, postgres::Node& node);
  Result<> DropAbandonedSlots();
  // Storage (node_storage.cc).
  void MeasureStorage(const nodes::Desired& want, const postgres::Node& node);
  bool IsReadOnly(const nodes::Desired& want) const;
  // True when there is too little room for a server: it is stopped then.
  Result<bool> HoldForStorage(postgres::Node& node, bool running);
  Result<> EndWriters(const nodes::Desired& want);
  Result<> RequireRoomToSeed(const nodes::Desired& want);
  // A standby that can never catch up again is copied anew (reseed.cc).
  Result<bool> PrimaryDoesWithoutUs(const nodes::Desired& want);
  Result<bool> HasLostItsPlace(const nodes::Desired& want, const postgres::Observation& seen);
  Result<> Reseed(const nodes::Desired& want, postgres::Node& node, std::string_view why);
  void NoteStream(const nodes::Desired& want, const postgres::Observation& seen);
  void NoteFailure(const nodes::Desired& want, const Error& error);

  void Publish();
  void NotePulse();
  void Fit(bool fit);
  // data_path.cc
  Result<std::optional<postgres::ServerTls>> PrepareTls(const nodes::Desired& want,
                                                        const postgres::Node& node);
  void ProveDataPath(const nodes::Desired& want, const postgres::Node& node,
                     const system::ProcessIdentity& server);
  // node_guard.cc
  Result<std::string> CommitGuard(const postgres::Engine& engine) const;
  void LookForGuard(const postgres::Node& node, const system::ProcessIdentity& server);
  void WatchServer(std::optional<system::ProcessIdentity> server);
  void OnPulse();
  void Run(std::stop_token stop);
  void RunWatcher(std::stop_token stop);

  const NodeId id_;
  const Needs& needs_;
  const SetFit set_fit_;

  nodes::Observed observed_;
  std::string published_;
  std::string password_;  // of rdsadmin and replication, opened
  Interrupt interrupt_;   // outlives every connection
  std::optional<postgres::Connection> admin_;
  std::optional<postgres::Observation> seen_;  // by this pass
  std::optional<std::int64_t> promised_;       // as on disk
  std::optional<system::ProcessIdentity> server_;
  bool ended_ = false;      // the server ended, and not by our hand
  bool answered_ = false;   // the server has answered since it was started
  bool left_told_ = false;  // it was told that it follows nobody
  bool promoting_ = false;  // it was asked to end its recovery
  NodeId peer_;             // the other node of the pair, where a document named it
  ArchiveKeeper archive_;
  Restorer restorer_;
  std::atomic<bool> proving_{false};
  bool restoring_ = false;       // what is in the data directory is not the instance's own yet
  bool checkpoint_due_ = false;  // nobody can come back to us before the first after a promotion
  std::string copying_;          // what a copy that is under way is for
  MonotonicTime progress_said_{};
  int failed_copies_ = 0;
  postgres::Lsn replayed_;
  MonotonicTime replay_moved_{};
  std::atomic<std::int64_t> sessions_{0};
  std::atomic<bool> stopping_{false};  // a long copy looks at it
  bool needs_proof_ = false;
  Fitness fit_;   // as the gateway was told
  Fitness path_;  // as proven on the running server
  std::string path_refusal_;
  struct PathWish {
    system::ProcessIdentity server;
    bool relay = false;
    bool tls = false;
    bool operator==(const PathWish&) const = default;
  };
  std::optional<PathWish> path_wish_;  // what was proven last, or tried
  MonotonicTime prove_path_again_{};
  bool certificate_is_new_ = false;
  std::optional<system::ProcessIdentity> guard_seen_in_;  // the server that was asked for it
  bool adopted_ = false;  // this keeper has looked at the server once
  int failed_starts_ = 0;
  MonotonicTime not_before_{};  // the next start, after failed ones
  MonotonicTime slots_checked_{};
  std::optional<MonotonicTime> cut_off_since_;  // standby: since when nothing streams to it

  std::string read_only_since_;  // by the server's clock; empty: it takes writes

  mutable std::mutex mutex_;
  InstanceId primary_of_;  // empty for a standby
  std::condition_variable_any changed_;
  bool woken_ = false;
  std::optional<Aim> aim_;   // pursued
  std::optional<Aim> news_;  // of the newest document that was heard of
  bool finished_ = false;
  std::optional<system::ProcessIdentity> watched_;
  StorageWatch storage_;  // these wake the keeper
  Pulse pulse_;
  Checkpointer checkpointer_;
  std::jthread watcher_;
  std::jthread thread_;  // last: stops first
};

// The slot that a standby holds on its primary, and back.
std::string SlotOf(const NodeId& standby);
std::optional<NodeId> NodeOfSlot(std::string_view slot);

}  // namespace howdah::host
