// Reading and writing the documents of backups, with the revision that a compare needs, and the one
// bookkeeping that all of them share: who needs which backup of the repository.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "fleet/backup.h"
#include "fleet/context.h"
#include "fleet/records.h"
#include "nodes/backup.h"

namespace howdah::fleet {

Result<Versioned<DbSnapshot>> LoadDbSnapshot(store::Store& store, std::string_view identifier);
Result<std::vector<Versioned<DbSnapshot>>> ListDbSnapshots(store::Store& store);  // by name
Result<std::vector<Versioned<DbSnapshot>>> ListDbSnapshotsOf(store::Store& store,
                                                             const InstanceId& instance);
Result<Versioned<BackupRecord>> LoadBackupRecord(store::Store& store, const std::string& backup);
Result<std::vector<Versioned<BackupRecord>>> ListBackupRecords(store::Store& store);
Result<Versioned<AutomatedBackup>> LoadAutomatedBackup(store::Store& store, const InstanceId& id);
Result<std::vector<Versioned<AutomatedBackup>>> ListAutomatedBackups(store::Store& store);
// What the agent says; kWaiting where it has said nothing.
Result<nodes::BackupState> LoadBackupState(store::Store& store, const std::string& backup);

// Adds the write and the compare on what was read.
void Save(store::Transaction& transaction, const Versioned<DbSnapshot>& snapshot);
void Save(store::Transaction& transaction, const Versioned<BackupRecord>& record);
void Save(store::Transaction& transaction, const Versioned<AutomatedBackup>& backup);

// One more who needs the backup; one fewer. kNotFound: there is no such backup any more, or nobody
// needed it, so that it is going. A transaction may do this once to a backup.
Result<> UseBackup(store::Store& store, store::Transaction& transaction, const std::string& backup,
                   const std::string& user);
Result<> ReleaseBackup(store::Store& store, store::Transaction& transaction,
                       const std::string& backup, const std::string& user);
// The snapshot goes, and its backup with the last who needs it.
Result<> ForgetSnapshot(store::Store& store, store::Transaction& transaction,
                        const Versioned<DbSnapshot>& snapshot);
// All automated snapshots that are there go, and the archive of the WAL.
Result<> DoomAutomatedBackup(store::Store& store, store::Transaction& transaction,
                             Versioned<AutomatedBackup> backup);

// RDS's word for a snapshot and for an automated backup.
std::string_view StatusOf(const DbSnapshot& snapshot);

// From when to when an instance, present or deleted, can be restored; nullopt: not at all yet.
struct RestoreWindow {
  WallTime earliest{};
  WallTime latest{};
};
Result<std::optional<RestoreWindow>> RestoreWindowOf(const Context& context,
                                                     const Instance& instance);
Result<std::optional<RestoreWindow>> RestoreWindowOf(const Context& context,
                                                     const AutomatedBackup& retained);

// The end of that window, cheaply; nullopt likewise.
Result<std::optional<WallTime>> LatestRestorableTime(store::Store& store, const Instance& instance);

// What the source's archiver reports of what it has put there, into the order to restore.
Result<nodes::Restore> WithArchived(store::Store& store, nodes::Restore restore);

// An event about a snapshot, in the transaction that makes it true.
void Tell(const Context& context, store::Transaction& transaction, const DbSnapshot& snapshot,
          std::string message, std::string category);

}  // namespace howdah::fleet
