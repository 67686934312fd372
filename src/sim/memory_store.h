// The store of a simulated world: documents in memory with the contract of store/store.h, and a
// watch that can be late. Two rooms for mischief: whoever is given a Face sees and writes what the
// face's owner lets through, and its commits may lose their compare although nothing changed.
#pragma once

#include <deque>
#include <functional>
#include <map>

#include "store/forwarding_store.h"
#include "system/clock.h"

namespace howdah::sim {

class MemoryStore final : public store::Store {
 public:
  explicit MemoryStore(const system::Clock& clock) : clock_(clock) {}

  Result<store::Document> Get(std::string_view key) override;
  Result<store::Listing> List(std::string_view prefix) override;
  Result<store::Revision> Commit(const store::Transaction& transaction) override;
  Result<std::unique_ptr<store::Watch>> WatchFrom(std::string_view prefix,
                                                  store::Revision from) override;
  Result<std::string> GrantLease(Duration ttl) override;
  Result<> RenewLease(const std::string& lease) override;
  Result<> EndLease(const std::string& lease) override;

  store::Revision revision() const { return revision_; }
  // It fails whoever asks.
  bool lost = false;
  // How late a watch tells.
  Duration watch_delay{0};
  // Whether the compare on that key is left out (a mutant).
  std::function<bool(const std::string& key)> ignores_compare;
  // Called after each change of a key, with its former text.
  std::function<void(const store::Change& change, const std::string& before)> on_change;

 private:
  class MemoryWatch;
  struct Kept {
    store::Change change;
    MonotonicTime at;
  };
  void Note(const std::string& key, std::optional<std::string> value, const std::string& before);

  const system::Clock& clock_;
  std::map<std::string, store::Document, std::less<>> documents_;
  std::vector<Kept> history_;
  store::Revision revision_ = 0;
};

// The store as one process sees it.
class Face final : public store::ForwardingStore {
 public:
  using ForwardingStore::ForwardingStore;

  std::function<std::string(const std::string& key, std::string value)> on_read;
  // May change what is written; an error is what the commit answers.
  std::function<std::optional<Error>(store::Transaction& transaction)> on_commit;

  Result<store::Document> Get(std::string_view key) override;
  Result<store::Listing> List(std::string_view prefix) override;
  Result<store::Revision> Commit(const store::Transaction& transaction) override;
};

}  // namespace howdah::sim
