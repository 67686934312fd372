// The keeper's part of a rejoin: a former primary's directory becomes a standby's of the new
// primary (rejoin.h). The order that keeps it right: what is beyond the fork is set aside; the
// marker is durable before the first byte changes; standby.signal is in place before the marker
// goes. And nothing is changed while the primary waits for us: then this may be the only whole copy
// (I8).
#include <fmt/format.h>

#include "host/node_keeper.h"
#include "host/rejoin.h"
#include "postgres/base_backup.h"
#include "postgres/rewind.h"
#include "postgres/set_aside.h"
#include "postgres/wal_end.h"

namespace howdah::host {

namespace {

constexpr Duration kAdminLimit = 3s;
constexpr Duration kRewindLimit = 30min;
constexpr Duration kSayProgress = 1s;
constexpr std::uint64_t kMostSetAside = 16 * postgres::kWalSegment;
constexpr std::size_t kSetAsidesKept = 3;
constexpr int kDeltaCopiesBeforeNewCopy = 3;

std::string LostAndFound(const postgres::NodePaths& paths) {
  return paths.root + "/lost+found";
}

// A directory that no delta copy could mend, kept until the pair is protected again (H16).
std::string OldData(const postgres::NodePaths& paths) {
  return paths.root + "/data.old";
}

// Where the last whole record ends, or the fork where that is not beyond it; none where it cannot
// be told. Records up to the fork are common ones: only what comes after is followed. WAL from the
// last checkpoint on is always there, so with a checkpoint before the fork, no record at the fork
// means that nothing was written beyond.
postgres::Lsn WalEndOf(system::Disk& disk, const postgres::NodePaths& paths,
                       const postgres::ControlData& control, postgres::Timeline timeline,
                       std::optional<postgres::Lsn> fork) {
  if (timeline != control.timeline || !fork) return {};
  const bool is_before = control.checkpoint < *fork;
  const postgres::Lsn start = is_before ? *fork : control.checkpoint;
  return postgres::EndOfWal(disk, paths.Wal(), timeline, start)
      .value_or(is_before ? *fork : postgres::Lsn());
}

}  // namespace

postgres::ConnectOptions NodeKeeper::PrimaryOptions(const nodes::Desired& want) const {
  return {.socket_dir = needs_.layout.SocketDirectory(want.primary),
          .database = std::string(postgres::kAdminDatabase),
          .password = password_,
          .interrupt = interrupt_.descriptor()};
}

postgres::BaseBackupOptions NodeKeeper::CopyOptions(const nodes::Desired& want) {
  return {.socket_dir = needs_.layout.SocketDirectory(want.primary),
          .password = password_,
          .slot_name = SlotOf(id_),
          .on_progress = [this](std::uint64_t done, std::uint64_t expected) {
            SayProgress(done, expected);
            return !stopping_ && !IsHurried() && !storage_.Report().TakesNoWrites();
          }};
}

void NodeKeeper::SayProgress(std::uint64_t done, std::uint64_t expected) {
  const MonotonicTime now = needs_.clock.Monotonic();
  if (now - progress_said_ < kSayProgress) return;
  progress_said_ = now;
  observed_.detail = expected == 0 ? fmt::format("{}: {} MiB", copying_, done / kMiB)
                                   : fmt::format("{}: {} of {} MiB", copying_, done / kMiB,
                                                 std::max(done, expected) / kMiB);
  Publish();
}

bool NodeKeeper::IsHurried() const {
  const std::lock_guard lock(mutex_);
  return news_ && aim_ && news_ != aim_;
}

NodeKeeper::Again NodeKeeper::Rejoin(const nodes::Desired& want, postgres::Node& node,
                                     const Facts& facts) {
  if (observed_.state != nodes::State::kPreparing) {
    observed_.state = nodes::State::kPreparing;
    observed_.detail = "rejoining: looking at the new primary's history";
    Publish();
  }
  Fit(false);
  observed_.connects_as.clear();
  peer_ = want.primary;
  RejoinFacts known{.interrupted = facts.directory == Directory::kRejoining};
  TRY_ASSIGN(known.primary_serves, PrimaryDoesWithoutUs(want));
  if (!known.interrupted) {
    TRY_ASSIGN(known.primary, postgres::ReadPrimaryHistory(CopyOptions(want), needs_.clock));
    TRY_ASSIGN(const postgres::ControlData control, node.ReadControl());
    known.system_identifier = control.system_identifier;
    known.timeline = std::max(control.timeline, control.min_recovery_timeline);
    known.wal_end = WalEndOf(needs_.disk, node.paths(), control, known.timeline,
                             known.primary.ForkOf(known.timeline));
    TRY_ASSIGN(known.has_rewind, postgres::CanRewind(needs_.disk, node.engine()));
  }
  const RejoinPlan plan = PlanRejoin(known);
  needs_.log.Info("node {}: rejoins, {}: {} bytes of WAL beyond the fork at {}", id_.str(),
                  RejoinWayName(plan.way), plan.beyond, plan.fork.Format());
  switch (plan.way) {
    case RejoinWay::kWait:
      return Fail(Code::kUnavailable, "rejoining: the primary has not begun a timeline yet");
    case RejoinWay::kRefuse:
      return Fail(Code::kCorrupt, "its data directory is of another system than its primary");
    case RejoinWay::kAsItWas:
      return FollowAsItWas(want, node);
    case RejoinWay::kRewind:
    case RejoinWay::kDeltaCopy:
      break;
  }
  if (!known.primary_serves) {
    return Fail(Code::kUnavailable, "rejoining: the primary does not serve yet");
  }
  if (!known.interrupted) TRY(SetAside(node, known, plan));
  if (plan.way == RejoinWay::kRewind) {
    TRY_ASSIGN(const bool rewound, RewindTo(want, node));
    if (rewound) return EndRejoin(node, plan.way);
  }
  return DeltaCopy(want, node);
}

NodeKeeper::Again NodeKeeper::FollowAsItWas(const nodes::Desired& want, postgres::Node& node) {
  TRY(node.ConfigureStandby({.socket_dir = needs_.layout.SocketDirectory(want.primary),
                             .application_name = want.token,
                             .slot_name = SlotOf(id_),
                             .password = password_}));
  observed_.set_aside_bytes = 0;
  return EndRejoin(node, RejoinWay::kAsItWas);
}

NodeKeeper::Again NodeKeeper::EndRejoin(postgres::Node& node, RejoinWay way) {
  TRY(RemoveMarker(node));
  observed_.rejoined = RejoinWayName(way);
  observed_.detail.clear();
  observed_.shutdown_lsn = 0;
  failed_starts_ = 0;
  not_before_ = {};
  failed_copies_ = 0;
  cut_off_since_.reset();
  needs_.log.Info("node {}: rejoined: {}", id_.str(), observed_.rejoined);
  return std::nullopt;
}

Result<> NodeKeeper::SetMarker(postgres::Node& node) {
  return needs_.disk.WriteDurably(node.paths().RejoinMarker(),
                                  fmt::format("{}\n", observed_.epoch));
}

Result<> NodeKeeper::RemoveMarker(postgres::Node& node) {
  return needs_.disk.RemoveTree(node.paths().RejoinMarker());
}

Result<> NodeKeeper::SetAside(postgres::Node& node, const RejoinFacts& known,
                              const RejoinPlan& plan) {
  observed_.set_aside_bytes = static_cast<std::int64_t>(plan.beyond);
  const bool has_room = observed_.storage.free_bytes > static_cast<std::int64_t>(2 * kMostSetAside);
  if (plan.fork.IsNone() || !has_room) {
    needs_.log.Warning("node {}: no WAL is set aside: {}", id_.str(),
                       has_room ? "the fork is not known" : "there is no room for it");
    return {};
  }
  const std::string directory = LostAndFound(node.paths());
  const auto copied = postgres::SetWalAside(
      needs_.disk, {.wal_directory = node.paths().Wal(),
                    .target = fmt::format("{}/epoch-{:010}", directory, observed_.epoch),
                    .timeline = known.timeline,
                    .fork = plan.fork,
                    .end = known.wal_end,
                    .most = kMostSetAside});
  TRY(copied);
  needs_.log.Info("node {}: {} bytes of WAL beyond {} set aside", id_.str(), plan.beyond,
                  plan.fork.Format());
  return postgres::KeepNewest(needs_.disk, directory, kSetAsidesKept);
}

// False where pg_rewind failed: the delta copy goes on from there.
Result<bool> NodeKeeper::RewindTo(const nodes::Desired& want, postgres::Node& node) {
  const postgres::ConnectOptions source = PrimaryOptions(want);
  {
    TRY_ASSIGN(postgres::Connection primary,
               postgres::Connection::Open(source, needs_.clock, kAdminLimit));
    TRY_ASSIGN(const bool ready, postgres::IsReadyToRewindFrom(primary, kAdminLimit));
    if (!ready) return Fail(Code::kUnavailable, "rejoining: the primary makes its checkpoint");
  }
  observed_.detail = "rejoining: pg_rewind";
  Publish();
  TRY(SetMarker(node));
  const Result<> done = postgres::Rewind(node.paths(), node.engine(), source, needs_.disk,
                                         needs_.processes, kRewindLimit);
  if (done) return true;
  needs_.log.Warning("node {}: {}; a delta copy follows", id_.str(), done.error().what());
  TRY(node.Fence(kAdminLimit));
  return false;
}

NodeKeeper::Again NodeKeeper::DeltaCopy(const nodes::Desired& want, postgres::Node& node) {
  copying_ = "rejoining: delta copy";
  observed_.detail = copying_;
  Publish();
  TRY(SetMarker(node));
  const auto copied =
      postgres::TakeDeltaCopy(node.paths(), CopyOptions(want), needs_.disk, needs_.clock);
  if (copied) {
    needs_.log.Info("node {}: received {} bytes from {}, wrote {} that differed", id_.str(),
                    copied->bytes, want.primary.str(), copied->written);
    return EndRejoin(node, RejoinWay::kDeltaCopy);
  }
  const bool passing =
      copied.error().code() == Code::kUnavailable || copied.error().code() == Code::kTimeout;
  if (passing || ++failed_copies_ < kDeltaCopiesBeforeNewCopy) return Fail(copied.error());
  needs_.log.Warning("node {}: {}; the directory is copied anew", id_.str(), copied.error().what());
  return CopyAnew(want, node);
}

// The old directory is kept where there is room for both. The marker goes after it: as long as it
// is there, nothing starts.
NodeKeeper::Again NodeKeeper::CopyAnew(const nodes::Desired& want, postgres::Node& node) {
  failed_copies_ = 0;
  TRY(needs_.disk.RemoveTree(OldData(node.paths())));
  const bool has_room = RequireRoomToSeed(want).has_value();
  if (has_room) {
    TRY(needs_.disk.Rename(node.paths().Data(), OldData(node.paths())));
  } else {
    TRY(needs_.disk.RemoveTree(node.paths().Data()));
  }
  TRY(RemoveMarker(node));
  observed_.rejoined = "copy";
  return std::nullopt;
}

// Once the pair is protected, nobody needs the directory that could not be mended.
Result<> NodeKeeper::ClearOldData(const nodes::Desired& want, const postgres::Node& node) {
  TRY_ASSIGN(const bool is_there, needs_.disk.Exists(OldData(node.paths())));
  if (!is_there) return {};
  const Result<store::Document> report = needs_.store.Get(nodes::ObservedKey(want.primary));
  if (!report) return {};
  TRY_ASSIGN(const nodes::Observed primary, nodes::ParseObserved(report->value));
  if (want.token.empty() || primary.proven_token != want.token) return {};
  return needs_.disk.RemoveTree(OldData(node.paths()));
}

}  // namespace howdah::host
