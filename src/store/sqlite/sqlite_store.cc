// Documents: reading, listing, committing.
#include "store/sqlite/sqlite_store.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "store/sqlite/sqlite_store_impl.h"

namespace howdah::store {
namespace {

constexpr std::size_t kMaxValueBytes = 1536 * 1024;
constexpr std::size_t kMaxKeyBytes = 1024;

// The first key after all keys with this prefix.
std::string EndOfPrefix(std::string_view prefix) {
  std::string end(prefix);
  while (!end.empty() && static_cast<unsigned char>(end.back()) == 0xff) end.pop_back();
  if (end.empty()) return std::string(8, '\xff');
  end.back() = static_cast<char>(static_cast<unsigned char>(end.back()) + 1);
  return end;
}

Result<> CheckKey(const std::string& key, std::set<std::string_view>& seen) {
  if (key.empty()) return Fail(Code::kInvalid, "store: an empty key");
  if (key.size() > kMaxKeyBytes) return Fail(Code::kInvalid, "store: a key is too long");
  if (!seen.insert(key).second) {
    return Fail(Code::kInvalid, fmt::format("store: {} is changed twice in one commit", key));
  }
  return {};
}

Result<> CheckTransaction(const Transaction& transaction) {
  std::set<std::string_view> seen;
  for (const Put& put : transaction.puts) {
    TRY(CheckKey(put.key, seen));
    if (put.value.size() > kMaxValueBytes) {
      return Fail(Code::kInvalid, fmt::format("store: the value of {} is too large ({} bytes)",
                                              put.key, put.value.size()));
    }
  }
  for (const std::string& key : transaction.deletes) TRY(CheckKey(key, seen));
  return {};
}

}  // namespace

Result<> SqliteStore::Load() {
  TRY_ASSIGN(const Revision last, writer_->Number("SELECT max(revision) FROM history"));
  TRY_ASSIGN(const Revision first, writer_->Number("SELECT min(revision) FROM history"));
  revision_ = last;
  compacted_ = std::max<Revision>(first - 1, 0);
  // Who held a lease could not renew it while we were away: each gets its whole time again.
  TRY_ASSIGN(Statement query, writer_->Prepare("SELECT id, ttl_us FROM leases"));
  while (true) {
    TRY_ASSIGN(const bool more, query.Step());
    if (!more) break;
    const Duration ttl(query.Int(1));
    leases_.emplace(query.Text(0), Lease{ttl, clock_.Monotonic() + ttl});
  }
  NoteNextExpiry();
  return {};
}

Result<Document> SqliteStore::Get(std::string_view key) {
  TRY(ExpireLeases());
  const std::lock_guard lock(read_mutex_);
  TRY_ASSIGN(Statement query,
             reader_->Prepare("SELECT value, revision FROM documents WHERE key = ?1"));
  query.Bind(1, key);
  TRY_ASSIGN(const bool found, query.Step());
  if (!found) return Fail(Code::kNotFound, fmt::format("store: no document {}", key));
  return Document{std::string(key), query.Text(0), query.Int(1)};
}

Result<Listing> SqliteStore::List(std::string_view prefix) {
  TRY(ExpireLeases());
  const std::lock_guard lock(read_mutex_);
  TRY(reader_->Execute("BEGIN"));  // documents and revision of one moment
  auto listing = ListLocked(prefix);
  reader_->RollbackIfOpen();
  return listing;
}

Result<Listing> SqliteStore::ListLocked(std::string_view prefix) {
  Listing listing;
  TRY_ASSIGN(listing.revision, reader_->Number("SELECT max(revision) FROM history"));
  const std::string end = EndOfPrefix(prefix);
  TRY_ASSIGN(Statement query, reader_->Prepare("SELECT key, value, revision FROM documents "
                                               "WHERE key >= ?1 AND key < ?2 ORDER BY key"));
  query.Bind(1, prefix).Bind(2, end);
  while (true) {
    TRY_ASSIGN(const bool more, query.Step());
    if (!more) return listing;
    listing.documents.push_back({query.Text(0), query.Text(1), query.Int(2)});
  }
}

// Whoever gets the write mutex writes for all who wait by then.
Result<Revision> SqliteStore::Commit(const Transaction& transaction) {
  TRY(CheckTransaction(transaction));
  TRY(ExpireLeases());
  Waiting mine{transaction};
  {
    const std::lock_guard lock(queue_mutex_);
    queue_.push_back(&mine);
  }
  const std::lock_guard lock(write_mutex_);
  if (!mine.result) {
    std::vector<Waiting*> commits;
    {
      const std::lock_guard queue_lock(queue_mutex_);
      commits.swap(queue_);
    }
    WriteTogether(commits);
  }
  return *std::move(mine.result);
}

void SqliteStore::WriteTogether(const std::vector<Waiting*>& commits) {
  if (commits.size() == 1) {
    commits[0]->result =
        Write([&](Batch& batch) -> Result<> { return Make(batch, commits[0]->transaction); });
    return;
  }
  const Result<Revision> written = Write([&](Batch& all) -> Result<> {
    Revision next = all.revision;
    for (Waiting* commit : commits) {
      commit->result = WriteOneOfMany(commit->transaction, next);
      if (!commit->result->has_value()) {
        // What is about this one commit only; after anything else the transaction cannot go on.
        const Code code = commit->result->error().code();
        if (code != Code::kConflict && code != Code::kNotFound)
          return Fail(commit->result->error());
      } else if (**commit->result == next) {
        all.revision = next++;
        ++all.changes;
      }
    }
    return {};
  });
  if (written) return;
  for (Waiting* commit : commits) commit->result = Fail(written.error());
}

// The revision that it got: the one given, or the one before it when it changed nothing.
Result<Revision> SqliteStore::WriteOneOfMany(const Transaction& transaction, Revision revision) {
  Batch batch{revision};
  TRY(writer_->Execute("SAVEPOINT one"));
  const Result<> made = Make(batch, transaction);
  if (!made) {
    // A full disk ends all of them, and SQLite may have rolled the savepoint back already.
    const Code code = made.error().code();
    if (code != Code::kConflict && code != Code::kNotFound) return Fail(made.error());
    TRY(writer_->Execute("ROLLBACK TO one"));
    TRY(writer_->Execute("RELEASE one"));
    return Fail(made.error());
  }
  TRY(writer_->Execute("RELEASE one"));
  return batch.changes > 0 ? revision : revision - 1;
}

Result<> SqliteStore::Make(Batch& batch, const Transaction& transaction) {
  TRY(CheckCompares(transaction.compares));
  for (const Put& put : transaction.puts) TRY(Apply(batch, put));
  for (const std::string& key : transaction.deletes) TRY(ApplyDelete(batch, key));
  return {};
}

Result<> SqliteStore::CheckCompares(const std::vector<Compare>& compares) {
  for (const Compare& compare : compares) {
    TRY_ASSIGN(Statement query, writer_->Prepare("SELECT revision FROM documents WHERE key = ?1"));
    query.Bind(1, compare.key);
    TRY_ASSIGN(const bool found, query.Step());
    const Revision is = found ? query.Int(0) : 0;
    if (is == compare.revision) continue;
    return Fail(Code::kConflict, fmt::format("store: {} is at revision {}, expected {}",
                                             compare.key, is, compare.revision));
  }
  return {};
}

Result<> SqliteStore::Apply(Batch& batch, const Put& put) {
  if (!put.lease.empty() && !leases_.contains(put.lease)) {
    return Fail(Code::kNotFound, fmt::format("store: the lease of {} has ended", put.key));
  }
  TRY_ASSIGN(Statement write,
             writer_->Prepare("INSERT INTO documents (key, value, revision, lease) "
                              "VALUES (?1, ?2, ?3, ?4) ON CONFLICT (key) DO UPDATE SET "
                              "value = ?2, revision = ?3, lease = ?4"));
  write.Bind(1, put.key).Bind(2, put.value).Bind(3, batch.revision);
  put.lease.empty() ? write.BindNull(4) : write.Bind(4, put.lease);
  TRY(write.Step());
  return Remember(batch, put.key, &put.value);
}

Result<> SqliteStore::ApplyDelete(Batch& batch, const std::string& key) {
  TRY_ASSIGN(Statement erase, writer_->Prepare("DELETE FROM documents WHERE key = ?1 RETURNING 1"));
  erase.Bind(1, key);
  TRY_ASSIGN(const bool existed, erase.Step());
  if (!existed) return {};
  return Remember(batch, key, nullptr);
}

Result<> SqliteStore::Remember(Batch& batch, std::string_view key, const std::string* value) {
  TRY_ASSIGN(Statement write,
             writer_->Prepare("INSERT INTO history (revision, position, key, value) "
                              "VALUES (?1, ?2, ?3, ?4)"));
  write.Bind(1, batch.revision).Bind(2, batch.changes++).Bind(3, key);
  value ? write.Bind(4, *value) : write.BindNull(4);
  TRY(write.Step());
  return {};
}

Result<std::unique_ptr<Store>> OpenSqlite(const std::string& path, const system::Clock& clock,
                                          system::Entropy& entropy, SqliteOptions options) {
  TRY_ASSIGN(StoreLock lock, StoreLock::Take(path));
  TRY_ASSIGN(auto writer, OpenChecked(path, options));
  TRY_ASSIGN(auto reader, Connection::Open(path));
  auto store = std::make_unique<SqliteStore>(std::move(lock), std::move(writer), std::move(reader),
                                             clock, entropy);
  TRY(store->Load());
  return store;
}

}  // namespace howdah::store
