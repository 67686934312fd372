// One connection writes, under write_mutex_; another reads, under read_mutex_, so that no read
// waits for an fsync. The rule that keeps it right: revision_ moves only after the commit that made
// the revision is on the disk, so whoever waits for it never sees what could still be lost.
// Commits that arrive while another waits for the disk go there together, one after the other in
// one SQLite transaction: the disk is asked once for all of them.
// Documents are in sqlite_store.cc, history and watches in history.cc, leases in leases.cc.
#pragma once

#include <atomic>
#include <condition_variable>
#include <limits>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "store/sqlite/connection.h"
#include "store/sqlite/open.h"
#include "store/store.h"
#include "system/clock.h"
#include "system/entropy.h"

namespace howdah::store {

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

  // A commit that waits for its turn, and its result once somebody has written it.
  struct Waiting {
    const Transaction& transaction;
    std::optional<Result<Revision>> result = {};
  };

  template <typename Body>
  Result<Revision> Write(Body body);
  void WriteTogether(const std::vector<Waiting*>& commits);
  Result<Revision> WriteOneOfMany(const Transaction& transaction, Revision revision);
  Result<> Make(Batch& batch, const Transaction& transaction);
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

  const StoreLock lock_;    // first in, last out
  std::mutex queue_mutex_;  // never held while write_mutex_ is waited for
  std::vector<Waiting*> queue_;
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

}  // namespace howdah::store
