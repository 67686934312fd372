#include "host/archive_keeper.h"

#include "archive/slot.h"

namespace howdah::host {

namespace {

constexpr Duration kAdminLimit = 1s;
constexpr Duration kLookAtSlot = 5s;
constexpr Duration kReportInterval = 5s;
// Less is what is on its way at any moment.
constexpr std::int64_t kLagWorthTelling = 64LL << 20;

nodes::Archived ToReport(const archive::ArchiveStatus& status) {
  nodes::Archived report{.lsn = static_cast<std::int64_t>(status.lsn.value()),
                         .until = status.until.value_or(WallTime{}),
                         .lag_bytes = static_cast<std::int64_t>(status.lag_bytes),
                         .problem = status.problem};
  if (status.gap) {
    report.gap_end = static_cast<std::int64_t>(status.gap->end.value());
    report.gap_since = status.gap->since;
  }
  return report;
}

}  // namespace

Result<> ArchiveKeeper::FollowPrimary(const nodes::Desired& want, const std::string& password,
                                      postgres::Connection& admin) {
  if (needs_.backups == nullptr || !want.archive) {
    archiver_.reset();
    return IsDue() ? archive::DropArchiveSlot(admin, kAdminLimit) : Result<>();
  }
  if (archiver_ && epoch_ == want.epoch) return {};
  archiver_.reset();
  epoch_ = want.epoch;
  archiver_ = std::make_unique<archive::Archiver>(
      archive::ArchiverOptions{.instance = want.instance,
                               .epoch = want.epoch,
                               .socket_dir = needs_.layout.SocketDirectory(want.id),
                               .password = password},
      archive::WriterNeeds{.repository = needs_.backups->repository,
                           .keys = needs_.backups->keys,
                           .entropy = needs_.entropy,
                           .clock = needs_.clock,
                           .log = needs_.log});
  archiver_->Start();
  return {};
}

Result<> ArchiveKeeper::FollowStandby(const nodes::Desired& want, postgres::Connection& admin) {
  if (!IsDue()) return {};
  if (needs_.backups == nullptr || !want.archive) {
    return archive::DropArchiveSlot(admin, kAdminLimit);
  }
  const Result<store::Document> document = needs_.store.Get(nodes::ObservedKey(want.primary));
  if (!document) return {};
  TRY_ASSIGN(const nodes::Observed primary, nodes::ParseObserved(document->value));
  return archive::KeepArchiveSlot(
      admin, postgres::Lsn(static_cast<std::uint64_t>(primary.archived.lsn)), kAdminLimit);
}

void ArchiveKeeper::Rest(const nodes::Desired& want) {
  const bool archives =
      want.archive && want.role == nodes::Role::kPrimary && want.power == nodes::Power::kRunning;
  if (!archives) archiver_.reset();
}

nodes::Archived ArchiveKeeper::Report(const nodes::Archived& reported) {
  if (!archiver_) return {};
  nodes::Archived now = ToReport(archiver_->Read());
  // An archiver that has just begun knows nothing yet; what an earlier one said stays true.
  if (now.until < reported.until) {
    now.lsn = reported.lsn;
    now.until = reported.until;
  }
  const bool lags = now.lag_bytes >= kLagWorthTelling;
  const bool lagged = reported.lag_bytes >= kLagWorthTelling;
  const MonotonicTime time = needs_.clock.Monotonic();
  const bool is_news =
      now.problem != reported.problem || now.gap_end != reported.gap_end || lags != lagged;
  if (!is_news && time - reported_ < kReportInterval) return reported;
  reported_ = time;
  if (!lags) now.lag_bytes = 0;
  return now;
}

bool ArchiveKeeper::IsDue() {
  const MonotonicTime now = needs_.clock.Monotonic();
  if (looked_ != MonotonicTime{} && now - looked_ < kLookAtSlot) return false;
  looked_ = now;
  return true;
}

}  // namespace howdah::host
