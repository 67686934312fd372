#include "backup/session.h"

#include <fmt/format.h>

#include <charconv>

#include "postgres/quote.h"
#include "postgres/wal_end.h"

namespace howdah::backup {

namespace {

using postgres::Lsn;
using postgres::Rows;

constexpr std::string_view kRecoveryConflict = "40001";
constexpr int kMostAttempts = 2000;
constexpr Duration kConnectLimit = 10s;
constexpr Duration kQueryLimit = 60s;
constexpr Duration kCheckpointLimit = 1h;
constexpr std::string_view kPageBytes = "8192";

// A session lasts as long as the backup, whatever the instance's parameters say of idle ones.
constexpr std::string_view kSettings =
    "SET idle_session_timeout = 0; SET statement_timeout = 0; SET lock_timeout = 0";

constexpr std::string_view kFacts =
    "SELECT pg_is_in_recovery() AS in_recovery, current_setting('data_checksums') AS checksums,"
    " current_setting('data_directory') AS directory,"
    " current_setting('server_version_num')::int AS version,"
    " (SELECT system_identifier FROM pg_control_system()) AS system,"
    " (SELECT bytes_per_wal_segment FROM pg_control_init()) AS segment,"
    " (SELECT database_block_size FROM pg_control_init()) AS page,"
    " (SELECT string_agg(quote_ident(spcname), ', ') FROM pg_tablespace"
    " WHERE spcname NOT IN ('pg_default', 'pg_global')) AS tablespaces";

std::int64_t NumberIn(const std::string& text) {
  std::int64_t number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

}  // namespace

// A standby cancels at once a statement whose snapshot is in the way of replay. A checkpoint that
// was waited for goes on meanwhile, and so the next attempt has less to wait for.
Result<Rows> BackupSession::Execute(const std::string& sql, Duration limit) {
  for (int i = 1;; ++i) {
    auto rows = connection_.Execute(sql, limit);
    const bool conflict = !rows && connection_.SqlState() == kRecoveryConflict;
    if (!conflict || i == kMostAttempts) return rows;
    (void)connection_.Execute("SELECT pg_sleep(0.05)", limit);
  }
}

Result<postgres::Timeline> TimelineOfLabel(std::string_view label) {
  constexpr std::string_view kLine = "START TIMELINE: ";
  const std::size_t at = label.find(kLine);
  std::uint32_t number = 0;
  if (at != std::string_view::npos) {
    const std::string_view text = label.substr(at + kLine.size());
    std::from_chars(text.data(), text.data() + text.size(), number);
  }
  if (number == 0) return Fail(Code::kCorrupt, "the backup label names no timeline");
  return postgres::Timeline{number};
}

Result<BackupSession> BackupSession::Open(const postgres::ConnectOptions& options,
                                          const system::Clock& clock) {
  TRY_ASSIGN(postgres::Connection connection,
             postgres::Connection::Open(options, clock, kConnectLimit));
  BackupSession session(std::move(connection));
  TRY(session.Execute(std::string(kSettings), kQueryLimit));
  TRY(session.ReadFacts());
  return session;
}

Result<> BackupSession::ReadFacts() {
  TRY_ASSIGN(const Rows rows, Execute(std::string(kFacts), kQueryLimit));
  if (const std::string names = rows.Text(0, "tablespaces"); !names.empty()) {
    return Fail(Code::kUnsupported,
                fmt::format("the server has tablespaces of its own ({}), which Howdah cannot back "
                            "up: move what is in them to pg_default and drop them",
                            names));
  }
  if (rows.Text(0, "page") != kPageBytes) {
    return Fail(Code::kUnsupported, "the server's pages have another size than 8 KiB");
  }
  if (NumberIn(rows.Text(0, "segment")) != static_cast<std::int64_t>(postgres::kWalSegment)) {
    return Fail(Code::kUnsupported, "the server's WAL segments have another size than 16 MiB");
  }
  const std::int64_t version = NumberIn(rows.Text(0, "version"));
  facts_ = {.data_directory = rows.Text(0, "directory"),
            .version = fmt::format("{}.{}", version / 10000, version % 10000),
            .system_identifier = rows.Text(0, "system"),
            .in_recovery = rows.Text(0, "in_recovery") == "t",
            .checksums = rows.Text(0, "checksums") == "on"};
  return {};
}

Result<WallTime> BackupSession::ServerTime() {
  TRY_ASSIGN(const Rows rows,
             Execute("SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint"
                     " AS now",
                     kQueryLimit));
  return FromMicros(NumberIn(rows.Text(0, "now")));
}

Result<StartedBackup> BackupSession::Start(const std::string& label) {
  const auto slot = Execute(
      fmt::format("SELECT pg_create_physical_replication_slot('howdah_backup_{}', true, true)",
                  connection_.BackendPid()),
      kQueryLimit);
  if (!slot) return Fail(slot.error().During("keeping the WAL of the backup with a slot"));
  StartedBackup started;
  TRY_ASSIGN(started.time, ServerTime());
  const std::string_view start = connection_.ServerMajor() < 15
                                     ? "SELECT pg_start_backup({}, true, false) AS lsn"
                                     : "SELECT pg_backup_start({}, true) AS lsn";
  TRY_ASSIGN(
      const Rows rows,
      Execute(fmt::format(fmt::runtime(start), postgres::QuoteLiteral(label)), kCheckpointLimit));
  TRY_ASSIGN(started.start, Lsn::Parse(rows.Text(0, "lsn")));
  return started;
}

Result<StoppedBackup> BackupSession::Stop() {
  TRY_ASSIGN(const Rows rows,
             Execute(connection_.ServerMajor() < 15 ? "SELECT * FROM pg_stop_backup(false, false)"
                                                    : "SELECT * FROM pg_backup_stop(false)",
                     kQueryLimit));
  if (!rows.Text(0, "spcmapfile").empty()) {
    return Fail(Code::kUnsupported, "a tablespace was created while the backup was being taken");
  }
  StoppedBackup stopped{.label = rows.Text(0, "labelfile")};
  TRY_ASSIGN(stopped.stop, Lsn::Parse(rows.Text(0, "lsn")));
  TRY_ASSIGN(stopped.timeline, TimelineOfLabel(stopped.label));
  TRY(CheckTimeline(stopped));
  TRY_ASSIGN(stopped.time, ServerTime());
  return stopped;
}

// A standby follows its primary on to another timeline without a word.
Result<> BackupSession::CheckTimeline(const StoppedBackup& stopped) {
  TRY_ASSIGN(const Rows rows,
             Execute("SELECT CASE WHEN pg_is_in_recovery()"
                     " THEN (SELECT min_recovery_end_timeline FROM pg_control_recovery())"
                     " ELSE (SELECT timeline_id FROM pg_control_checkpoint()) END AS now",
                     kQueryLimit));
  if (NumberIn(rows.Text(0, "now")) == postgres::ToNumber(stopped.timeline)) return {};
  return Fail(Code::kConflict, "the server changed its timeline while the backup was being taken");
}

}  // namespace howdah::backup
