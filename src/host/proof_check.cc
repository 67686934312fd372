#include "host/proof_check.h"

#include <fmt/format.h>

#include "backup/page_checksum.h"
#include "backup/selection.h"
#include "postgres/quote.h"

namespace howdah::host {

namespace {

using postgres::Connection;
using postgres::Rows;

constexpr Duration kListLimit = 5min;
constexpr Duration kTableLimit = 5min;
constexpr Duration kIndexLimit = 4h;
constexpr std::size_t kPage = 8192;
constexpr std::size_t kChunk = 128 * kPage;
constexpr std::string_view kSchema = "howdah_proof";

// What of the server's own answers is a finding, and what only says that it could not be asked.
bool IsFinding(const Error& error) {
  return error.code() != Code::kUnavailable && error.code() != Code::kTimeout;
}

// Names are quoted by the server, which knows best.
constexpr std::string_view kTables =
    "SELECT pg_catalog.format('%I.%I', n.nspname, c.relname) AS name "
    "FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace "
    "WHERE c.relkind IN ('r', 'm') AND c.relpersistence = 'p' AND c.relispopulated "
    "AND n.nspname NOT LIKE 'pg\\_%' AND n.nspname <> 'information_schema' ORDER BY 1";
constexpr std::string_view kIndexes =
    "SELECT c.oid AS oid, pg_catalog.format('%I.%I', n.nspname, c.relname) AS name "
    "FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace "
    "JOIN pg_catalog.pg_index i ON i.indexrelid = c.oid JOIN pg_catalog.pg_am a ON a.oid = c.relam "
    "WHERE a.amname = 'btree' AND c.relkind = 'i' AND c.relpersistence = 'p' "
    "AND i.indisvalid AND i.indisready ORDER BY 2";
constexpr std::string_view kCatalogue =
    "SELECT (SELECT count(*) FROM pg_catalog.pg_class) > 0 AND "
    "(SELECT count(*) FROM pg_catalog.pg_attribute) > 0 AND "
    "(SELECT count(*) FROM pg_catalog.pg_proc) > 0 AS whole";

class DatabaseCheck {
 public:
  DatabaseCheck(const ProofNeeds& needs, const std::string& database, nodes::Proven& proven)
      : needs_(needs), database_(database), proven_(proven) {}

  Result<> Run() {
    TRY_ASSIGN(Connection connection, needs_.connect(database_));
    TRY_ASSIGN(const Rows catalogue, connection.Execute(std::string(kCatalogue), kTableLimit));
    if (catalogue.Text(0, "whole") != "t") {
      return Fail(Code::kCorrupt, "its system catalogue is empty");
    }
    TRY(ReadTables(connection));
    TRY(CheckIndexes(connection));
    ++proven_.databases;
    return {};
  }

 private:
  Result<> Proceed() const {
    if (needs_.is_called_off()) return Fail(Code::kUnavailable, "the checks were called off");
    return {};
  }

  Result<> ReadTables(Connection& connection) {
    TRY_ASSIGN(const Rows tables, connection.Execute(std::string(kTables), kListLimit));
    for (std::size_t i = 0; i < tables.rows.size(); ++i) {
      TRY(Proceed());
      const std::string name = tables.Text(i, "name");
      const auto read =
          connection.Execute(fmt::format("SELECT 1 FROM ONLY {} LIMIT 1", name), kTableLimit);
      if (!read) return Fail(read.error().During("table " + name));
      ++proven_.tables;
    }
    return {};
  }

  // Where amcheck is; empty: the engine does not bring it.
  Result<std::string> FindAmcheck(Connection& connection) {
    constexpr std::string_view kWhere =
        "SELECT pg_catalog.quote_ident(n.nspname) AS name FROM pg_catalog.pg_extension e "
        "JOIN pg_catalog.pg_namespace n ON n.oid = e.extnamespace WHERE e.extname = 'amcheck'";
    TRY_ASSIGN(const Rows there, connection.Execute(std::string(kWhere), kListLimit));
    if (!there.empty()) return there.Text(0, "name");
    TRY_ASSIGN(const Rows offered,
               connection.Execute("SELECT 1 AS one FROM pg_catalog.pg_available_extensions "
                                  "WHERE name = 'amcheck'",
                                  kListLimit));
    if (offered.empty()) return std::string();
    TRY(connection.Execute(fmt::format("CREATE SCHEMA IF NOT EXISTS {0}; "
                                       "CREATE EXTENSION IF NOT EXISTS amcheck SCHEMA {0}",
                                       kSchema),
                           kTableLimit));
    return std::string(kSchema);
  }

  Result<> CheckIndexes(Connection& connection) {
    TRY_ASSIGN(const std::string amcheck, FindAmcheck(connection));
    if (amcheck.empty()) return {};
    TRY_ASSIGN(const Rows indexes, connection.Execute(std::string(kIndexes), kListLimit));
    for (std::size_t i = 0; i < indexes.rows.size(); ++i) {
      TRY(Proceed());
      const auto checked = connection.Execute(
          fmt::format("SELECT {}.bt_index_check({}::pg_catalog.oid::pg_catalog.regclass)", amcheck,
                      indexes.Text(i, "oid")),
          kIndexLimit);
      if (!checked) return Fail(checked.error().During("index " + indexes.Text(i, "name")));
      ++proven_.indexes;
    }
    return {};
  }

  const ProofNeeds& needs_;
  const std::string database_;
  nodes::Proven& proven_;
};

// One file of a relation. A last page that is not whole is damage too.
Result<> CheckFile(const ProofNeeds& needs, const std::string& path,
                   const backup::RelationFile& file, const std::string& name,
                   nodes::Proven& proven) {
  std::uint32_t block = file.FirstBlock();
  for (std::uint64_t offset = 0;; offset += kChunk) {
    if (needs.is_called_off()) return Fail(Code::kUnavailable, "the checks were called off");
    TRY_ASSIGN(const std::string bytes, needs.disk.ReadAt(path, offset, kChunk));
    if (bytes.size() % kPage != 0) {
      proven.failure = fmt::format("{} ends in the middle of a page", name);
      return {};
    }
    for (std::size_t at = 0; at < bytes.size(); at += kPage, ++block) {
      ++proven.pages;
      if (backup::CheckPage(bytes.data() + at, block) != backup::PageState::kBad) continue;
      proven.failure = fmt::format("{}: block {} has a wrong checksum", name, block);
      return {};
    }
    if (bytes.size() < kChunk) return {};
  }
}

Result<> CheckDirectory(const ProofNeeds& needs, const std::string& data,
                        const std::string& directory, nodes::Proven& proven) {
  TRY_ASSIGN(const auto names, needs.disk.List(data + "/" + directory));
  for (const std::string& name : names) {
    const std::string path = directory + "/" + name;
    const auto file = backup::ParseRelationFile(path);
    if (!file) continue;
    TRY(CheckFile(needs, data + "/" + path, *file, path, proven));
    if (!proven.failure.empty()) return {};
  }
  return {};
}

}  // namespace

Result<> CheckDatabases(const ProofNeeds& needs, nodes::Proven& proven) {
  TRY_ASSIGN(Connection connection, needs.connect("postgres"));
  TRY_ASSIGN(const Rows databases,
             connection.Execute("SELECT datname AS name FROM pg_catalog.pg_database "
                                "WHERE datallowconn ORDER BY 1",
                                kListLimit));
  for (std::size_t i = 0; i < databases.rows.size(); ++i) {
    const std::string name = databases.Text(i, "name");
    const Result<> checked = DatabaseCheck(needs, name, proven).Run();
    if (checked) continue;
    if (!IsFinding(checked.error())) return checked;
    proven.failure = fmt::format("database {}: {}", name, checked.error().what());
    return {};
  }
  if (databases.empty()) proven.failure = "it has no database";
  return {};
}

Result<> CheckPages(const ProofNeeds& needs, const std::string& data, nodes::Proven& proven) {
  std::vector<std::string> directories = {"global"};
  TRY_ASSIGN(const auto databases, needs.disk.List(data + "/base"));
  for (const std::string& name : databases) {
    const bool is_database = name.find_first_not_of("0123456789") == std::string::npos;
    if (is_database) directories.push_back("base/" + name);
  }
  for (const std::string& directory : directories) {
    TRY(CheckDirectory(needs, data, directory, proven));
    if (!proven.failure.empty()) return {};
  }
  return {};
}

}  // namespace howdah::host
