// See connection.h. libpq in non-blocking mode, with poll() and our own deadlines.
#include "postgres/connection.h"

#include <fmt/format.h>
#include <poll.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cerrno>

namespace howdah::postgres {
namespace {

struct ResultCloser {
  void operator()(PGresult* result) const { PQclear(result); }
};
using ResultPtr = std::unique_ptr<PGresult, ResultCloser>;

constexpr const char* kAdminSessionOptions =
    "-c search_path=pg_catalog -c default_transaction_read_only=off -c statement_timeout=0 "
    "-c lock_timeout=0 -c log_statement=none -c log_min_duration_statement=-1 -c log_duration=off "
    "-c log_min_error_statement=panic -c pg_stat_statements.track=none";

Code CodeOfSqlState(std::string_view state) {
  if (state == "42710" || state == "42P04") return Code::kAlreadyExists;
  if (state == "42704" || state == "42P01" || state == "3D000") return Code::kNotFound;
  if (state == "42501" || state.starts_with("28")) return Code::kPermission;
  if (state == "55006" || state == "2BP01") return Code::kInUse;
  if (state == "57014") return Code::kTimeout;
  if (state == "53300" || state.starts_with("57P") || state.starts_with("08")) {
    return Code::kUnavailable;
  }
  // A standby's query that stood in the way of replay, a deadlock: the next try may do.
  if (state.starts_with("40")) return Code::kConflict;
  if (state.starts_with("53")) return Code::kExhausted;
  if (state.starts_with("55")) return Code::kFailedState;
  if (state.starts_with("22") || state.starts_with("23") || state.starts_with("42")) {
    return Code::kInvalid;
  }
  return Code::kInternal;
}

std::string FirstLine(std::string_view text) {
  return std::string(text.substr(0, text.find('\n')));
}

// While connecting, libpq gives no SQLSTATE but in the text of a verbose message: "FATAL:  28P01:
// …".
std::string SqlStateInMessage(std::string_view message) {
  for (std::size_t i = message.find(":  "); i != std::string_view::npos;
       i = message.find(":  ", i + 1)) {
    const std::string_view state = message.substr(i + 3, 5);
    const bool fits = state.size() == 5 && std::ranges::all_of(state, [](unsigned char c) {
                        return std::isdigit(c) != 0 || std::isupper(c) != 0;
                      });
    if (fits && message.substr(i + 8, 1) == ":") return std::string(state);
  }
  return "";
}

Error ConnectError(PGconn* connection) {
  const std::string_view message = PQerrorMessage(connection);
  const std::string state = SqlStateInMessage(message);
  const Code code = state.empty() ? Code::kUnavailable : CodeOfSqlState(state);
  return Error(code, FirstLine(message));
}

bool IsGood(ExecStatusType status) {
  return status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK || status == PGRES_EMPTY_QUERY;
}

Rows ToRows(const PGresult* result) {
  Rows rows;
  rows.command_tag = PQcmdStatus(const_cast<PGresult*>(result));
  const int columns = PQnfields(result);
  for (int c = 0; c < columns; ++c) rows.columns.emplace_back(PQfname(result, c));
  for (int r = 0; r < PQntuples(result); ++r) {
    Row& row = rows.rows.emplace_back();
    for (int c = 0; c < columns; ++c) {
      if (PQgetisnull(result, r, c) != 0) {
        row.emplace_back();
      } else {
        row.emplace_back(std::string(PQgetvalue(result, r, c),
                                     static_cast<std::size_t>(PQgetlength(result, r, c))));
      }
    }
  }
  return rows;
}

}  // namespace

std::string Rows::Text(std::size_t row, std::string_view column) const {
  const auto found = std::ranges::find(columns, column);
  if (found == columns.end() || row >= rows.size()) return "";
  return rows[row][static_cast<std::size_t>(found - columns.begin())].value_or("");
}

Result<Connection> Connection::Open(const ConnectOptions& options, const system::Clock& clock,
                                    Duration limit) {
  const MonotonicTime deadline = clock.Monotonic() + limit;
  const bool is_admin = options.user == kAdminUser && !options.replication;
  const std::string port = fmt::format("{}", kSocketPort);
  const std::array<std::pair<const char*, const char*>, 12> parameters = {{
      {"host", options.socket_dir.c_str()},
      {"port", port.c_str()},
      {"user", options.user.c_str()},
      {"dbname", options.replication ? "replication" : options.database.c_str()},
      {"password", options.password.c_str()},
      {"application_name", options.application_name.c_str()},
      {"replication", options.replication ? "true" : "false"},
      {"options", is_admin ? kAdminSessionOptions : ""},
      {"client_encoding", "UTF8"},
      {"sslmode", "disable"},
      {"gssencmode", "disable"},
      {"passfile", "/dev/null"},
  }};
  std::array<const char*, 13> names{};
  std::array<const char*, 13> values{};
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    names[i] = parameters[i].first;
    values[i] = parameters[i].second;
  }
  Connection connection(PQconnectStartParams(names.data(), values.data(), 0), clock,
                        options.interrupt);
  if (!connection.connection_) return Fail(Code::kInternal, "libpq: out of memory");
  const auto connected = connection.FinishConnecting(deadline);
  if (!connected) {
    return Fail(connected.error().During(
        fmt::format("connecting to {} as {}", options.socket_dir, options.user)));
  }
  return connection;
}

Result<> Connection::FinishConnecting(MonotonicTime deadline) {
  PGconn* connection = connection_.get();
  PQsetErrorVerbosity(connection, PQERRORS_VERBOSE);
  PQsetNoticeProcessor(connection, [](void*, const char*) {}, nullptr);
  PostgresPollingStatusType status = PGRES_POLLING_WRITING;
  if (PQstatus(connection) == CONNECTION_BAD) status = PGRES_POLLING_FAILED;
  while (status != PGRES_POLLING_OK) {
    if (status == PGRES_POLLING_FAILED) return Fail(ConnectError(connection));
    TRY(AwaitSocket(status == PGRES_POLLING_WRITING, deadline));
    status = PQconnectPoll(connection);
  }
  PQsetErrorVerbosity(connection, PQERRORS_DEFAULT);
  if (PQsetnonblocking(connection, 1) != 0) return Fail(ConnectError(connection));
  return {};
}

Result<> Connection::AwaitSocket(bool for_write, MonotonicTime deadline) {
  for (;;) {
    const auto left = deadline - clock_->Monotonic();
    if (left <= Duration::zero()) return Fail(Code::kTimeout, "no answer in time");
    const auto left_ms = std::chrono::ceil<std::chrono::milliseconds>(left).count();
    // poll() passes over a descriptor of -1.
    std::array<pollfd, 2> waiting{
        {{.fd = PQsocket(connection_.get()),
          .events = static_cast<short>(for_write ? POLLIN | POLLOUT : POLLIN),
          .revents = 0},
         {.fd = interrupt_, .events = POLLIN, .revents = 0}}};
    const int ready = ::poll(waiting.data(), waiting.size(),
                             static_cast<int>(std::min<long>(left_ms, 3'600'000)));
    if (ready > 0 && waiting[1].revents != 0) {
      return Fail(Code::kUnavailable, "interrupted: something else is to be done");
    }
    if (ready > 0) return {};
    if (ready < 0 && errno != EINTR) return Fail(ErrnoError("poll", errno));
  }
}

Result<> Connection::Flush(MonotonicTime deadline) {
  for (;;) {
    const int left = PQflush(connection_.get());
    if (left == 0) return {};
    if (left < 0) return Fail(ConnectError(connection_.get()));
    TRY(AwaitSocket(true, deadline));
    if (PQconsumeInput(connection_.get()) == 0) return Fail(ConnectError(connection_.get()));
  }
}

Result<bool> Connection::AwaitReadable(Duration limit) {
  if (!connection_) return Fail(Code::kUnavailable, "the connection is closed");
  const auto waited = AwaitSocket(false, clock_->Monotonic() + limit);
  if (!waited && waited.error().code() == Code::kTimeout) return false;
  TRY(waited);
  if (PQconsumeInput(connection_.get()) == 0) return Fail(ConnectError(connection_.get()));
  return true;
}

Result<Rows> Connection::Execute(const std::string& sql, Duration limit) {
  if (IsBroken()) return Fail(Code::kUnavailable, "the connection is closed");
  const MonotonicTime deadline = clock_->Monotonic() + limit;
  sql_state_.clear();
  if (PQsendQuery(connection_.get(), sql.c_str()) == 0) {
    return Fail(Code::kUnavailable, FirstLine(PQerrorMessage(connection_.get())));
  }
  const auto flushed = Flush(deadline);
  auto rows = flushed ? Collect(deadline) : Result<Rows>(Fail(flushed.error()));
  // After a timeout the answer may still come: nobody may read it as that of the next command.
  if (!rows && sql_state_.empty()) connection_.reset();
  return rows;
}

Result<Rows> Connection::Collect(MonotonicTime deadline) {
  Rows rows;
  std::optional<Error> failed;
  for (;;) {
    while (PQisBusy(connection_.get()) != 0) {
      TRY(AwaitSocket(false, deadline));
      if (PQconsumeInput(connection_.get()) == 0) return Fail(ConnectError(connection_.get()));
    }
    const ResultPtr result(PQgetResult(connection_.get()));
    if (!result) break;
    const ExecStatusType status = PQresultStatus(result.get());
    if (IsGood(status)) {
      rows = ToRows(result.get());
    } else if (status == PGRES_FATAL_ERROR) {
      failed = ServerError(result.get());
    } else {
      return Fail(Code::kUnsupported, "a COPY where rows were expected");
    }
  }
  if (failed) return Fail(*failed);
  return rows;
}

Error Connection::ServerError(const PGresult* result) {
  const char* state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
  const char* message = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
  // Without a SQLSTATE it is libpq that speaks: the connection is lost.
  if (state == nullptr) return Error(Code::kUnavailable, FirstLine(PQresultErrorMessage(result)));
  sql_state_ = state;
  return Error(CodeOfSqlState(sql_state_),
               fmt::format("{} (SQLSTATE {})", message == nullptr ? "" : message, sql_state_));
}

bool Connection::IsBroken() const {
  return !connection_ || PQstatus(connection_.get()) != CONNECTION_OK;
}

int Connection::BackendPid() const {
  return connection_ ? PQbackendPID(connection_.get()) : 0;
}

int Connection::ServerMajor() const {
  return connection_ ? PQserverVersion(connection_.get()) / 10000 : 0;
}

}  // namespace howdah::postgres
