// One libpq connection over a Unix socket, every wait bounded. Passwords never appear in errors.
// Not thread-safe: one owner, any thread. A connection on which a deadline passed is broken and
// closed; it is closed without a cancel, because a cancelled wait for a standby would count as a
// commit (H1).
#pragma once

#include <libpq-fe.h>

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "system/clock.h"

namespace howdah::postgres {

constexpr std::string_view kAdminUser = "rdsadmin";
constexpr std::string_view kAdminDatabase = "rdsadmin";
constexpr std::string_view kReplicationUser = "rdsrepladmin";
constexpr int kSocketPort = 5432;  // names the socket file; nothing listens on TCP

struct ConnectOptions {
  std::string socket_dir;
  std::string user = std::string(kAdminUser);
  // The default is the one database that a master user can neither enter nor drop.
  std::string database = std::string(kAdminDatabase);
  std::string password;
  std::string application_name = "howdah";
  bool replication = false;  // a physical replication connection (walsender)
  // Once this descriptor is readable, every wait ends with kUnavailable; -1: none. It is the
  // caller's, and outlives the connection.
  int interrupt = -1;
};

using Row = std::vector<std::optional<std::string>>;  // nullopt: NULL
struct Rows {
  std::vector<std::string> columns;
  std::vector<Row> rows;
  std::string command_tag;

  bool empty() const { return rows.empty(); }
  // The value in the column of that name; "" where NULL or absent.
  std::string Text(std::size_t row, std::string_view column) const;
};

// A session of rdsadmin pins its search_path (a database's owner could set another and have a
// superuser call his functions) and is neither logged nor counted by pg_stat_statements
// (verifiers).
class Connection {
 public:
  // kUnavailable: no server there, or it is starting or stopping; kPermission: refused the login;
  // kNotFound: no such database; kTimeout.
  static Result<Connection> Open(const ConnectOptions& options, const system::Clock& clock,
                                 Duration limit);

  // Runs one command (or several, separated by semicolons, as one transaction; the last one's rows
  // are returned). SQLSTATE of a failed one: SqlState().
  Result<Rows> Execute(const std::string& sql, Duration limit);

  bool IsBroken() const;
  int BackendPid() const;
  int ServerMajor() const;
  // The SQLSTATE of the last failed command, or "".
  const std::string& SqlState() const { return sql_state_; }

  // For base_backup.cc: libpq's connection, and waiting for it to become readable.
  PGconn* raw() { return connection_.get(); }
  // False when `limit` passed.
  Result<bool> AwaitReadable(Duration limit);

 private:
  struct Closer {
    void operator()(PGconn* connection) const { PQfinish(connection); }
  };
  Connection(PGconn* connection, const system::Clock& clock, int interrupt)
      : connection_(connection), clock_(&clock), interrupt_(interrupt) {}

  Result<> Flush(MonotonicTime deadline);
  Result<> AwaitSocket(bool for_write, MonotonicTime deadline);
  Error ServerError(const PGresult* result);
  Result<> FinishConnecting(MonotonicTime deadline);
  Result<Rows> Collect(MonotonicTime deadline);

  std::unique_ptr<PGconn, Closer> connection_;
  const system::Clock* clock_;
  int interrupt_;
  std::string sql_state_;
};

}  // namespace howdah::postgres
