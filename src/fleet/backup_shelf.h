// The repository of backups as the fleet needs it: what is there, what can be restored from it, and
// what may go. Behind it stands the repository itself; in tests a simulated one. Blocking, every
// wait bounded, safe from any thread.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/ids.h"
#include "base/result.h"
#include "base/time.h"
#include "nodes/node.h"

namespace howdah::fleet {

// What a restore will do, decided before anything is made.
struct PlannedRestore {
  std::string backup;            // which it begins with
  WallTime until{};              // what was committed up to then will be in it
  std::uint64_t size_bytes = 0;  // what it restores to
  std::uint64_t wal_bytes = 0;   // to replay
  Duration estimate{};           // how long it may take
  // From when to when the source can be restored.
  WallTime earliest{}, latest{};
};

// What is there of one instance, by the repository alone.
struct FoundBackup {
  std::string id;
  WallTime finished{};
  std::uint64_t size_bytes = 0, stored_bytes = 0;
  std::string description;  // BackupTask::description
};
struct FoundInstance {
  InstanceId id;
  std::string description;  // the newest; empty: there is none
  std::vector<FoundBackup> backups;
  WallTime latest{};                    // to when the archive reaches; none: to nowhere
  std::vector<std::string> unreadable;  // what is there and cannot be read: which, and why
};

class BackupShelf {
 public:
  virtual ~BackupShelf() = default;

  // What a restore must know of an instance when nothing but the repository is left: a JSON text.
  // The same text again changes nothing.
  virtual Result<> Describe(const InstanceId& instance, const std::string& description) = 0;
  // kNotFound: no such backup, or the instance has none. kInvalid: the time is outside of what can
  // be restored; the text says what can.
  virtual Result<PlannedRestore> Plan(const nodes::Restore& restore) = 0;
  virtual Result<std::vector<FoundInstance>> Inventory() = 0;
  // Absent is no error, here and below.
  virtual Result<> DeleteBackup(const InstanceId& instance, const std::string& backup) = 0;
  // The WAL from before that backup began; an empty one: all of it.
  virtual Result<> ExpireArchive(const InstanceId& instance, const std::string& oldest_backup) = 0;
};

}  // namespace howdah::fleet
