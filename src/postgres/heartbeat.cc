#include "postgres/heartbeat.h"

#include <fmt/format.h>

namespace howdah::postgres {
namespace {

// Kept back to ask why a commit is not answered.
constexpr Duration kToAskWhy = std::chrono::milliseconds(300);

struct ResultCloser {
  void operator()(PGresult* result) const { PQclear(result); }
};
using ResultPtr = std::unique_ptr<PGresult, ResultCloser>;

// All places are taken: the server answers, and whoever holds them is served.
bool IsFull(const Error& error) {
  return error.what().find("53300") != std::string::npos;
}

}  // namespace

Duration Heartbeat::Left(MonotonicTime deadline) const {
  return std::max<Duration>(deadline - clock_.Monotonic(), Duration(1));
}

std::string_view Heartbeat::Beat(Duration limit) {
  const MonotonicTime deadline = clock_.Monotonic() + limit;
  Result<Connection> connection = Connection::Open(options_, clock_, limit);
  if (!connection) return IsFull(connection.error()) ? "" : kNoConnection;
  if (!connection->Execute("SELECT 1", Left(deadline))) return kNoAnswer;
  if (!pending_) return Commit(*std::move(connection), deadline);
  const std::string_view failed = AwaitPending(Left(deadline) - kToAskWhy);
  if (failed.empty() || !pending_) return failed;
  return WaitsForStandby(*connection, Left(deadline)) ? kSilentStandby : failed;
}

std::string_view Heartbeat::Commit(Connection connection, MonotonicTime deadline) {
  // Both in one transaction; a transactional message has a transaction id, so its commit waits.
  constexpr const char* kCommit =
      "SET synchronous_commit = on; "
      "SELECT pg_catalog.pg_logical_emit_message(true, 'howdah', 'heartbeat')";
  if (PQsendQuery(connection.raw(), kCommit) == 0) return kNoCommit;
  while (PQflush(connection.raw()) > 0) {
    if (!connection.AwaitReadable(Left(deadline)).value_or(false)) return kNoCommit;
  }
  pending_ = std::move(connection);
  const std::string_view failed = AwaitPending(Left(deadline) - kToAskWhy);
  if (failed.empty() || !pending_) return failed;
  Result<Connection> another = Connection::Open(options_, clock_, Left(deadline));
  return another && WaitsForStandby(*another, Left(deadline)) ? kSilentStandby : failed;
}

std::string_view Heartbeat::AwaitPending(Duration limit) {
  const MonotonicTime deadline = clock_.Monotonic() + limit;
  for (;;) {
    while (PQisBusy(pending_->raw()) != 0) {
      const Result<bool> readable = pending_->AwaitReadable(Left(deadline));
      if (readable && *readable) continue;
      if (!readable) pending_.reset();
      return kNoCommit;
    }
    const ResultPtr result(PQgetResult(pending_->raw()));
    if (!result) break;
    if (PQresultStatus(result.get()) != PGRES_FATAL_ERROR) continue;
    pending_.reset();
    return kNoCommit;
  }
  pending_.reset();
  return "";
}

bool Heartbeat::WaitsForStandby(Connection& connection, Duration limit) const {
  const auto rows = connection.Execute(
      fmt::format("SELECT wait_event FROM pg_catalog.pg_stat_activity WHERE pid = {}",
                  pending_->BackendPid()),
      limit);
  return rows && rows->Text(0, "wait_event") == "SyncRep";
}

}  // namespace howdah::postgres
