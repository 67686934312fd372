// What changed, for those who watch: kept in the table `history`, told when it is on the disk.
#include <fmt/format.h>

#include <algorithm>

#include "store/sqlite/sqlite_store_impl.h"

namespace howdah::store {
namespace {

constexpr Revision kKeptRevisions = 10'000;
constexpr Revision kCompactEvery = 1'000;
constexpr std::size_t kWatchBatch = 1'000;  // changes, but a revision is never split

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

}  // namespace

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

}  // namespace howdah::store
