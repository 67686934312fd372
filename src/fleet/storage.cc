#include "fleet/storage.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "fleet/keys.h"

namespace howdah::fleet {

namespace {

using nodes::StorageState;

constexpr double kGiB = 1024.0 * 1024 * 1024;

// What has been told of an instance, so that it is told once. Not a status: nobody else reads it.
struct Told {
  std::string state = "normal";
  std::string error;
};

struct StoredTold {
  Told told;
  store::Revision revision = 0;
};

// What happened, in a sentence of RDS's where RDS has one.
struct Words {
  std::string message;
  std::string category;
};

std::string Size(std::int64_t bytes) {
  return fmt::format("{:.2f} GiB", static_cast<double>(bytes) / kGiB);
}

nodes::Storage Worse(const nodes::Storage& a, const nodes::Storage& b) {
  nodes::Storage worse = b.state > a.state ? b : a;
  if (a.state != StorageState::kUnknown && b.state != StorageState::kUnknown) {
    worse.free_bytes = std::min(a.free_bytes, b.free_bytes);
    worse.used_bytes = std::max(a.used_bytes, b.used_bytes);
  }
  worse.error = a.error.empty() ? b.error : a.error;
  return worse;
}

Words LowWords(const Instance& instance, const nodes::Storage& storage) {
  if (storage.disk_is_short) {
    return {fmt::format("The file system that holds DB instance {} has {} left. Make room on it: "
                        "the DB instance becomes read-only before it is full.",
                        instance.identifier, Size(storage.free_bytes)),
            "low storage"};
  }
  const double provisioned = static_cast<double>(instance.settings.storage_gib) * kGiB;
  return {fmt::format("The free storage capacity for DB Instance: {} is low at {:.0f}% of the "
                      "provisioned storage [Provisioned Storage: {:.2f} GB, Free Storage: {:.2f} "
                      "GB]. You may want to increase the provisioned storage to address this "
                      "issue.",
                      instance.identifier,
                      100.0 * static_cast<double>(storage.free_bytes) / provisioned,
                      provisioned / kGiB, static_cast<double>(storage.free_bytes) / kGiB),
          "low storage"};
}

Words FullWords(const Instance& instance, const nodes::Storage& storage) {
  if (storage.disk_is_short) {
    return {fmt::format("The file system that holds DB instance {} is nearly full ({} left). The "
                        "DB instance is read-only until there is room on it.",
                        instance.identifier, Size(storage.free_bytes)),
            "low storage"};
  }
  return {"Allocated storage has been exhausted. Allocate additional storage to resolve.",
          "low storage"};
}

Words HeldWords(const nodes::Storage& storage) {
  return {fmt::format("The DB instance is stopped because its storage is full: {} are left of {}. "
                      "It starts by itself when there is more.",
                      Size(storage.free_bytes),
                      storage.disk_is_short ? "the file system" : "what is allocated"),
          "availability"};
}

std::vector<Words> WordsOf(const Instance& instance, const nodes::Storage& storage,
                           const Told& told) {
  std::vector<Words> words;
  if (!storage.error.empty() && told.error.empty()) {
    words.push_back(
        {"Watching the storage of the DB instance has failed: " + storage.error, "failure"});
  }
  const std::string now(nodes::StorageStateName(storage.state));
  if (now == told.state) return words;
  const bool was_full = told.state == "full" || told.state == "held";
  if (storage.TakesNoWrites()) {
    if (!was_full) words.push_back(FullWords(instance, storage));
    if (storage.state == StorageState::kHeld) words.push_back(HeldWords(storage));
  } else if (was_full) {
    words.push_back({"The DB instance has storage again and takes writes.", "notification"});
  }
  if (storage.state == StorageState::kLow && !was_full)
    words.push_back(LowWords(instance, storage));
  return words;
}

Result<> Watch(const Context& context, const Versioned<Instance>& instance,
               const nodes::Storage& storage, const StoredTold& stored) {
  const bool same = nodes::StorageStateName(storage.state) == stored.told.state &&
                    storage.error.empty() == stored.told.error.empty();
  if (storage.state == StorageState::kUnknown || same) return {};
  const std::string key = StorageToldKey(instance.value.id);
  store::Transaction transaction{
      .compares = {{key, stored.revision}, {InstanceKey(instance.value.id), instance.revision}},
      .puts = {{key,
                json::serialize(json::object{{"state", nodes::StorageStateName(storage.state)},
                                             {"error", storage.error}}),
                ""}},
      .deletes = {}};
  for (const Words& words : WordsOf(instance.value, storage, stored.told)) {
    Tell(context, transaction, instance.value, words.message, words.category);
  }
  TRY(context.store.Commit(transaction));
  context.log.Info("{}: storage {} -> {}", instance.value.identifier, stored.told.state,
                   nodes::StorageStateName(storage.state));
  return {};
}

Result<std::map<std::string, StoredTold>> LoadTold(store::Store& store) {
  std::map<std::string, StoredTold> all;
  TRY_ASSIGN(const store::Listing listing, store.List(kStorageToldPrefix));
  for (const store::Document& document : listing.documents) {
    TRY_ASSIGN(const json::object object, ParseJsonObject(document.value));
    all[document.key] = {
        .told = {.state = JsonString(object, "state"), .error = JsonString(object, "error")},
        .revision = document.revision};
  }
  return all;
}

Result<Duration> WatchAll(const Context& context) {
  TRY_ASSIGN(const auto instances, ListVersionedInstances(context.store));
  TRY_ASSIGN(auto told, LoadTold(context.store));
  Duration again = 10s;
  for (const Versioned<Instance>& instance : instances) {
    const auto node = told.extract(StorageToldKey(instance.value.id));
    if (instance.value.power != nodes::Power::kRunning) continue;
    TRY_ASSIGN(const nodes::Storage storage, StorageOf(context.store, instance.value));
    const StoredTold stored = node.empty() ? StoredTold() : node.mapped();
    if (Result<> done = Watch(context, instance, storage, stored); !done) {
      if (done.error().code() != Code::kConflict) {
        context.log.Warning("{}: {}", instance.value.identifier, done.error().what());
      }
      again = 100ms;
    }
  }
  // Of instances that are gone.
  for (const auto& [key, stored] : told) {
    TRY(context.store.Commit({.compares = {{key, stored.revision}}, .puts = {}, .deletes = {key}}));
  }
  return again;
}

}  // namespace

Result<nodes::Storage> StorageOf(store::Store& store, const Instance& instance) {
  nodes::Storage worst;
  for (const NodeId& node : {instance.first_node, instance.second_node}) {
    if (node.empty()) continue;
    TRY_ASSIGN(const nodes::Observed observed, LoadObserved(store, node));
    worst = Worse(worst, observed.storage);
  }
  return worst;
}

bool IsHeldForStorage(const nodes::Observed& observed) {
  return observed.state == nodes::State::kStopped && observed.storage.state == StorageState::kHeld;
}

workflow::Reconciler StorageReconciler(const Context& context) {
  return {.name = "storage",
          .prefixes = {std::string(kInstancesPrefix), "/nodes/"},
          .interval = 10s,
          .reconcile = [&context]() { return WatchAll(context); }};
}

}  // namespace howdah::fleet
