// See observe.h. Every name is qualified or found by the session's pinned search_path.
#include "postgres/observe.h"

#include <fmt/format.h>

#include <charconv>

#include "postgres/quote.h"

namespace howdah::postgres {
namespace {

constexpr const char* kServerQuery =
    "SELECT pg_catalog.current_setting('server_version') AS version,"
    " pg_catalog.pg_is_in_recovery() AS recovery,"
    " CASE WHEN pg_catalog.pg_is_in_recovery()"
    "  THEN greatest(pg_catalog.pg_last_wal_receive_lsn(), pg_catalog.pg_last_wal_replay_lsn())"
    "  ELSE pg_catalog.pg_current_wal_flush_lsn() END AS lsn,"
    " pg_catalog.pg_last_wal_replay_lsn() AS replayed,"
    " pg_catalog.current_setting('synchronous_standby_names') AS standbys,"
    " (SELECT count(*) FROM pg_catalog.pg_stat_activity WHERE backend_type = 'client backend'"
    "  AND usename NOT IN ('rdsadmin', 'rdsrepladmin')) AS sessions, ";

constexpr const char* kPeersQuery =
    "SELECT application_name, state, sync_state, sent_lsn, write_lsn, flush_lsn, replay_lsn,"
    " (extract(epoch FROM pg_catalog.clock_timestamp() - reply_time) * 1000000)::pg_catalog.int8"
    "  AS age FROM pg_catalog.pg_stat_replication ORDER BY application_name, pid";

constexpr const char* kReceiverQuery =
    "SELECT status, slot_name, flushed_lsn,"
    " (extract(epoch FROM pg_catalog.clock_timestamp() - last_msg_receipt_time) * 1000000)"
    "  ::pg_catalog.int8 AS age FROM pg_catalog.pg_stat_wal_receiver";

Lsn LsnOf(const Rows& rows, std::size_t row, std::string_view column) {
  return Lsn::Parse(rows.Text(row, column)).value_or(Lsn());
}

std::optional<std::int64_t> NumberOf(const Rows& rows, std::size_t row, std::string_view column) {
  const std::string text = rows.Text(row, column);
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::optional<Duration> AgeOf(const Rows& rows, std::size_t row) {
  const auto micros = NumberOf(rows, row, "age");
  if (!micros) return std::nullopt;
  return Duration(std::max<std::int64_t>(*micros, 0));
}

std::vector<ReplicationPeer> PeersOf(const Rows& rows) {
  std::vector<ReplicationPeer> peers;
  for (std::size_t i = 0; i < rows.rows.size(); ++i) {
    peers.push_back({.application_name = rows.Text(i, "application_name"),
                     .state = rows.Text(i, "state"),
                     .sync_state = rows.Text(i, "sync_state"),
                     .sent = LsnOf(rows, i, "sent_lsn"),
                     .write = LsnOf(rows, i, "write_lsn"),
                     .flush = LsnOf(rows, i, "flush_lsn"),
                     .replay = LsnOf(rows, i, "replay_lsn"),
                     .reply_age = AgeOf(rows, i)});
  }
  return peers;
}

std::vector<std::string> FirstColumn(const Rows& rows) {
  std::vector<std::string> values;
  for (const Row& row : rows.rows) values.push_back(row.front().value_or(""));
  return values;
}

}  // namespace

const std::string_view kTimelineColumn =
    "CASE WHEN pg_catalog.pg_is_in_recovery()"
    " THEN coalesce((SELECT received_tli FROM pg_catalog.pg_stat_wal_receiver),"
    "  (SELECT greatest(timeline_id, (SELECT min_recovery_end_timeline"
    "   FROM pg_catalog.pg_control_recovery())) FROM pg_catalog.pg_control_checkpoint()))"
    " ELSE ('x' || substr(pg_catalog.pg_walfile_name(pg_catalog.pg_current_wal_insert_lsn()), 1, 8)"
    "  )::pg_catalog.bit(32)::pg_catalog.int4 END AS timeline";

Timeline ParseTimeline(std::string_view text) {
  std::uint32_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return Timeline{error == std::errc() ? number : 0};
}

Result<Observation> Observe(Connection& admin, Duration limit) {
  TRY_ASSIGN(const Rows server,
             admin.Execute(std::string(kServerQuery) + std::string(kTimelineColumn), limit));
  Observation seen;
  seen.server_version = server.Text(0, "version");
  seen.in_recovery = server.Text(0, "recovery") == "t";
  seen.lsn = LsnOf(server, 0, "lsn");
  seen.replayed = LsnOf(server, 0, "replayed");
  seen.timeline = ParseTimeline(server.Text(0, "timeline"));
  seen.synchronous_standby_names = server.Text(0, "standbys");
  seen.client_sessions = NumberOf(server, 0, "sessions").value_or(0);
  TRY_ASSIGN(const Rows peers, admin.Execute(kPeersQuery, limit));
  seen.peers = PeersOf(peers);
  TRY_ASSIGN(const Rows receiver, admin.Execute(kReceiverQuery, limit));
  if (!receiver.empty() && !receiver.Text(0, "status").empty()) {
    seen.receiver = WalReceiver{.status = receiver.Text(0, "status"),
                                .slot_name = receiver.Text(0, "slot_name"),
                                .flushed = LsnOf(receiver, 0, "flushed_lsn"),
                                .message_age = AgeOf(receiver, 0)};
  }
  TRY_ASSIGN(const Rows pending,
             admin.Execute("SELECT name FROM pg_catalog.pg_settings WHERE pending_restart "
                           "ORDER BY name",
                           limit));
  seen.pending_restart = FirstColumn(pending);
  return seen;
}

Result<Lsn> CurrentFlushLsn(Connection& admin, Duration limit) {
  TRY_ASSIGN(const Rows rows,
             admin.Execute("SELECT pg_catalog.pg_current_wal_flush_lsn() AS lsn", limit));
  return Lsn::Parse(rows.Text(0, "lsn"));
}

Result<ProbeOutcome> ProbeCommit(const ConnectOptions& options, const system::Clock& clock,
                                 Duration limit) {
  const MonotonicTime deadline = clock.Monotonic() + limit;
  TRY_ASSIGN(Connection connection, Connection::Open(options, clock, limit));
  const auto left = [&] { return deadline - clock.Monotonic(); };
  TRY(connection.Execute("SET synchronous_commit = on", left()));
  // A transactional message has a transaction id, so its commit waits as any client's does.
  const auto committed = connection.Execute(
      "SELECT pg_catalog.pg_logical_emit_message(true, 'howdah', 'probe')", left());
  if (!committed) {
    if (committed.error().code() == Code::kTimeout && connection.SqlState().empty()) {
      return ProbeOutcome{};
    }
    return Fail(committed.error().During("probing with a commit"));
  }
  const auto lsn = CurrentFlushLsn(connection, std::max<Duration>(left(), 1s));
  if (!lsn) return Fail(lsn.error().During("probing with a commit"));
  return ProbeOutcome{.acknowledged = true, .lsn = *lsn};
}

Result<> EnsureSlot(Connection& admin, std::string_view slot, Duration limit) {
  const std::string name = QuoteLiteral(slot);
  // A slot that fell too far behind is of no use any more.
  TRY(admin.Execute(
      fmt::format("SELECT pg_catalog.pg_drop_replication_slot(slot_name) FROM "
                  "pg_catalog.pg_replication_slots WHERE slot_name = {} AND wal_status = 'lost'",
                  name),
      limit));
  const auto created = admin.Execute(
      fmt::format("SELECT pg_catalog.pg_create_physical_replication_slot({0}, true) WHERE NOT "
                  "EXISTS (SELECT FROM pg_catalog.pg_replication_slots WHERE slot_name = {0})",
                  name),
      limit);
  if (!created && created.error().code() != Code::kAlreadyExists) return Fail(created.error());
  return {};
}

Result<> DropSlot(Connection& admin, std::string_view slot, Duration limit) {
  TRY(admin.Execute(fmt::format("SELECT pg_catalog.pg_drop_replication_slot(slot_name) FROM "
                                "pg_catalog.pg_replication_slots WHERE slot_name = {}",
                                QuoteLiteral(slot)),
                    limit));
  return {};
}

Result<std::vector<std::string>> ListSlots(Connection& admin, Duration limit) {
  TRY_ASSIGN(
      const Rows rows,
      admin.Execute("SELECT slot_name FROM pg_catalog.pg_replication_slots ORDER BY 1", limit));
  return FirstColumn(rows);
}

}  // namespace howdah::postgres
