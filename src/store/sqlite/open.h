// Everything that happens to a store file before the first Get: the lock, the file's mode, the
// check for damage, the schema.
#pragma once

#include <memory>
#include <string>

#include "base/result.h"
#include "store/sqlite/connection.h"
#include "store/sqlite/sqlite_store.h"

namespace howdah::store {

// Holds the lock file of a store; the lock goes with the object, or with the process.
class StoreLock {
 public:
  static Result<StoreLock> Take(const std::string& store_path);
  StoreLock(StoreLock&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}
  StoreLock(const StoreLock&) = delete;
  StoreLock& operator=(const StoreLock&) = delete;
  StoreLock& operator=(StoreLock&&) = delete;
  ~StoreLock();

 private:
  explicit StoreLock(int descriptor) : descriptor_(descriptor) {}
  int descriptor_;
};

// A connection fit for writing: created 0600, checked, with the current schema.
Result<std::unique_ptr<Connection>> OpenChecked(const std::string& path,
                                                const SqliteOptions& options);

}  // namespace howdah::store
