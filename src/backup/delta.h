// What of a data directory that is there already differs from a backup.
#pragma once

#include <string>
#include <vector>

#include "backup/frame_plan.h"
#include "backup/job.h"
#include "system/disk.h"

namespace howdah::backup {

// Reads and hashes what is there, by several threads. Counts what needs no writing as done.
Result<std::vector<WantedBlocks>> FindDifferences(const std::string& root, const FileTable& table,
                                                  const PageMap& pages, unsigned threads, Job& job);

// Removes what the table does not have, and what has another kind there.
Result<> RemoveOthers(system::Disk& disk, const std::string& root, const FileTable& table);

}  // namespace howdah::backup
