// The lock is flock(2) on a file of its own: SQLite's locks come and go with each transaction, and
// must not keep our own second connection out.
#include "store/sqlite/open.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

namespace howdah::store {
namespace {

constexpr std::int64_t kApplicationId = 0x486f7764;  // "Howd"
constexpr std::int64_t kSchemaVersion = 1;

constexpr const char* kSchema = R"sql(
BEGIN IMMEDIATE;
CREATE TABLE documents (
  key TEXT PRIMARY KEY NOT NULL, value TEXT NOT NULL, revision INTEGER NOT NULL, lease TEXT);
CREATE INDEX documents_by_lease ON documents(lease) WHERE lease IS NOT NULL;
CREATE TABLE history (
  revision INTEGER NOT NULL, position INTEGER NOT NULL, key TEXT NOT NULL, value TEXT,
  PRIMARY KEY (revision, position)) WITHOUT ROWID;
CREATE TABLE leases (
  id TEXT PRIMARY KEY NOT NULL, ttl_us INTEGER NOT NULL, expires_us INTEGER NOT NULL);
PRAGMA application_id = 1215264612;
PRAGMA user_version = 1;
COMMIT;
)sql";
static_assert(kApplicationId == 1215264612);

Error Damaged(const std::string& path, std::string_view why) {
  return Error(Code::kCorrupt,
               fmt::format("the store {} is damaged or is not a Howdah store ({}). Stop Howdah, "
                           "keep a copy of the file with its -wal and -shm, and put a backup of "
                           "the store in its place; databases and their data are not touched",
                           path, why));
}

// SQLite gives its -wal and -shm files the mode of the store, so this one call covers all three.
Result<> CreatePrivate(const std::string& path) {
  const int descriptor = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (descriptor < 0) return Fail(ErrnoError("open " + path, errno));
  const int failed = fchmod(descriptor, 0600);
  const int cause = errno;
  close(descriptor);
  if (failed) return Fail(ErrnoError("chmod " + path, cause));
  return {};
}

Result<> CheckUndamaged(Connection& connection, const std::string& path) {
  TRY_ASSIGN(Statement check, connection.Prepare("PRAGMA quick_check(1)"));
  TRY_ASSIGN(const bool answered, check.Step());
  const std::string verdict = answered ? check.Text(0) : "no answer";
  if (verdict != "ok") return Fail(Damaged(path, verdict));
  return {};
}

Result<> PrepareSchema(Connection& connection, const std::string& path) {
  TRY_ASSIGN(const auto tables, connection.Number("SELECT count(*) FROM sqlite_schema"));
  if (tables == 0) return connection.Execute(kSchema);
  TRY_ASSIGN(const auto application, connection.Number("PRAGMA application_id"));
  if (application != kApplicationId) return Fail(Damaged(path, "another program's file"));
  TRY_ASSIGN(const auto version, connection.Number("PRAGMA user_version"));
  if (version == kSchemaVersion) return {};
  return Fail(Code::kUnsupported,
              fmt::format("the store {} has format {}, this Howdah reads format {}: "
                          "run the Howdah that wrote it, or a newer one",
                          path, version, kSchemaVersion));
}

Result<> Configure(Connection& connection, const SqliteOptions& options) {
  TRY(connection.Execute("PRAGMA journal_mode = WAL"));
  TRY(connection.Execute(options.durable ? "PRAGMA synchronous = FULL"
                                         : "PRAGMA synchronous = OFF"));
  if (options.max_bytes > 0) {
    TRY_ASSIGN(const auto page, connection.Number("PRAGMA page_size"));
    TRY(connection.Execute(fmt::format("PRAGMA max_page_count = {}", options.max_bytes / page)));
  }
  return {};
}

Result<> Prepare(Connection& connection, const std::string& path, const SqliteOptions& options) {
  TRY(Configure(connection, options));
  TRY(CheckUndamaged(connection, path));
  return PrepareSchema(connection, path);
}

}  // namespace

Result<StoreLock> StoreLock::Take(const std::string& store_path) {
  const std::string path = store_path + ".lock";
  StoreLock lock(open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (lock.descriptor_ < 0) return Fail(ErrnoError("open " + path, errno));
  if (flock(lock.descriptor_, LOCK_EX | LOCK_NB) == 0) return lock;
  if (errno != EWOULDBLOCK) return Fail(ErrnoError("lock " + path, errno));
  return Fail(Code::kInUse,
              fmt::format("the store {} is in use: another Howdah runs on this home", store_path));
}

StoreLock::~StoreLock() {
  if (descriptor_ >= 0) close(descriptor_);
}

Result<std::unique_ptr<Connection>> OpenChecked(const std::string& path,
                                                const SqliteOptions& options) {
  TRY(CreatePrivate(path));
  TRY_ASSIGN(auto connection, Connection::Open(path));
  const Result<> prepared = Prepare(*connection, path, options);
  if (prepared) return connection;
  if (prepared.error().code() != Code::kCorrupt) return Fail(prepared.error());
  if (prepared.error().what().starts_with("the store")) return Fail(prepared.error());
  return Fail(Damaged(path, prepared.error().what()));
}

}  // namespace howdah::store
