#include "nodes/storage.h"

namespace howdah::nodes {

namespace {

constexpr Words<StorageState, 5> kStates = {{{StorageState::kUnknown, "unknown"},
                                             {StorageState::kNormal, "normal"},
                                             {StorageState::kLow, "low"},
                                             {StorageState::kFull, "full"},
                                             {StorageState::kHeld, "held"}}};

}  // namespace

std::string_view StorageStateName(StorageState state) {
  return WordFor(kStates, state);
}

const DocumentCodec<Storage>& StorageCodec() {
  static const auto codec = DocumentCodec<Storage>("storage")
                                .With("state", &Storage::state, kStates)
                                .With("disk_is_short", &Storage::disk_is_short)
                                .With("used_bytes", &Storage::used_bytes)
                                .With("free_bytes", &Storage::free_bytes)
                                .With("error", &Storage::error);
  return codec;
}

}  // namespace howdah::nodes
