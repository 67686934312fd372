// What there is in a data directory that a backup shall hold, while its server runs: files and
// directories may go while this looks, and then are not there.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "backup/file_table.h"
#include "system/disk.h"

namespace howdah::backup {

struct ScannedFile {
  std::string path;  // below the data directory
  std::uint32_t mode = 0600;
  std::uint64_t size_bytes = 0;
};

struct Scanned {
  std::vector<DirectoryEntry> directories;  // parents first
  std::vector<ScannedFile> files;           // sorted by path; without pg_control
  std::uint64_t size_bytes = 0;
};

Result<Scanned> ScanDataDirectory(system::Disk& disk, const std::string& root);

}  // namespace howdah::backup
