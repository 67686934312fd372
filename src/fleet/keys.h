// All store keys that the fleet owns. One file, so that no two documents ever share a name.
#pragma once

#include <string>
#include <string_view>

#include "base/ids.h"

namespace howdah::fleet {

inline constexpr std::string_view kInstancesPrefix = "/instances/";
inline constexpr std::string_view kInstanceNamesPrefix = "/instance-names/";
inline constexpr std::string_view kSubnetGroupsPrefix = "/subnet-groups/";
inline constexpr std::string_view kEventsPrefix = "/events/";
inline constexpr std::string_view kHaPrefix = "/ha/";
inline constexpr std::string_view kStorageToldPrefix = "/storage-told/";

inline std::string InstanceKey(const InstanceId& id) {
  return "/instances/" + id.str();
}
// Identifier to id: put-if-absent makes a name unique.
inline std::string InstanceNameKey(std::string_view identifier) {
  return std::string(kInstanceNamesPrefix) + std::string(identifier);
}
inline std::string HaKey(const InstanceId& id) {
  return "/ha/" + id.str();
}
// Role changes of an instance, by number.
inline std::string JournalPrefix(const InstanceId& id) {
  return "/ha-journal/" + id.str() + "/";
}
// Which state of its storage was last told of by an event.
inline std::string StorageToldKey(const InstanceId& id) {
  return "/storage-told/" + id.str();
}
// What was last told of the archive of an instance's WAL.
inline constexpr std::string_view kArchiveToldPrefix = "/archive-told/";
inline std::string ArchiveToldKey(const InstanceId& id) {
  return std::string(kArchiveToldPrefix) + id.str();
}
// Restore tests, by instance.
inline constexpr std::string_view kProofsPrefix = "/proofs/";
inline std::string ProofKey(const InstanceId& id) {
  return std::string(kProofsPrefix) + id.str();
}
inline constexpr std::string_view kDbSnapshotsPrefix = "/db-snapshots/";
inline std::string DbSnapshotKey(std::string_view identifier) {
  return std::string(kDbSnapshotsPrefix) + std::string(identifier);
}
// Backups of the repository, by their ids, and who needs them.
inline constexpr std::string_view kBackupRecordsPrefix = "/backups/";
inline std::string BackupRecordKey(std::string_view backup) {
  return std::string(kBackupRecordsPrefix) + std::string(backup);
}
// By the id of the instance that they are or were of.
inline constexpr std::string_view kAutomatedBackupsPrefix = "/automated-backups/";
inline std::string AutomatedBackupKey(const InstanceId& id) {
  return std::string(kAutomatedBackupsPrefix) + id.str();
}
inline std::string SubnetGroupKey(std::string_view name) {
  return "/subnet-groups/" + std::string(name);
}
inline std::string EventKey(std::string_view id) {
  return "/events/" + std::string(id);
}

}  // namespace howdah::fleet
