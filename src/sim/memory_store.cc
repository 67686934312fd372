#include "sim/memory_store.h"

#include <algorithm>

namespace howdah::sim {

class MemoryStore::MemoryWatch final : public store::Watch {
 public:
  MemoryWatch(const MemoryStore& store, std::string prefix, std::size_t next)
      : store_(store), prefix_(std::move(prefix)), next_(next) {}

  Result<std::vector<store::Change>> Next(Duration) override {
    std::vector<store::Change> changes;
    const MonotonicTime now = store_.clock_.Monotonic();
    for (; next_ < store_.history_.size(); ++next_) {
      const Kept& kept = store_.history_[next_];
      if (kept.at + store_.watch_delay > now) break;
      if (kept.change.key.starts_with(prefix_)) changes.push_back(kept.change);
    }
    return changes;
  }

 private:
  const MemoryStore& store_;
  const std::string prefix_;
  std::size_t next_;
};

Result<store::Document> MemoryStore::Get(std::string_view key) {
  if (lost) return Fail(Code::kUnavailable, "the store is lost");
  const auto found = documents_.find(key);
  if (found == documents_.end()) return Fail(Code::kNotFound, std::string(key));
  return found->second;
}

Result<store::Listing> MemoryStore::List(std::string_view prefix) {
  if (lost) return Fail(Code::kUnavailable, "the store is lost");
  store::Listing listing{.documents = {}, .revision = revision_};
  for (auto it = documents_.lower_bound(prefix); it != documents_.end(); ++it) {
    if (!it->first.starts_with(prefix)) break;
    listing.documents.push_back(it->second);
  }
  return listing;
}

void MemoryStore::Note(const std::string& key, std::optional<std::string> value,
                       const std::string& before) {
  history_.push_back({{key, std::move(value), revision_}, clock_.Monotonic()});
  if (on_change) on_change(history_.back().change, before);
}

Result<store::Revision> MemoryStore::Commit(const store::Transaction& transaction) {
  if (lost) return Fail(Code::kUnavailable, "the store is lost");
  for (const store::Compare& compare : transaction.compares) {
    const auto found = documents_.find(compare.key);
    const store::Revision is = found == documents_.end() ? 0 : found->second.revision;
    if (is == compare.revision || (ignores_compare && ignores_compare(compare.key))) continue;
    return Fail(Code::kConflict, compare.key);
  }
  const bool deletes = std::ranges::any_of(
      transaction.deletes, [&](const std::string& key) { return documents_.contains(key); });
  if (transaction.puts.empty() && !deletes) return revision_;
  ++revision_;
  for (const store::Put& put : transaction.puts) {
    store::Document& document = documents_[put.key];
    const std::string before = document.value;
    document = {put.key, put.value, revision_};
    Note(put.key, put.value, before);
  }
  for (const std::string& key : transaction.deletes) {
    const auto found = documents_.find(key);
    if (found == documents_.end()) continue;
    const std::string before = found->second.value;
    documents_.erase(found);
    Note(key, std::nullopt, before);
  }
  return revision_;
}

Result<std::unique_ptr<store::Watch>> MemoryStore::WatchFrom(std::string_view prefix,
                                                             store::Revision from) {
  const auto next = std::ranges::lower_bound(history_, from, {},
                                             [](const Kept& kept) { return kept.change.revision; });
  return std::make_unique<MemoryWatch>(*this, std::string(prefix),
                                       static_cast<std::size_t>(next - history_.begin()));
}

Result<std::string> MemoryStore::GrantLease(Duration) {
  return Fail(Code::kUnavailable, "the simulated store knows no leases");
}
Result<> MemoryStore::RenewLease(const std::string&) {
  return Fail(Code::kNotFound, "the simulated store knows no leases");
}
Result<> MemoryStore::EndLease(const std::string&) {
  return Fail(Code::kNotFound, "the simulated store knows no leases");
}

Result<store::Document> Face::Get(std::string_view key) {
  Result<store::Document> document = ForwardingStore::Get(key);
  if (document && on_read) document->value = on_read(document->key, std::move(document->value));
  return document;
}

Result<store::Listing> Face::List(std::string_view prefix) {
  Result<store::Listing> listing = ForwardingStore::List(prefix);
  if (!listing || !on_read) return listing;
  for (store::Document& document : listing->documents) {
    document.value = on_read(document.key, std::move(document.value));
  }
  return listing;
}

Result<store::Revision> Face::Commit(const store::Transaction& transaction) {
  store::Transaction changed = transaction;
  if (on_commit) {
    if (std::optional<Error> error = on_commit(changed)) return Fail(*std::move(error));
  }
  return ForwardingStore::Commit(changed);
}

}  // namespace howdah::sim
