// Looks whether the WAL archive of an instance is whole: every object opens and holds what its name
// says, and nothing is missing between them, nor between the backups and them.
#pragma once

#include <string>
#include <vector>

#include "backup/job.h"
#include "backup/manifest.h"
#include "backup/objects.h"

namespace howdah::backup {

// What is damaged, each naming an object or where one is missing. Errors only where the check
// itself fails.
Result<std::vector<std::string>> CheckArchive(const InstanceId& instance,
                                              const std::vector<Manifest>& backups,
                                              const Needs& needs, Job& job);

}  // namespace howdah::backup
