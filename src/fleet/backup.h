// Backups as documents. A *backup* is what the repository holds; a DB snapshot is a name for one,
// automated or somebody's own, and a copy is another name for the same. An *automated backup* is
// what belongs to an instance as a whole: its automated snapshots and the archive of its WAL, from
// which it can be restored to any second. It can be kept when the instance is deleted.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/ids.h"
#include "base/result.h"
#include "base/time.h"
#include "fleet/instance.h"

namespace howdah::fleet {

// What is remembered of an instance when it is gone.
struct InstanceFacts {
  std::string identifier;
  std::string version;
  std::string database;
  std::string master_user;
  std::string subnet_group;
  std::string vpc;
  std::string zone;
  std::string instance_class;
  std::string storage_type;
  std::int64_t storage_gib = 0;
  std::int64_t port = 0;
  std::int64_t retention_days = 0;
  std::string backup_window;
  std::string maintenance_window;
  WallTime created{};
  Tags tags;
  bool operator==(const InstanceFacts&) const = default;
};
InstanceFacts FactsOf(const Instance& instance);

struct DbSnapshot {
  std::string identifier;  // lower case; "rds:…" of an automated one
  bool automated = false;
  InstanceId instance;
  std::string backup;  // in the repository; empty: not begun
  InstanceFacts facts;
  WallTime created{};          // SnapshotCreateTime
  WallTime original{};         // of the snapshot that this one copies, else `created`
  WallTime finished{};         // the server's time that it restores to; none: it is not finished
  std::int64_t start_lsn = 0;  // where its WAL begins
  std::string failure;         // why it could not be taken; empty: it could
  std::uint64_t size_bytes = 0;
  std::uint64_t stored_bytes = 0;
  Tags tags;

  bool IsAvailable() const { return finished != WallTime{}; }
  bool operator==(const DbSnapshot&) const = default;
};

// A backup of the repository and who needs it. Without users it is doomed: nobody takes it up any
// more, and it goes from the repository and then from here.
struct BackupRecord {
  std::string id;
  InstanceId instance;
  std::vector<std::string> users;  // SnapshotUser, RestoreUser
  bool operator==(const BackupRecord&) const = default;
};
std::string SnapshotUser(std::string_view identifier);
std::string RestoreUser(const InstanceId& restored);

struct AutomatedBackup {
  InstanceId instance;
  std::string arn_id;     // "ab-…"
  bool retained = false;  // its instance is deleted
  bool doomed = false;    // all of it goes
  // Found in the repository by a store that knew nothing of it: it stays until somebody deletes it.
  bool imported = false;
  InstanceFacts facts;            // of a retained one
  WallTime latest{};              // of a retained one: to when it can be restored
  std::int64_t archived_lsn = 0;  // and where its archive ends
  WallTime failed{};       // when an automated snapshot last failed; none: the last one did not
  std::string kept_since;  // the backup before which the archive has been expired
  bool operator==(const AutomatedBackup&) const = default;
};

// What the repository keeps of an instance beside its data: all that must be known to go on from
// nothing but the repository.
struct Description {
  InstanceFacts facts;
  std::vector<DbSnapshot> snapshots;  // the names for its backups
  bool operator==(const Description&) const = default;
};

std::string Format(const Description& description);
Result<Description> ParseDescription(std::string_view text);
std::string Format(const DbSnapshot& snapshot);
Result<DbSnapshot> ParseDbSnapshot(std::string_view text);
std::string Format(const BackupRecord& record);
Result<BackupRecord> ParseBackupRecord(std::string_view text);
std::string Format(const AutomatedBackup& backup);
Result<AutomatedBackup> ParseAutomatedBackup(std::string_view text);

}  // namespace howdah::fleet
