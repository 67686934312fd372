#include "postgres/writers.h"

#include <charconv>

#include "postgres/quote.h"

namespace howdah::postgres {

Result<std::string> ReadOnlySince(Connection& admin, Duration limit) {
  TRY_ASSIGN(
      const Rows rows,
      admin.Execute("SELECT pg_catalog.clock_timestamp() + interval '1 second' AS since", limit));
  return rows.Text(0, "since");
}

Result<int> EndWriters(Connection& admin, const std::string& since, Duration limit) {
  TRY_ASSIGN(
      const Rows rows,
      admin.Execute("SELECT count(*) FILTER (WHERE pg_catalog.pg_terminate_backend(pid)) AS ended"
                    " FROM pg_catalog.pg_stat_activity WHERE backend_type = 'client backend'"
                    " AND backend_xid IS NOT NULL AND usename IS DISTINCT FROM 'rdsadmin'"
                    " AND wait_event IS DISTINCT FROM 'SyncRep' AND xact_start < " +
                        QuoteLiteral(since) + "::pg_catalog.timestamptz",
                    limit));
  const std::string text = rows.Text(0, "ended");
  int ended = 0;
  std::from_chars(text.data(), text.data() + text.size(), ended);
  return ended;
}

}  // namespace howdah::postgres
