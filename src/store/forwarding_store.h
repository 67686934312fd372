// A store that hands everything on to another: the base of those that watch, count or spoil what
// passes (the simulation's faces, the tests' stores). They override the calls they care about.
#pragma once

#include <memory>
#include <string>

#include "store/store.h"

namespace howdah::store {

class ForwardingStore : public Store {
 public:
  // The inner store outlives this.
  explicit ForwardingStore(Store& inner) : inner_(inner) {}

  Result<Document> Get(std::string_view key) override { return inner_.Get(key); }
  Result<Listing> List(std::string_view prefix) override { return inner_.List(prefix); }
  Result<Revision> Commit(const Transaction& transaction) override {
    return inner_.Commit(transaction);
  }
  Result<std::unique_ptr<Watch>> WatchFrom(std::string_view prefix, Revision from) override {
    return inner_.WatchFrom(prefix, from);
  }
  Result<std::string> GrantLease(Duration ttl) override { return inner_.GrantLease(ttl); }
  Result<> RenewLease(const std::string& lease) override { return inner_.RenewLease(lease); }
  Result<> EndLease(const std::string& lease) override { return inner_.EndLease(lease); }

 protected:
  Store& inner() { return inner_; }

 private:
  Store& inner_;
};

}  // namespace howdah::store
