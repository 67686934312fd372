// The store of one host: SQLite in WAL mode, in one file of mode 0600. A commit is on the disk
// before Commit returns (synchronous=FULL). One process at a time: a lock file beside the store
// keeps a second one out (kInUse). The format is docs/formats/store.md.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "base/result.h"
#include "store/store.h"
#include "system/clock.h"
#include "system/entropy.h"

namespace howdah::store {

struct SqliteOptions {
  bool durable = true;         // false: no fsync at all. For tests only.
  std::int64_t max_bytes = 0;  // the file grows no further: kUnavailable. 0: no limit
};

// Opens the store at `path`, creating it where there is none; the directory must exist. kInUse:
// another process has it open. kCorrupt: the file is damaged or not a store; the text says what to
// do. kUnsupported: a newer Howdah wrote it. Watches must not outlive the store.
Result<std::unique_ptr<Store>> OpenSqlite(const std::string& path, const system::Clock& clock,
                                          system::Entropy& entropy, SqliteOptions options = {});

}  // namespace howdah::store
