// How much storage a node has left, as its host's agent measures it. Part of `observed`, so what an
// instance is (`storage-full`) is computed from it and stored nowhere else.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/document.h"

namespace howdah::nodes {

// In the order of severity.
enum class StorageState {
  kUnknown,  // not measured yet
  kNormal,
  kLow,   // a warning, no more
  kFull,  // the server takes no writes
  kHeld,  // the server is stopped, before PostgreSQL meets the end of the disk
};

struct Storage {
  StorageState state = StorageState::kUnknown;
  bool disk_is_short = false;   // the file system is what is short, not what was allocated
  std::int64_t used_bytes = 0;  // by the node's directory: data, WAL, logs
  std::int64_t free_bytes = 0;  // until the allocation or the file system ends
  std::string error;            // why it cannot be measured now; the rest is then the last that was
  bool operator==(const Storage&) const = default;

  bool TakesNoWrites() const { return state >= StorageState::kFull; }
};

std::string_view StorageStateName(StorageState state);

const DocumentCodec<Storage>& StorageCodec();

}  // namespace howdah::nodes
