// SQLite's C interface with owners and Results: a connection that keeps its prepared statements,
// and a statement that resets itself. Not thread-safe: whoever owns a connection has the lock.
#pragma once

#include <sqlite3.h>

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "base/result.h"

namespace howdah::store {

// One use of a prepared statement. What is bound must live until the last Step.
class Statement {
 public:
  Statement(sqlite3* database, sqlite3_stmt* statement)
      : database_(database), statement_(statement) {}
  Statement(Statement&& other) noexcept
      : database_(other.database_), statement_(std::exchange(other.statement_, nullptr)) {}
  Statement(const Statement&) = delete;
  Statement& operator=(const Statement&) = delete;
  Statement& operator=(Statement&&) = delete;
  ~Statement();

  Statement& Bind(int index, std::string_view text);
  Statement& Bind(int index, std::int64_t number);
  Statement& BindNull(int index);
  // True: there is a row to read.
  Result<bool> Step();

  std::int64_t Int(int column) const { return sqlite3_column_int64(statement_, column); }
  bool IsNull(int column) const;
  std::string Text(int column) const;

 private:
  sqlite3* database_;
  sqlite3_stmt* statement_;
};

class Connection {
 public:
  static Result<std::unique_ptr<Connection>> Open(const std::string& path);
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;
  ~Connection();

  // Statements without parameters and results.
  Result<> Execute(const std::string& sql);
  // The statement of this text, prepared once. `sql` is a literal: its address is not kept.
  Result<Statement> Prepare(std::string_view sql);
  // The single number that a query answers; 0 for no row and for NULL.
  Result<std::int64_t> Number(std::string_view sql);
  void RollbackIfOpen();

 private:
  explicit Connection(sqlite3* database) : database_(database) {}
  sqlite3* database_;
  std::map<std::string, sqlite3_stmt*, std::less<>> statements_;
};

}  // namespace howdah::store
