// BASE_BACKUP over the replication protocol. Version 14 answers: start position, tablespaces, one
// COPY a tablespace, end position. From 15 on there is one COPY whose messages begin with a letter:
// n new archive, d data, m manifest, p progress. Source: PostgreSQL's documentation, "Streaming
// Replication Protocol".
#include "postgres/base_backup.h"

#include <fmt/format.h>

#include <charconv>

#include "postgres/delta_sink.h"
#include "postgres/quote.h"
#include "postgres/tar.h"

namespace howdah::postgres {
namespace {

constexpr Duration kConnectLimit = std::chrono::seconds(10);
constexpr std::size_t kBufferBytes = 1 << 20;

// Writes what the tar holds below a directory.
class TreeSink final : public TarSink {
 public:
  TreeSink(system::Disk& disk, std::string root) : disk_(disk), root_(std::move(root)) {}

  Result<> OnEntry(const TarEntry& entry) override {
    if (entry.type == TarType::kSymlink) {
      return Fail(Code::kUnsupported, "the server has a tablespace outside its data directory");
    }
    path_ = entry.path.empty() ? root_ : root_ + "/" + entry.path;
    if (entry.type == TarType::kDirectory) return disk_.MakeDirectories(path_, 0700);
    if (entry.path.empty()) return Fail(Code::kCorrupt, "a file without a name");
    if (const auto slash = path_.rfind('/'); slash > root_.size()) {
      TRY(disk_.MakeDirectories(path_.substr(0, slash), 0700));
    }
    return disk_.Append(path_, "", 0600);
  }

  Result<> OnData(std::string_view bytes) override {
    buffer_ += bytes;
    return buffer_.size() >= kBufferBytes ? Flush() : Result<>();
  }

  Result<> OnEntryEnd() override { return buffer_.empty() ? Result<>() : Flush(); }

 private:
  Result<> Flush() {
    TRY(disk_.Append(path_, buffer_, 0600));
    buffer_.clear();
    return {};
  }

  system::Disk& disk_;
  std::string root_;
  std::string path_;
  std::string buffer_;
};

struct ResultCloser {
  void operator()(PGresult* result) const { PQclear(result); }
};
using ResultPtr = std::unique_ptr<PGresult, ResultCloser>;

class Backup {
 public:
  Backup(Connection& connection, const BaseBackupOptions& options, TarSink& sink)
      : connection_(connection), options_(options), reader_(sink) {}

  Result<BaseBackupOutcome> Run() {
    if (PQsendQuery(connection_.raw(), Command().c_str()) == 0) return Lost();
    while (PQflush(connection_.raw()) > 0) TRY(Wait());
    TRY(ReadPosition(outcome_.start, /*with_timeline=*/true));
    TRY(ReadTablespaces());
    TRY(ReadCopy());
    TRY(reader_.Finish());
    TRY(ReadPosition(outcome_.end, /*with_timeline=*/false));
    while (true) {
      TRY_ASSIGN(const ResultPtr rest, NextResult());
      if (!rest) return outcome_;
      if (PQresultStatus(rest.get()) == PGRES_FATAL_ERROR) return ServerError(rest.get());
    }
  }

 private:
  std::string Command() const {
    if (connection_.ServerMajor() < 15) return "BASE_BACKUP LABEL 'howdah' PROGRESS FAST WAL";
    return "BASE_BACKUP (LABEL 'howdah', PROGRESS, CHECKPOINT 'fast', WAL)";
  }

  std::unexpected<Error> Lost() const {
    return Fail(Code::kUnavailable,
                fmt::format("base backup: {}", PQerrorMessage(connection_.raw())));
  }

  std::unexpected<Error> ServerError(const PGresult* result) const {
    return Fail(Code::kUnavailable, fmt::format("base backup: {}", PQresultErrorMessage(result)));
  }

  Result<> Wait() {
    TRY_ASSIGN(const bool readable, connection_.AwaitReadable(options_.stall_limit));
    if (!readable) return Fail(Code::kTimeout, "base backup: the server has fallen silent");
    return {};
  }

  Result<ResultPtr> NextResult() {
    while (PQisBusy(connection_.raw()) != 0) TRY(Wait());
    return ResultPtr(PQgetResult(connection_.raw()));
  }

  Result<ResultPtr> NextTuples() {
    TRY_ASSIGN(ResultPtr result, NextResult());
    if (!result) return Fail(Code::kCorrupt, "base backup: the answer ended early");
    if (PQresultStatus(result.get()) == PGRES_FATAL_ERROR) return ServerError(result.get());
    if (PQresultStatus(result.get()) != PGRES_TUPLES_OK) {
      return Fail(Code::kCorrupt, "base backup: an unexpected answer");
    }
    return result;
  }

  Result<> ReadPosition(Lsn& lsn, bool with_timeline) {
    TRY_ASSIGN(const ResultPtr result, NextTuples());
    if (PQntuples(result.get()) != 1 || PQnfields(result.get()) < 2) {
      return Fail(Code::kCorrupt, "base backup: no position");
    }
    TRY_ASSIGN(lsn, Lsn::Parse(PQgetvalue(result.get(), 0, 0)));
    if (with_timeline) {
      const std::string_view text = PQgetvalue(result.get(), 0, 1);
      std::uint32_t timeline = 0;
      std::from_chars(text.data(), text.data() + text.size(), timeline);
      outcome_.timeline = Timeline{timeline};
    }
    return {};
  }

  // One row a tablespace: (oid, location, size in KiB); the main one has no oid.
  Result<> ReadTablespaces() {
    TRY_ASSIGN(const ResultPtr result, NextTuples());
    if (PQntuples(result.get()) != 1 || PQgetisnull(result.get(), 0, 0) == 0) {
      return Fail(Code::kUnsupported, "the server has tablespaces, which Howdah does not copy");
    }
    const std::string_view size = PQnfields(result.get()) > 2 ? PQgetvalue(result.get(), 0, 2) : "";
    std::uint64_t kib = 0;
    std::from_chars(size.data(), size.data() + size.size(), kib);
    expected_ = kib * 1024;
    return {};
  }

  Result<> ReadCopy() {
    TRY_ASSIGN(const ResultPtr start, NextResult());
    if (!start || PQresultStatus(start.get()) != PGRES_COPY_OUT) {
      return start ? ServerError(start.get()) : Fail(Code::kCorrupt, "base backup: no data");
    }
    for (;;) {
      char* data = nullptr;
      const int size = PQgetCopyData(connection_.raw(), &data, /*async=*/1);
      const std::unique_ptr<char, decltype(&PQfreemem)> owned(data, PQfreemem);
      if (size > 0) {
        TRY(OnCopyData(std::string_view(data, static_cast<std::size_t>(size))));
      } else if (size == 0) {
        TRY(Wait());
      } else if (size == -1) {
        return {};
      } else {
        return Lost();
      }
    }
  }

  Result<> OnCopyData(std::string_view message) {
    if (connection_.ServerMajor() < 15) return OnArchiveData(message);
    const char kind = message.front();
    if (kind == 'd') return OnArchiveData(message.substr(1));
    if (kind == 'n' && std::exchange(has_archive_, true)) {
      return Fail(Code::kUnsupported, "the server sends more than one archive");
    }
    if (kind == 'm') return Fail(Code::kCorrupt, "base backup: a manifest nobody asked for");
    return {};
  }

  Result<> OnArchiveData(std::string_view bytes) {
    outcome_.bytes += bytes.size();
    TRY(reader_.Feed(bytes));
    if (options_.on_progress && !options_.on_progress(outcome_.bytes, expected_)) {
      return Fail(Code::kUnavailable, "base backup: stopped on request");
    }
    return {};
  }

  Connection& connection_;
  const BaseBackupOptions& options_;
  TarReader reader_;
  BaseBackupOutcome outcome_;
  std::uint64_t expected_ = 0;
  bool has_archive_ = false;
};

Result<Connection> ConnectForReplication(const BaseBackupOptions& options,
                                         const system::Clock& clock) {
  ConnectOptions connect;
  connect.socket_dir = options.socket_dir;
  connect.user = kReplicationUser;
  connect.password = options.password;
  connect.application_name = "howdah-base-backup";
  connect.replication = true;
  return Connection::Open(connect, clock, kConnectLimit);
}

Result<> EnsureSlotOverReplication(Connection& connection, const std::string& slot) {
  if (slot.empty()) return {};
  const auto made = connection.Execute(
      fmt::format("CREATE_REPLICATION_SLOT {} PHYSICAL RESERVE_WAL", QuoteIdentifier(slot)),
      kConnectLimit);
  if (!made && made.error().code() != Code::kAlreadyExists) {
    return Fail(made.error().During("creating a replication slot"));
  }
  return {};
}

}  // namespace

Result<BaseBackupOutcome> TakeBaseBackup(const NodePaths& target, const BaseBackupOptions& options,
                                         system::Disk& disk, const system::Clock& clock) {
  TRY_ASSIGN(const bool occupied, disk.Exists(target.Data()));
  if (occupied) return Fail(Code::kAlreadyExists, target.Data() + " is there already");
  TRY(disk.RemoveTree(target.NewData()));
  TRY(disk.MakeDirectories(target.NewData()));
  TRY_ASSIGN(Connection connection, ConnectForReplication(options, clock));
  TRY(EnsureSlotOverReplication(connection, options.slot_name));
  TreeSink sink(disk, target.NewData());
  TRY_ASSIGN(const BaseBackupOutcome outcome, Backup(connection, options, sink).Run());
  TRY_ASSIGN(const bool complete, disk.Exists(target.NewData() + "/global/pg_control"));
  if (!complete) return Fail(Code::kCorrupt, "base backup: it has no pg_control");
  TRY(disk.WriteDurably(target.NewData() + "/standby.signal", "", 0600));
  TRY(disk.SyncTree(target.NewData()));
  TRY(disk.Rename(target.NewData(), target.Data()));
  return outcome;
}

Result<BaseBackupOutcome> TakeDeltaCopy(const NodePaths& target, const BaseBackupOptions& options,
                                        system::Disk& disk, const system::Clock& clock) {
  TRY_ASSIGN(const bool marked, disk.Exists(target.RejoinMarker()));
  if (!marked) return Fail(Code::kInternal, "a delta copy without its marker");
  TRY(disk.MakeDirectories(target.Data()));
  TRY_ASSIGN(Connection connection, ConnectForReplication(options, clock));
  TRY(EnsureSlotOverReplication(connection, options.slot_name));
  DeltaSink sink(disk, target.Data());
  TRY_ASSIGN(BaseBackupOutcome outcome, Backup(connection, options, sink).Run());
  TRY(sink.Finish());
  TRY_ASSIGN(const bool complete, disk.Exists(target.ControlFile()));
  if (!complete) return Fail(Code::kCorrupt, "base backup: it has no pg_control");
  TRY(disk.WriteDurably(target.StandbySignal(), "", 0600));
  TRY(disk.SyncTree(target.Data()));
  outcome.written = sink.written_bytes();
  return outcome;
}

Result<PrimaryHistory> ReadPrimaryHistory(const BaseBackupOptions& options,
                                          const system::Clock& clock) {
  TRY_ASSIGN(Connection connection, ConnectForReplication(options, clock));
  TRY(EnsureSlotOverReplication(connection, options.slot_name));
  return ReadHistory(connection, kConnectLimit);
}

Result<PrimaryHistory> ReadHistory(Connection& replication, Duration limit) {
  TRY_ASSIGN(const Rows system, replication.Execute("IDENTIFY_SYSTEM", limit));
  PrimaryHistory history;
  const std::string identifier = system.Text(0, "systemid");
  std::from_chars(identifier.data(), identifier.data() + identifier.size(),
                  history.system_identifier);
  history.timeline = ParseTimeline(system.Text(0, "timeline"));
  TRY_ASSIGN(history.flushed, Lsn::Parse(system.Text(0, "xlogpos")));
  if (ToNumber(history.timeline) <= 1) return history;  // the first has no history
  TRY_ASSIGN(
      const Rows file,
      replication.Execute(fmt::format("TIMELINE_HISTORY {}", ToNumber(history.timeline)), limit));
  TRY_ASSIGN(history.ancestors, ParseTimelineHistory(file.Text(0, "content")));
  return history;
}

}  // namespace howdah::postgres
