#include "fleet/backup_commands.h"

#include <fmt/format.h>

#include <functional>

#include "fleet/backup_steps.h"
#include "fleet/keys.h"
#include "fleet/transact.h"
#include "fleet/workflows.h"

namespace howdah::fleet {

namespace {

Result<> WithinQuota(const Context& context) {
  TRY_ASSIGN(const auto all, ListDbSnapshots(context.store));
  const auto manual =
      std::ranges::count_if(all, [](const auto& it) { return !it.value.automated; });
  if (manual < context.quotas.manual_snapshots) return {};
  return Fail(Code::kExhausted, fmt::format("{}", context.quotas.manual_snapshots));
}

// A compare with "does not exist": nobody takes the name at the same moment.
Result<> Reserve(const Context& context, std::string_view identifier) {
  const Result<store::Document> found = context.store.Get(DbSnapshotKey(identifier));
  if (found) return Fail(Code::kAlreadyExists, std::string(identifier));
  return found.error().code() == Code::kNotFound ? Result<>() : Fail(found.error());
}

Result<DbSnapshot> Create(const Context& context, std::string_view instance, bool automated,
                          const NewSnapshot& wish) {
  DbSnapshot made;
  const auto build = [&](store::Transaction& transaction, Versioned<Instance>& it) -> Result<> {
    TRY(RequireStatus(context, it.value, {"available"}));
    const WallTime now = context.clock.Now();
    const std::string name =
        automated ? AutomatedSnapshotName(it.value.identifier, now) : wish.identifier;
    made = NewDbSnapshot(it.value, name, automated, now);
    for (const auto& [key, value] : wish.tags) made.tags[key] = value;
    TRY(AddSnapshot(context, transaction, it.value, made));
    Begin(context, transaction, it, kCreateSnapshot,
          {{"snapshot", made.identifier}, {"keeps_name", !automated}});
    return {};
  };
  TRY(Transact(context, instance, build));
  return made;
}

// Loads by name, builds, commits; a lost compare starts over.
Result<DbSnapshot> TransactOnSnapshot(
    const Context& context, std::string_view identifier,
    const std::function<Result<>(store::Transaction&, Versioned<DbSnapshot>&)>& build) {
  for (int i = 0; i < kTries; ++i) {
    TRY_ASSIGN(Versioned<DbSnapshot> snapshot, LoadDbSnapshot(context.store, identifier));
    store::Transaction transaction;
    TRY(build(transaction, snapshot));
    const Result<store::Revision> committed = context.store.Commit(transaction);
    if (committed) return snapshot.value;
    if (committed.error().code() != Code::kConflict) return Fail(committed.error());
  }
  return Fail(Code::kConflict, "too many changes of this DB snapshot at the same time");
}

}  // namespace

Result<> AddSnapshot(const Context& context, store::Transaction& transaction,
                     const Instance& instance, const DbSnapshot& snapshot) {
  if (!snapshot.automated) TRY(WithinQuota(context));
  TRY(Reserve(context, snapshot.identifier));
  Save(transaction, Versioned<DbSnapshot>{.value = snapshot});
  Tell(context, transaction, snapshot,
       snapshot.automated ? "Creating automated snapshot" : "Creating manual snapshot", "creation");
  Tell(context, transaction, instance, "Backing up DB instance", "backup");
  return {};
}

Result<DbSnapshot> CreateSnapshot(const Context& context, std::string_view instance,
                                  const NewSnapshot& wish) {
  return Create(context, instance, false, wish);
}

Result<DbSnapshot> CreateAutomatedSnapshot(const Context& context, std::string_view instance) {
  return Create(context, instance, true, {});
}

Result<DbSnapshot> CopySnapshot(const Context& context, std::string_view source,
                                const NewSnapshot& wish, bool copy_tags) {
  DbSnapshot copy;
  const auto build = [&](store::Transaction& transaction,
                         const Versioned<DbSnapshot>& from) -> Result<> {
    if (!from.value.IsAvailable())
      return Fail(Code::kFailedState, std::string(StatusOf(from.value)));
    TRY(WithinQuota(context));
    TRY(Reserve(context, wish.identifier));
    copy = from.value;
    copy.identifier = wish.identifier;
    copy.automated = false;
    copy.created = context.clock.Now();
    copy.tags = wish.tags;
    if (copy_tags) copy.tags.insert(from.value.tags.begin(), from.value.tags.end());
    TRY(UseBackup(context.store, transaction, copy.backup, SnapshotUser(copy.identifier)));
    Save(transaction, Versioned<DbSnapshot>{.value = copy});
    Tell(context, transaction, copy,
         fmt::format("Finished copy of snapshot {} in region {}.", from.value.identifier,
                     context.region),
         "notification");
    return {};
  };
  TRY(TransactOnSnapshot(context, source, build));
  return copy;
}

Result<DbSnapshot> DeleteSnapshot(const Context& context, std::string_view identifier) {
  return TransactOnSnapshot(
      context, identifier,
      [&](store::Transaction& transaction, const Versioned<DbSnapshot>& snapshot) -> Result<> {
        const DbSnapshot& it = snapshot.value;
        if (it.automated) return Fail(Code::kFailedState, "automated");
        if (StatusOf(it) == "creating") return Fail(Code::kFailedState, "creating");
        TRY(ForgetSnapshot(context.store, transaction, snapshot));
        Tell(context, transaction, it, "Deleted manual snapshot", "deletion");
        return {};
      });
}

Result<> SetSnapshotTags(const Context& context, std::string_view identifier, const Tags& add,
                         const std::vector<std::string>& remove) {
  const auto build = [&](store::Transaction& transaction,
                         Versioned<DbSnapshot>& snapshot) -> Result<> {
    for (const auto& [key, value] : add) snapshot.value.tags[key] = value;
    for (const std::string& key : remove) snapshot.value.tags.erase(key);
    Save(transaction, snapshot);
    return {};
  };
  TRY(TransactOnSnapshot(context, identifier, build));
  return {};
}

Result<AutomatedBackup> DeleteAutomatedBackup(const Context& context, const InstanceId& id) {
  for (int i = 0; i < kTries; ++i) {
    TRY_ASSIGN(const Versioned<AutomatedBackup> backup, LoadAutomatedBackup(context.store, id));
    if (backup.value.doomed) return Fail(Code::kNotFound, id.str());
    if (!backup.value.retained) return Fail(Code::kFailedState, "active");
    store::Transaction transaction;
    TRY(DoomAutomatedBackup(context.store, transaction, backup));
    const Result<store::Revision> committed = context.store.Commit(transaction);
    if (committed) return backup.value;
    if (committed.error().code() != Code::kConflict) return Fail(committed.error());
  }
  return Fail(Code::kConflict, "the automated backup changes all the time");
}

}  // namespace howdah::fleet
