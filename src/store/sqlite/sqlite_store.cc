// One connection writes, under write_mutex_; another reads, under read_mutex_, so that no read
// waits for an fsync. The rule that keeps it right: revision_ moves only after the commit that made
// the revision is on the disk, so whoever waits for it never sees what could still be lost.
#include "store/sqlite/sqlite_store.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <condition_variable>
#include <limits>
#include <map>
#include <mutex>
#include <set>

#include "store/sqlite/connection.h"
#include "store/sqlite/open.h"

namespace howdah::store {
namespace {

constexpr std::size_t kMaxValueBytes = 1536 * 1024;
constexpr std::size_t kMaxKeyBytes = 1024;
constexpr Revision kKeptRevisions = 10'000;
constexpr Revision kCompactEvery = 1'000;
constexpr std::size_t kWatchBatch = 1'000;  // changes, but a revision is never split
constexpr Duration kForever = Duration::max();

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

class SqliteStore final : public Store {
 public:
  SqliteStore(StoreLock lock, std::unique_ptr<Connection> writer,
              std::unique_ptr<Connection> reader, const system::Clock& clock,
              system::Entropy& entropy)
      : lock_(std::move(lock)),
        writer_(std::move(writer)),
        reader_(std::move(reader)),
        clock_(clock),
        entropy_(entropy) {}

  Result<> Load();

  Result<Document> Get(std::string_view key) override;
  Result<Listing> List(std::string_view prefix) override;
  Result<Revision> Commit(const Transaction& transaction) override;
  Result<std::unique_ptr<Watch>> WatchFrom(std::string_view prefix, Revision from) override;
  Result<std::string> GrantLease(Duration ttl) override;
  Result<> RenewLease(const std::string& lease) override;
  Result<> EndLease(const std::string& lease) override;

  // For the watches.
  Result<> ExpireLeases();
  Revision revision() const { return revision_.load(); }
  Result<std::vector<Change>> Changes(const std::string& prefix, Revision& from);
  void WaitForRevision(Revision wanted, Duration limit);

 private:
  struct Lease {
    Duration ttl;
    MonotonicTime ends;
  };
  // The changes of one commit while it is being made.
  struct Batch {
    Revision revision;
    std::int64_t changes = 0;
  };

  template <typename Body>
  Result<Revision> Write(Body body);
  Result<> CheckCompares(const std::vector<Compare>& compares);
  Result<> Apply(Batch& batch, const Put& put);
  Result<> ApplyDelete(Batch& batch, const std::string& key);
  Result<> Remember(Batch& batch, std::string_view key, const std::string* value);
  Result<Listing> ListLocked(std::string_view prefix);
  Result<std::vector<Change>> ChangesLocked(const std::string& prefix, Revision& from,
                                            Revision upto);
  void Publish(Revision revision);
  void CompactIfDue();
  Result<> EndLeaseLocked(const std::string& lease);
  void NoteNextExpiry();
  Duration UntilNextExpiry() const;
  std::string NewLeaseId();

  const StoreLock lock_;  // first in, last out
  std::mutex write_mutex_;
  const std::unique_ptr<Connection> writer_;
  std::map<std::string, Lease> leases_;  // under write_mutex_
  std::mutex read_mutex_;
  const std::unique_ptr<Connection> reader_;
  const system::Clock& clock_;
  system::Entropy& entropy_;

  std::mutex news_mutex_;
  std::condition_variable news_;
  std::atomic<Revision> revision_ = 0;   // the last that is on the disk
  std::atomic<Revision> compacted_ = 0;  // history up to here is gone
  std::atomic<std::int64_t> next_expiry_us_ = std::numeric_limits<std::int64_t>::max();
};

class SqliteWatch final : public Watch {
 public:
  SqliteWatch(SqliteStore& store, std::string_view prefix, Revision from)
      : store_(store), prefix_(prefix), from_(std::max<Revision>(from, 1)) {}

  Result<std::vector<Change>> Next(Duration limit) override {
    TRY(store_.ExpireLeases());
    TRY_ASSIGN(auto changes, store_.Changes(prefix_, from_));
    if (!changes.empty() || limit <= Duration(0)) return changes;
    // Another prefix's change wakes us too; the caller's limit is then not used up, which only
    // makes an empty answer come early.
    store_.WaitForRevision(from_, limit);
    TRY(store_.ExpireLeases());
    return store_.Changes(prefix_, from_);
  }

 private:
  SqliteStore& store_;
  const std::string prefix_;
  Revision from_;
};

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

Result<Revision> SqliteStore::Commit(const Transaction& transaction) {
  TRY(CheckTransaction(transaction));
  TRY(ExpireLeases());
  const std::lock_guard lock(write_mutex_);
  return Write([&](Batch& batch) -> Result<> {
    TRY(CheckCompares(transaction.compares));
    for (const Put& put : transaction.puts) TRY(Apply(batch, put));
    for (const std::string& key : transaction.deletes) TRY(ApplyDelete(batch, key));
    return {};
  });
}

// Runs `body` in one SQLite transaction; with write_mutex_ held.
template <typename Body>
Result<Revision> SqliteStore::Write(Body body) {
  Batch batch{revision_ + 1};
  TRY(writer_->Execute("BEGIN IMMEDIATE"));
  Result<> made = body(batch);
  if (made) made = writer_->Execute("COMMIT");
  if (!made) {
    writer_->RollbackIfOpen();
    return Fail(made.error());
  }
  if (batch.changes == 0) return revision_.load();
  Publish(batch.revision);
  CompactIfDue();
  return batch.revision;
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

void SqliteStore::Publish(Revision revision) {
  {
    const std::lock_guard lock(news_mutex_);
    revision_ = revision;
  }
  news_.notify_all();
}

void SqliteStore::CompactIfDue() {
  const Revision upto = revision_ - kKeptRevisions;
  if (upto - compacted_ < kCompactEvery) return;
  // Before the rows go: a watch that reads in between then knows that it may have missed some.
  const Revision before = compacted_.exchange(upto);
  auto erase = writer_->Prepare("DELETE FROM history WHERE revision <= ?1");
  // A failure is no matter: nothing is lost, and a later commit tries again.
  if (!erase || !erase->Bind(1, upto).Step()) compacted_ = before;
}

Result<std::vector<Change>> SqliteStore::Changes(const std::string& prefix, Revision& from) {
  const Revision upto = revision_;
  if (from <= compacted_) {
    return Fail(Code::kCorrupt, fmt::format("store: the history of revision {} is gone", from));
  }
  if (from > upto) return std::vector<Change>();
  const std::lock_guard lock(read_mutex_);
  return ChangesLocked(prefix, from, upto);
}

Result<std::vector<Change>> SqliteStore::ChangesLocked(const std::string& prefix, Revision& from,
                                                       Revision upto) {
  TRY_ASSIGN(Statement query,
             reader_->Prepare("SELECT revision, key, value FROM history "
                              "WHERE revision BETWEEN ?1 AND ?2 ORDER BY revision, position"));
  query.Bind(1, from).Bind(2, upto);
  std::vector<Change> changes;
  Revision next = upto + 1;
  while (true) {
    TRY_ASSIGN(const bool more, query.Step());
    if (!more) break;
    const Revision revision = query.Int(0);
    if (changes.size() >= kWatchBatch && revision != changes.back().revision) {
      next = revision;
      break;
    }
    std::string key = query.Text(1);
    if (!key.starts_with(prefix)) continue;
    changes.push_back({std::move(key), std::nullopt, revision});
    if (!query.IsNull(2)) changes.back().value = query.Text(2);
  }
  if (from <= compacted_) {
    return Fail(Code::kCorrupt, fmt::format("store: the history of revision {} is gone", from));
  }
  from = next;
  return changes;
}

// Returns when the revision is there, a lease may have ended, or the limit is over.
void SqliteStore::WaitForRevision(Revision wanted, Duration limit) {
  const Duration slice =
      std::clamp(UntilNextExpiry(), Duration(1ms), std::max(limit, Duration(1ms)));
  std::unique_lock lock(news_mutex_);
  news_.wait_for(lock, slice, [&] { return revision_ >= wanted; });
}

Result<std::unique_ptr<Watch>> SqliteStore::WatchFrom(std::string_view prefix, Revision from) {
  return std::make_unique<SqliteWatch>(*this, prefix, from);
}

Result<std::string> SqliteStore::GrantLease(Duration ttl) {
  if (ttl <= Duration(0)) return Fail(Code::kInvalid, "store: a lease needs a time to live");
  TRY(ExpireLeases());
  const std::lock_guard lock(write_mutex_);
  const std::string id = NewLeaseId();
  TRY(Write([&](Batch&) -> Result<> {
    TRY_ASSIGN(Statement write, writer_->Prepare("INSERT INTO leases (id, ttl_us, expires_us) "
                                                 "VALUES (?1, ?2, ?3)"));
    write.Bind(1, id).Bind(2, ttl.count()).Bind(3, ToMicros(clock_.Now() + ttl));
    TRY(write.Step());
    return {};
  }));
  leases_.emplace(id, Lease{ttl, clock_.Monotonic() + ttl});
  NoteNextExpiry();
  return id;
}

// Not written down: after a restart a lease has its whole time again anyway, and a heartbeat is not
// worth an fsync.
Result<> SqliteStore::RenewLease(const std::string& lease) {
  TRY(ExpireLeases());
  const std::lock_guard lock(write_mutex_);
  const auto found = leases_.find(lease);
  if (found == leases_.end()) return Fail(Code::kNotFound, "store: the lease has ended");
  found->second.ends = clock_.Monotonic() + found->second.ttl;
  NoteNextExpiry();
  return {};
}

Result<> SqliteStore::EndLease(const std::string& lease) {
  const std::lock_guard lock(write_mutex_);
  if (!leases_.contains(lease)) return {};
  return EndLeaseLocked(lease);
}

Result<> SqliteStore::ExpireLeases() {
  if (clock_.Monotonic().time_since_epoch().count() < next_expiry_us_) return {};
  const std::lock_guard lock(write_mutex_);
  std::vector<std::string> ended;
  for (const auto& [id, lease] : leases_) {
    if (lease.ends <= clock_.Monotonic()) ended.push_back(id);
  }
  for (const std::string& id : ended) TRY(EndLeaseLocked(id));
  return {};
}

Result<> SqliteStore::EndLeaseLocked(const std::string& lease) {
  std::vector<std::string> keys;
  TRY(Write([&](Batch& batch) -> Result<> {
    TRY_ASSIGN(Statement query,
               writer_->Prepare("SELECT key FROM documents WHERE lease = ?1 ORDER BY key"));
    query.Bind(1, lease);
    while (true) {
      TRY_ASSIGN(const bool more, query.Step());
      if (!more) break;
      keys.push_back(query.Text(0));
    }
    for (const std::string& key : keys) TRY(ApplyDelete(batch, key));
    TRY_ASSIGN(Statement erase, writer_->Prepare("DELETE FROM leases WHERE id = ?1"));
    TRY(erase.Bind(1, lease).Step());
    return {};
  }));
  leases_.erase(lease);
  NoteNextExpiry();
  return {};
}

void SqliteStore::NoteNextExpiry() {
  std::int64_t next = std::numeric_limits<std::int64_t>::max();
  for (const auto& [id, lease] : leases_) {
    next = std::min<std::int64_t>(next, lease.ends.time_since_epoch().count());
  }
  next_expiry_us_ = next;
}

Duration SqliteStore::UntilNextExpiry() const {
  const std::int64_t next = next_expiry_us_;
  if (next == std::numeric_limits<std::int64_t>::max()) return kForever;
  return Duration(next) - clock_.Monotonic().time_since_epoch();
}

std::string SqliteStore::NewLeaseId() {
  std::array<std::byte, 12> bytes;
  entropy_.Fill(bytes);
  std::string id = "lease-";
  for (const std::byte byte : bytes) id += fmt::format("{:02x}", std::to_integer<int>(byte));
  return id;
}

}  // namespace

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
