// Puts the files of a backup into a data directory: contents, its own WAL, the backup label.
// Whether and how recovery goes on from there (recovery.signal, restore_command) is the caller's.
// Each frame is read once, in the order of the packs, by several threads. Nothing half-made can be
// taken for whole: a new directory grows beside and is renamed; one that is there already loses its
// control file first and gets it back last.
#pragma once

#include <string>

#include "backup/job.h"
#include "backup/manifest.h"
#include "backup/objects.h"

namespace howdah::backup {

struct RestoreRequest {
  InstanceId instance;
  std::string backup;
  std::string directory;  // the data directory; its parent exists
  bool delta = false;     // it may be there already: only what differs is written
  unsigned threads = 0;   // 0: DefaultThreads()
};

struct RestoreOutcome {
  Manifest manifest;
  std::uint64_t written_bytes = 0;  // without WAL
};

// kAlreadyExists: the directory is there and `delta` is not asked for; kNotFound: no such backup;
// kCorrupt names the object that is damaged or missing; kUnavailable: cancelled, or the repository
// is not there. Everything is durable when it returns. No server runs there.
Result<RestoreOutcome> RestoreBackup(const RestoreRequest& request, const Needs& needs, Job& job);

}  // namespace howdah::backup
