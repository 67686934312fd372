// What the keeper does about storage: measures, holds a server that would meet the end of the disk,
// and ends the transactions that were writing when the node became read-only. The decision is in
// storage.h, the measuring in storage_watch.h.
#include <fmt/format.h>

#include <algorithm>

#include "host/node_keeper.h"
#include "postgres/writers.h"

namespace howdah::host {

namespace {

constexpr Duration kStopLimit = 60s;
constexpr Duration kAdminLimit = 3s;
constexpr std::int64_t kLeastCopy = 64 * static_cast<std::int64_t>(kMiB);

std::string Size(std::int64_t bytes) {
  return fmt::format("{:.1f} GiB", static_cast<double>(bytes) / static_cast<double>(kGiB));
}

std::string WhyHeld(const nodes::Storage& storage) {
  return fmt::format("storage full, stopped before the disk ends: {} left of {}",
                     Size(storage.free_bytes),
                     storage.disk_is_short ? "the file system" : "what is allocated");
}

}  // namespace

void NodeKeeper::MeasureStorage(const nodes::Desired& want, const postgres::Node& node) {
  storage_.Follow(node.paths().root, static_cast<std::uint64_t>(want.storage_gib) * kGiB);
  observed_.storage = storage_.Report();
}

bool NodeKeeper::IsReadOnly(const nodes::Desired& want) const {
  return want.read_only || observed_.storage.TakesNoWrites();
}

Result<bool> NodeKeeper::HoldForStorage(postgres::Node& node, bool running) {
  if (observed_.storage.state != nodes::StorageState::kHeld) return false;
  Fit(false);
  ForgetServer();
  observed_.detail = WhyHeld(observed_.storage);
  if (running) {
    needs_.log.Warning("node {}: {}", id_.str(), observed_.detail);
    TRY(node.Stop(postgres::StopMode::kFast, kStopLimit));
  }
  observed_.state = nodes::State::kStopped;
  return true;
}

Result<> NodeKeeper::EndWriters(const nodes::Desired& want) {
  if (!IsReadOnly(want)) {
    read_only_since_.clear();
    return {};
  }
  if (read_only_since_.empty()) {
    TRY_ASSIGN(read_only_since_, postgres::ReadOnlySince(*admin_, kAdminLimit));
  }
  TRY_ASSIGN(const int ended, postgres::EndWriters(*admin_, read_only_since_, kAdminLimit));
  if (ended > 0) {
    needs_.log.Warning("node {}: the storage is full; ended {} sessions that were writing",
                       id_.str(), ended);
  }
  return {};
}

// A copy that cannot fit would only fill the disk, maybe the primary's too.
Result<> NodeKeeper::RequireRoomToSeed(const nodes::Desired& want) {
  std::int64_t needed = kLeastCopy;
  if (want.role == nodes::Role::kStandby) {
    const Result<store::Document> report = needs_.store.Get(nodes::ObservedKey(want.primary));
    if (report) {
      TRY_ASSIGN(const nodes::Observed primary, nodes::ParseObserved(report->value));
      needed = std::max(needed, primary.storage.used_bytes);
    }
  }
  const nodes::Storage& storage = observed_.storage;
  const bool known = storage.state != nodes::StorageState::kUnknown;
  if (!known || (!storage.TakesNoWrites() && storage.free_bytes > needed)) return {};
  // A standby is waited for; a first node that cannot be made is for a person to know.
  return Fail(want.role == nodes::Role::kStandby ? Code::kUnavailable : Code::kExhausted,
              fmt::format("not enough storage for the node: {} are free in {}, {} are needed and "
                          "some to spare",
                          Size(storage.free_bytes), want.zone, Size(needed)));
}

}  // namespace howdah::host
