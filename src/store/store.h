// All of Howdah's state: documents in one key-value store with revisions. SQLite implements it on
// one host; etcd will on several, so nothing here promises more than etcd can keep. Five calls:
// Get, List, Commit, Watch, and leases. Nothing else in the program knows which store it is.
//
// Revisions: every Commit that changes something gets the next global revision; a document carries
// the revision of its last change. Revision 0 means "does not exist".
// Keys are paths such as "/instances/db-ABC"; values are JSON texts of at most 1.5 MiB (etcd's
// limit). Thread-safe. A returned Error is kConflict (a compare failed), kInvalid (too large, empty
// key), kNotFound (a lease that has ended) or kUnavailable (the disk is full, too); nothing was
// changed then. A commit that changes nothing (deletes of what is not there) makes no revision.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"

namespace howdah::store {

using Revision = std::int64_t;

struct Document {
  std::string key;
  std::string value;
  Revision revision = 0;
};

// "This key is still at this revision"; 0: "this key does not exist".
struct Compare {
  std::string key;
  Revision revision = 0;
};

struct Put {
  std::string key;
  std::string value;
  std::string lease;  // empty: lives until deleted; else it goes when the lease ends
};

struct Transaction {
  std::vector<Compare> compares;
  std::vector<Put> puts;
  std::vector<std::string> deletes;
};

// One change of one key; a deletion has no value.
struct Change {
  std::string key;
  std::optional<std::string> value;
  Revision revision = 0;
};

struct Listing {
  std::vector<Document> documents;  // sorted by key
  Revision revision = 0;            // the store's revision at which this was true: watch from + 1
};

// Delivers changes in revision order until it is destroyed. Not thread-safe itself.
class Watch {
 public:
  virtual ~Watch() = default;
  // The next changes, waiting at most `limit`; empty on timeout, or earlier without reason.
  // kCorrupt: the history before `from` was compacted away; list again and watch from there.
  virtual Result<std::vector<Change>> Next(Duration limit) = 0;
};

class Store {
 public:
  virtual ~Store() = default;

  // kNotFound where there is no such document.
  virtual Result<Document> Get(std::string_view key) = 0;
  virtual Result<Listing> List(std::string_view prefix) = 0;
  // All or nothing. Returns the revision of the commit, durable before it returns. A key may be in
  // puts or deletes once.
  virtual Result<Revision> Commit(const Transaction& transaction) = 0;
  // Every change of a key under `prefix` with revision >= from, also those made before this call
  // and before a restart of the program, as far as history is kept (the last 10,000 revisions at
  // least).
  virtual Result<std::unique_ptr<Watch>> WatchFrom(std::string_view prefix, Revision from) = 0;

  // A lease ends `ttl` after its grant or last renewal; its keys are then deleted (as a commit).
  virtual Result<std::string> GrantLease(Duration ttl) = 0;
  virtual Result<> RenewLease(const std::string& lease) = 0;  // kNotFound: it has ended
  virtual Result<> EndLease(const std::string& lease) = 0;
};

}  // namespace howdah::store
