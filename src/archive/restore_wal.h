// What `howdah restore-wal --plan FILE %f %p` does: PostgreSQL's restore_command during a restore.
#pragma once

#include <string>

#include "base/log.h"
#include "repository/keys.h"
#include "repository/repository.h"
#include "system/disk.h"

namespace howdah::archive {

// The exit codes. PostgreSQL takes 1 for the end of the archive, and stops with an error where one
// is above 125.
inline constexpr int kRestoredWal = 0;
inline constexpr int kBeyondThePlan = 1;
inline constexpr int kRestoreWalFailed = 126;

// Writes the file `name` to `target`. What fails is said to the log (the server's own).
int RestoreWal(const std::string& plan_file, const std::string& name, const std::string& target,
               repository::Repository& repository, repository::Keys& keys, system::Disk& disk,
               const Log& log);

}  // namespace howdah::archive
