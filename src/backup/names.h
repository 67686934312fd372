// The one place that knows how the objects of base backups and the descriptions of instances are
// called in a repository; forming a name and reading it stand side by side.
//
//   instances/<instance>/instance/<number>              a description of the instance
//   instances/<instance>/backups/<backup>/begun         written first: the backup is being taken
//   instances/<instance>/backups/<backup>/pack-<number> contents of files
//   instances/<instance>/backups/<backup>/part-<number> where they belong, until there is a
//   manifest instances/<instance>/backups/<backup>/wal-<number>  a WAL segment, from start to stop
//   instances/<instance>/backups/<backup>/files         which files, and where their contents are
//   instances/<instance>/backups/<backup>/pages         the hash of each block
//   instances/<instance>/backups/<backup>/manifest      written last: without it there is no backup
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/ids.h"

namespace howdah::backup {

enum class ObjectKind { kBegun, kPack, kPart, kWal, kFiles, kPages, kManifest };

struct BackupObject {
  std::string backup;
  ObjectKind kind = ObjectKind::kManifest;
  std::uint32_t number = 0;  // of a pack, part or WAL segment
  bool operator==(const BackupObject&) const = default;
};

std::string BackupsPrefix(const InstanceId& instance);
std::string BackupPrefix(const InstanceId& instance, std::string_view backup);
std::string NameOf(const InstanceId& instance, const BackupObject& object);
// nullopt for a name of another form or of another instance.
std::optional<BackupObject> ParseBackupObject(const InstanceId& instance, std::string_view name);

std::string DescriptionsPrefix(const InstanceId& instance);
std::string DescriptionName(const InstanceId& instance, std::uint64_t number);
std::optional<std::uint64_t> ParseDescriptionName(const InstanceId& instance,
                                                  std::string_view name);

}  // namespace howdah::backup
