// SQLite's result codes become our few: what a caller can decide on is whether the disk is full,
// the file is damaged, or trying again may help.
#include "store/sqlite/connection.h"

#include <fmt/format.h>

#include <cerrno>

namespace howdah::store {
namespace {

bool IsDiskFull(sqlite3* database, int code) {
  if ((code & 0xff) == SQLITE_FULL) return true;
  if ((code & 0xff) != SQLITE_IOERR && (code & 0xff) != SQLITE_CANTOPEN) return false;
  const int cause = sqlite3_system_errno(database);
  return cause == ENOSPC || cause == EDQUOT;
}

Code CodeOf(int code) {
  switch (code & 0xff) {
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return Code::kCorrupt;
    case SQLITE_TOOBIG:
      return Code::kInvalid;
    case SQLITE_IOERR:
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
    case SQLITE_CANTOPEN:
    case SQLITE_READONLY:
      return Code::kUnavailable;
    default:
      return Code::kInternal;
  }
}

Error ErrorOf(sqlite3* database, int code) {
  // It passes when there is room again, and is nobody's limit: who asked may ask again.
  if (IsDiskFull(database, code)) {
    const char* path = sqlite3_db_filename(database, "main");
    return Error(
        Code::kUnavailable,
        fmt::format("the disk that holds Howdah's state ({}) is full; nothing was changed. "
                    "Make room on it and try again",
                    path == nullptr ? "?" : path));
  }
  return Error(CodeOf(code), fmt::format("store: {}", sqlite3_errmsg(database)));
}

}  // namespace

Statement::~Statement() {
  if (!statement_) return;
  sqlite3_reset(statement_);
  sqlite3_clear_bindings(statement_);
}

Statement& Statement::Bind(int index, std::string_view text) {
  // A null pointer would bind NULL, and an empty text is not NULL.
  const char* data = text.empty() ? "" : text.data();
  sqlite3_bind_text64(statement_, index, data, text.size(), SQLITE_STATIC, SQLITE_UTF8);
  return *this;
}

Statement& Statement::Bind(int index, std::int64_t number) {
  sqlite3_bind_int64(statement_, index, number);
  return *this;
}

Statement& Statement::BindNull(int index) {
  sqlite3_bind_null(statement_, index);
  return *this;
}

Result<bool> Statement::Step() {
  const int code = sqlite3_step(statement_);
  if (code == SQLITE_ROW) return true;
  if (code == SQLITE_DONE) return false;
  return Fail(ErrorOf(database_, code));
}

bool Statement::IsNull(int column) const {
  return sqlite3_column_type(statement_, column) == SQLITE_NULL;
}

std::string Statement::Text(int column) const {
  const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(statement_, column));
  if (!text) return "";
  return std::string(text, static_cast<std::size_t>(sqlite3_column_bytes(statement_, column)));
}

Result<std::unique_ptr<Connection>> Connection::Open(const std::string& path) {
  sqlite3* database = nullptr;
  const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;
  const int code = sqlite3_open_v2(path.c_str(), &database, flags, nullptr);
  if (code != SQLITE_OK) {
    Error error = ErrorOf(database, code);
    sqlite3_close(database);
    return Fail(error.During("opening " + path));
  }
  sqlite3_extended_result_codes(database, 1);
  sqlite3_busy_timeout(database, 5000);
  return std::unique_ptr<Connection>(new Connection(database));
}

Connection::~Connection() {
  for (const auto& [sql, statement] : statements_) sqlite3_finalize(statement);
  sqlite3_close(database_);
}

Result<> Connection::Execute(const std::string& sql) {
  const int code = sqlite3_exec(database_, sql.c_str(), nullptr, nullptr, nullptr);
  if (code != SQLITE_OK) return Fail(ErrorOf(database_, code));
  return {};
}

Result<Statement> Connection::Prepare(std::string_view sql) {
  if (const auto found = statements_.find(sql); found != statements_.end()) {
    return Statement(database_, found->second);
  }
  sqlite3_stmt* statement = nullptr;
  const int code = sqlite3_prepare_v3(database_, sql.data(), static_cast<int>(sql.size()),
                                      SQLITE_PREPARE_PERSISTENT, &statement, nullptr);
  if (code != SQLITE_OK) return Fail(ErrorOf(database_, code));
  statements_.emplace(sql, statement);
  return Statement(database_, statement);
}

Result<std::int64_t> Connection::Number(std::string_view sql) {
  TRY_ASSIGN(Statement query, Prepare(sql));
  TRY_ASSIGN(const bool found, query.Step());
  return found ? query.Int(0) : 0;
}

void Connection::RollbackIfOpen() {
  // After some errors SQLite has rolled back by itself already.
  if (sqlite3_get_autocommit(database_) == 0) {
    sqlite3_exec(database_, "ROLLBACK", nullptr, nullptr, nullptr);
  }
}

}  // namespace howdah::store
