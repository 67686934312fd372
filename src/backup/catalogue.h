// Which backups an instance has and what is in each, from the repository alone.
#pragma once

#include <string>
#include <vector>

#include "backup/file_table.h"
#include "backup/manifest.h"
#include "backup/objects.h"

namespace howdah::backup {

// kNotFound where there is no such backup, or not yet.
Result<Manifest> ReadManifest(const Needs& needs, const InstanceId& instance,
                              const std::string& backup);
Result<FileTable> ReadFileTable(const Needs& needs, const Manifest& manifest);
Result<PageMap> ReadPageMap(const Needs& needs, const Manifest& manifest, const FileTable& table);

struct Catalogue {
  std::vector<Manifest> backups;        // oldest first, by timeline and position
  std::vector<std::string> unreadable;  // manifests that are there and cannot be read: why
};
// Errors only where the repository cannot be listed.
Result<Catalogue> ListBackups(const Needs& needs, const InstanceId& instance);
// All instances of which the repository has anything.
Result<std::vector<InstanceId>> ListInstances(const Needs& needs);

std::string PackName(const InstanceId& instance, const PackUse& pack);

}  // namespace howdah::backup
