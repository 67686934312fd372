#include "postgres/promotion.h"

#include "postgres/observe.h"

namespace howdah::postgres {
namespace {

constexpr const char* kRecoveryQuery =
    "SELECT pg_catalog.pg_is_in_recovery() AS recovery,"
    " (SELECT count(*) FROM pg_catalog.pg_stat_activity WHERE backend_type = 'walreceiver')"
    "  AS receivers,"
    " coalesce((SELECT wait_event FROM pg_catalog.pg_stat_activity"
    "  WHERE backend_type = 'startup'), '') AS waits,"
    " CASE WHEN pg_catalog.pg_is_in_recovery()"
    "  THEN greatest(pg_catalog.pg_last_wal_receive_lsn(), pg_catalog.pg_last_wal_replay_lsn())"
    "  ELSE pg_catalog.pg_current_wal_flush_lsn() END AS received,"
    " pg_catalog.pg_last_wal_replay_lsn() AS replayed, ";

}  // namespace

Result<Recovery> ReadRecovery(Connection& admin, Duration limit) {
  TRY_ASSIGN(const Rows rows,
             admin.Execute(std::string(kRecoveryQuery) + std::string(kTimelineColumn), limit));
  Recovery recovery;
  recovery.in_recovery = rows.Text(0, "recovery") == "t";
  recovery.receives = rows.Text(0, "receivers") != "0";
  recovery.waits_for_wal = rows.Text(0, "waits") == "RecoveryRetrieveRetryInterval";
  recovery.received = Lsn::Parse(rows.Text(0, "received")).value_or(Lsn());
  recovery.replayed = Lsn::Parse(rows.Text(0, "replayed")).value_or(Lsn());
  recovery.timeline = ParseTimeline(rows.Text(0, "timeline"));
  return recovery;
}

Result<> AskToPromote(Connection& admin, Duration limit) {
  TRY(admin.Execute(
      "SELECT CASE WHEN pg_catalog.pg_is_in_recovery() THEN pg_catalog.pg_promote(false) END",
      limit));
  return {};
}

Result<> RunCheckpoint(Connection& admin, Duration limit) {
  TRY(admin.Execute("CHECKPOINT", limit));
  return {};
}

}  // namespace howdah::postgres
