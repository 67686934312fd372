#include "archive/slot.h"

#include <fmt/format.h>

#include <algorithm>

#include "postgres/observe.h"
#include "postgres/quote.h"
#include "postgres/wal_end.h"

namespace howdah::archive {

using postgres::Connection;
using postgres::Lsn;

Result<> EnsureArchiveSlot(Connection& admin, Duration limit) {
  return postgres::EnsureSlot(admin, kArchiveSlot, limit);
}

Result<> KeepArchiveSlot(Connection& admin, Lsn archived, Duration limit) {
  TRY(EnsureArchiveSlot(admin, limit));
  const std::string target = postgres::QuoteLiteral(archived.Format());
  // It would be an error to move it backwards, or one that somebody streams from.
  TRY(admin.Execute(
      fmt::format("SELECT pg_catalog.pg_replication_slot_advance(slot_name, "
                  "least({0}::pg_catalog.pg_lsn, pg_catalog.pg_last_wal_replay_lsn())) "
                  "FROM pg_catalog.pg_replication_slots WHERE slot_name = {1} AND NOT active AND "
                  "restart_lsn < "
                  "least({0}::pg_catalog.pg_lsn, pg_catalog.pg_last_wal_replay_lsn())",
                  target, postgres::QuoteLiteral(kArchiveSlot)),
      limit));
  return {};
}

Result<> DropArchiveSlot(Connection& admin, Duration limit) {
  return postgres::DropSlot(admin, kArchiveSlot, limit);
}

Result<Lsn> OldestWal(Connection& admin, Lsn after, Duration limit) {
  TRY_ASSIGN(const postgres::Rows rows,
             admin.Execute("SELECT name, pg_catalog.pg_current_wal_flush_lsn() AS flushed FROM "
                           "pg_catalog.pg_ls_waldir() ORDER BY 1",
                           limit));
  Lsn oldest;
  for (std::size_t i = 0; i < rows.rows.size(); ++i) {
    const auto file = postgres::ParseWalFileName(rows.Text(i, "name"));
    // Beyond what is flushed lie segments that were made ready for later.
    const Lsn flushed = Lsn::Parse(rows.Text(i, "flushed")).value_or(Lsn());
    if (!file || file->start <= after || file->start > flushed) continue;
    if (oldest.IsNone() || file->start < oldest) oldest = file->start;
  }
  if (oldest.IsNone()) return Fail(Code::kNotFound, "no WAL after " + after.Format());
  return oldest;
}

}  // namespace howdah::archive
