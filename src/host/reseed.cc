// Copying a standby anew when it can never catch up: its slot was given up because the WAL that it
// held back had grown too large, its server does not start, or its directory is gone. The one rule:
// only while the primary runs without waiting for it, for then the record forbids its promotion and
// nothing rests on this copy (I8).
#include <fmt/format.h>

#include "host/node_keeper.h"
#include "postgres/connection.h"

namespace howdah::host {

namespace {

constexpr Duration kAskAfter = 10s;
constexpr Duration kAdminLimit = 3s;
constexpr Duration kFenceLimit = 20s;

// Is the slot there, with the WAL from its position on?
Result<bool> SlotIsGood(postgres::Connection& primary, const std::string& slot) {
  TRY_ASSIGN(const postgres::Rows rows,
             primary.Execute(fmt::format("SELECT coalesce(wal_status, 'lost') AS status FROM "
                                         "pg_replication_slots WHERE slot_name = '{}'",
                                         slot),
                             kAdminLimit));
  return !rows.empty() && rows.Text(0, "status") != "lost";
}

}  // namespace

Result<bool> NodeKeeper::PrimaryDoesWithoutUs(const nodes::Desired& want) {
  if (want.role != nodes::Role::kStandby) return false;
  const Result<store::Document> document = needs_.store.Get(nodes::DesiredKey(want.primary));
  if (!document && document.error().code() == Code::kNotFound) return false;
  if (!document) return Fail(document.error());
  TRY_ASSIGN(const nodes::Desired primary, nodes::ParseDesired(document->value));
  const Result<store::Document> report = needs_.store.Get(nodes::ObservedKey(want.primary));
  if (!report) return false;
  TRY_ASSIGN(const nodes::Observed seen, nodes::ParseObserved(report->value));
  const bool is_ours = primary.role == nodes::Role::kPrimary && primary.epoch == want.epoch &&
                       seen.epoch == want.epoch;
  return is_ours && primary.waits_for.empty() && seen.effective_token.empty() &&
         seen.state == nodes::State::kRunning && !seen.in_recovery;
}

Result<bool> NodeKeeper::HasLostItsPlace(const nodes::Desired& want,
                                         const postgres::Observation& seen) {
  const MonotonicTime now = needs_.clock.Monotonic();
  const bool streams = seen.receiver && seen.receiver->status == "streaming";
  if (streams) {
    cut_off_since_.reset();
    return false;
  }
  if (!cut_off_since_) cut_off_since_ = now;
  if (now - *cut_off_since_ < kAskAfter) return false;
  cut_off_since_ = now;
  TRY_ASSIGN(const bool dispensable, PrimaryDoesWithoutUs(want));
  if (!dispensable) return false;
  TRY_ASSIGN(postgres::Connection primary,
             postgres::Connection::Open(PrimaryOptions(want), needs_.clock, kAdminLimit));
  TRY_ASSIGN(const bool good, SlotIsGood(primary, SlotOf(id_)));
  if (!good) TRY(postgres::DropSlot(primary, SlotOf(id_), kAdminLimit));
  return !good;
}

Result<> NodeKeeper::Reseed(const nodes::Desired& want, postgres::Node& node,
                            std::string_view why) {
  needs_.log.Warning("node {}: {}; copying it anew from {}", id_.str(), why, want.primary.str());
  ForgetServer();
  TRY(node.Fence(kFenceLimit));
  observed_.state = nodes::State::kPreparing;
  observed_.detail = fmt::format("{}; copying it anew", why);
  Publish();
  TRY(SetMarker(node));  // what follows is a delta copy: what is right already stays
  failed_starts_ = 0;
  not_before_ = {};
  cut_off_since_.reset();
  return {};
}

}  // namespace howdah::host
