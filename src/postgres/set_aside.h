// Keeps a former primary's WAL beyond the point where the new primary's history left it, for
// people: nothing in it was ever acknowledged while a standby was waited for, but somebody may ask.
#pragma once

#include <string>

#include "postgres/lsn.h"
#include "system/disk.h"

namespace howdah::postgres {

struct SetAsideSpec {
  std::string wal_directory;
  std::string target;  // a directory of its own below `parent`
  Timeline timeline{};
  Lsn fork;
  Lsn end;                 // of the last whole record; none: unknown, all segments from the fork on
  std::uint64_t most = 0;  // bytes of segments that are copied, from the fork on
};

// Copies the segments, durably, with a note beside them. May be repeated. Returns how many bytes
// were copied.
Result<std::uint64_t> SetWalAside(system::Disk& disk, const SetAsideSpec& spec);
// Keeps only the newest (by name) in a directory of such directories.
Result<> KeepNewest(system::Disk& disk, const std::string& directory, std::size_t most);

}  // namespace howdah::postgres
