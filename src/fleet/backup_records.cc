#include "fleet/backup_records.h"

#include <algorithm>

#include "fleet/archive_health.h"
#include "fleet/keys.h"

namespace howdah::fleet {

namespace {

template <typename T>
using Parse = Result<T> (*)(std::string_view);

template <typename T>
Result<Versioned<T>> Load(store::Store& store, const std::string& key, Parse<T> parse) {
  TRY_ASSIGN(const store::Document document, store.Get(key));
  TRY_ASSIGN(T value, parse(document.value));
  return Versioned<T>{.value = std::move(value), .revision = document.revision};
}

template <typename T>
Result<std::vector<Versioned<T>>> ListAll(store::Store& store, std::string_view prefix,
                                          Parse<T> parse) {
  TRY_ASSIGN(const store::Listing listing, store.List(prefix));
  std::vector<Versioned<T>> all;
  for (const store::Document& document : listing.documents) {
    TRY_ASSIGN(T value, parse(document.value));
    all.push_back({.value = std::move(value), .revision = document.revision});
  }
  return all;
}

void Write(store::Transaction& transaction, const std::string& key, store::Revision revision,
           std::string text) {
  transaction.compares.push_back({key, revision});
  transaction.puts.push_back({key, std::move(text), ""});
}

// By the primary, whichever of the two it is. Behind a gap nothing can be restored before a backup
// was begun there.
Result<nodes::Archived> ArchivedOf(store::Store& store, const Instance& instance) {
  nodes::Archived latest;
  TRY_ASSIGN(const Versioned<ArchiveTold> stored, LoadArchiveTold(store, instance.id));
  ArchiveTold told = stored.value;
  for (const NodeId& node : {instance.first_node, instance.second_node}) {
    if (node.empty()) continue;
    TRY_ASSIGN(const nodes::Observed observed, LoadObserved(store, node));
    if (observed.archived.until > latest.until) latest = observed.archived;
    if (observed.archived.gap_end <= told.gap_end) continue;
    told.gap_end = observed.archived.gap_end;
    told.gap_since = observed.archived.gap_since;
  }
  if (told.gap_end == 0) return latest;
  TRY_ASSIGN(const auto snapshots, ListDbSnapshotsOf(store, instance.id));
  std::vector<DbSnapshot> all;
  for (const auto& [snapshot, revision] : snapshots) all.push_back(snapshot);
  if (IsGapOpen(told, all)) latest.until = std::min(latest.until, told.gap_since);
  return latest;
}

// The oldest automated snapshot says from when on; the archive goes on from each.
Result<std::optional<RestoreWindow>> WindowOf(const Context& context, const InstanceId& id,
                                              std::int64_t retention_days, WallTime latest) {
  TRY_ASSIGN(const auto snapshots, ListDbSnapshotsOf(context.store, id));
  std::optional<RestoreWindow> window;
  for (const auto& [snapshot, revision] : snapshots) {
    if (!snapshot.automated || !snapshot.IsAvailable()) continue;
    if (!window) window = RestoreWindow{.earliest = snapshot.finished, .latest = latest};
    window->earliest = std::min(window->earliest, snapshot.finished);
    window->latest = std::max(window->latest, snapshot.finished);
  }
  if (!window) return window;
  const WallTime promised = window->latest - std::chrono::days(retention_days);
  // It is told in milliseconds, and what is told can be restored.
  window->earliest =
      std::chrono::ceil<std::chrono::milliseconds>(std::max(window->earliest, promised));
  return window;
}

}  // namespace

Result<Versioned<DbSnapshot>> LoadDbSnapshot(store::Store& store, std::string_view identifier) {
  return Load<DbSnapshot>(store, DbSnapshotKey(identifier), ParseDbSnapshot);
}
Result<std::vector<Versioned<DbSnapshot>>> ListDbSnapshots(store::Store& store) {
  return ListAll<DbSnapshot>(store, kDbSnapshotsPrefix, ParseDbSnapshot);
}
Result<std::vector<Versioned<DbSnapshot>>> ListDbSnapshotsOf(store::Store& store,
                                                             const InstanceId& instance) {
  TRY_ASSIGN(std::vector<Versioned<DbSnapshot>> all, ListDbSnapshots(store));
  std::erase_if(all, [&](const auto& it) { return it.value.instance != instance; });
  return all;
}
Result<Versioned<BackupRecord>> LoadBackupRecord(store::Store& store, const std::string& backup) {
  return Load<BackupRecord>(store, BackupRecordKey(backup), ParseBackupRecord);
}
Result<std::vector<Versioned<BackupRecord>>> ListBackupRecords(store::Store& store) {
  return ListAll<BackupRecord>(store, kBackupRecordsPrefix, ParseBackupRecord);
}
Result<Versioned<AutomatedBackup>> LoadAutomatedBackup(store::Store& store, const InstanceId& id) {
  return Load<AutomatedBackup>(store, AutomatedBackupKey(id), ParseAutomatedBackup);
}
Result<std::vector<Versioned<AutomatedBackup>>> ListAutomatedBackups(store::Store& store) {
  return ListAll<AutomatedBackup>(store, kAutomatedBackupsPrefix, ParseAutomatedBackup);
}

Result<nodes::BackupState> LoadBackupState(store::Store& store, const std::string& backup) {
  const Result<store::Document> document = store.Get(nodes::BackupStateKey(backup));
  if (!document && document.error().code() == Code::kNotFound) return nodes::BackupState{};
  if (!document) return Fail(document.error());
  return nodes::ParseBackupState(document->value);
}

void Save(store::Transaction& transaction, const Versioned<DbSnapshot>& snapshot) {
  Write(transaction, DbSnapshotKey(snapshot.value.identifier), snapshot.revision,
        Format(snapshot.value));
}
void Save(store::Transaction& transaction, const Versioned<BackupRecord>& record) {
  Write(transaction, BackupRecordKey(record.value.id), record.revision, Format(record.value));
}
void Save(store::Transaction& transaction, const Versioned<AutomatedBackup>& backup) {
  Write(transaction, AutomatedBackupKey(backup.value.instance), backup.revision,
        Format(backup.value));
}

Result<> UseBackup(store::Store& store, store::Transaction& transaction, const std::string& backup,
                   const std::string& user) {
  TRY_ASSIGN(Versioned<BackupRecord> record, LoadBackupRecord(store, backup));
  if (record.value.users.empty()) return Fail(Code::kNotFound, "the backup is being deleted");
  record.value.users.push_back(user);
  Save(transaction, record);
  return {};
}

Result<> ReleaseBackup(store::Store& store, store::Transaction& transaction,
                       const std::string& backup, const std::string& user) {
  if (backup.empty()) return {};
  Result<Versioned<BackupRecord>> record = LoadBackupRecord(store, backup);
  if (!record && record.error().code() == Code::kNotFound) return {};
  if (!record) return Fail(record.error());
  if (std::erase(record->value.users, user) > 0) Save(transaction, *record);
  return {};
}

Result<> ForgetSnapshot(store::Store& store, store::Transaction& transaction,
                        const Versioned<DbSnapshot>& snapshot) {
  const DbSnapshot& it = snapshot.value;
  transaction.compares.push_back({DbSnapshotKey(it.identifier), snapshot.revision});
  transaction.deletes.push_back(DbSnapshotKey(it.identifier));
  return ReleaseBackup(store, transaction, it.backup, SnapshotUser(it.identifier));
}

Result<> DoomAutomatedBackup(store::Store& store, store::Transaction& transaction,
                             Versioned<AutomatedBackup> backup) {
  TRY_ASSIGN(const auto snapshots, ListDbSnapshotsOf(store, backup.value.instance));
  for (const Versioned<DbSnapshot>& snapshot : snapshots) {
    // One that is being taken is its run's to end.
    const bool is_there = snapshot.value.IsAvailable() || !snapshot.value.failure.empty();
    if (!snapshot.value.automated || !is_there) continue;
    TRY(ForgetSnapshot(store, transaction, snapshot));
  }
  backup.value.doomed = true;
  Save(transaction, backup);
  return {};
}

std::string_view StatusOf(const DbSnapshot& snapshot) {
  if (!snapshot.failure.empty()) return "failed";
  return snapshot.IsAvailable() ? "available" : "creating";
}

Result<std::optional<RestoreWindow>> RestoreWindowOf(const Context& context,
                                                     const Instance& instance) {
  if (instance.settings.backup_retention_days == 0) return std::nullopt;
  TRY_ASSIGN(const nodes::Archived archived, ArchivedOf(context.store, instance));
  return WindowOf(context, instance.id, instance.settings.backup_retention_days, archived.until);
}

Result<std::optional<RestoreWindow>> RestoreWindowOf(const Context& context,
                                                     const AutomatedBackup& retained) {
  return WindowOf(context, retained.instance, retained.facts.retention_days, retained.latest);
}

// The archive is known to have a beginning once it has been cut to it.
Result<std::optional<WallTime>> LatestRestorableTime(store::Store& store,
                                                     const Instance& instance) {
  if (instance.settings.backup_retention_days == 0) return std::nullopt;
  const auto backup = LoadAutomatedBackup(store, instance.id);
  if (!backup && backup.error().code() == Code::kNotFound) return std::nullopt;
  if (!backup) return Fail(backup.error());
  if (backup->value.kept_since.empty() || backup->value.doomed) return std::nullopt;
  TRY_ASSIGN(const nodes::Archived archived, ArchivedOf(store, instance));
  if (archived.until == WallTime{}) return std::nullopt;
  return archived.until;
}

Result<nodes::Restore> WithArchived(store::Store& store, nodes::Restore restore) {
  const auto source = LoadInstance(store, restore.source);
  if (source) {
    TRY_ASSIGN(const nodes::Archived archived, ArchivedOf(store, source->value));
    restore.archived_lsn = archived.lsn;
    restore.archived_until = archived.until;
    return restore;
  }
  if (source.error().code() != Code::kNotFound) return Fail(source.error());
  const auto retained = LoadAutomatedBackup(store, restore.source);
  if (!retained && retained.error().code() != Code::kNotFound) return Fail(retained.error());
  if (retained) {
    restore.archived_lsn = retained->value.archived_lsn;
    restore.archived_until = retained->value.latest;
  }
  return restore;
}

void Tell(const Context& context, store::Transaction& transaction, const DbSnapshot& snapshot,
          std::string message, std::string category) {
  AddEvent(transaction,
           {.source_type = "db-snapshot",
            .source_id = snapshot.identifier,
            .source_arn = context.SnapshotArn(snapshot.identifier),
            .message = std::move(message),
            .categories = {std::move(category)},
            .date = context.clock.Now()},
           system::RandomHex(context.entropy, 8));
}

}  // namespace howdah::fleet
