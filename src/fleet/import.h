// Backups of a repository that this store knows nothing of become its own: what is left when a home
// is lost, or what another installation has left behind. They come back as RDS shows what outlived
// its instance: DB snapshots, and retained automated backups, to restore from.
#pragma once

#include <string>
#include <vector>

#include "fleet/backup_records.h"
#include "fleet/backup_shelf.h"

namespace howdah::fleet {

// What becomes of one instance's backups.
struct Import {
  Description description;
  std::vector<DbSnapshot> snapshots;
  std::vector<BackupRecord> records;
  std::optional<AutomatedBackup> automated;  // without arn_id
};

// Pure. A backup goes by the names that the description has for it; one that is newer than the
// description, by the name under which it was taken. kCorrupt: nothing says what was backed up.
Result<Import> ImportOf(const FoundInstance& found);

struct ImportOutcome {
  InstanceId instance;
  InstanceFacts facts;
  bool known = false;   // it is this store's already: nothing was changed
  std::string problem;  // why it cannot be imported; empty: it can
  std::size_t snapshots = 0;
  std::optional<RestoreWindow> window;  // to any second of it
  std::vector<std::string> unreadable;  // what is lost in any case
};

// All that the repository holds, one transaction for each instance; to be done again after a
// failure. With `dry_run` nothing is written. A name that is taken gets the instance's resource id
// behind it. kUnavailable: the repository cannot be read.
Result<std::vector<ImportOutcome>> ImportBackups(const Context& context, bool dry_run);

}  // namespace howdah::fleet
