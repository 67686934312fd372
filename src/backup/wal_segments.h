// The WAL that a backup cannot do without: from its start to its stop, segment by segment, from the
// server's own pg_wal into objects of the backup and from there into a restored pg_wal.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "backup/job.h"
#include "backup/manifest.h"
#include "backup/objects.h"

namespace howdah::backup {

// Sets the manifest's `wal` and `history`. The manifest knows start, stop and timeline. kNotFound:
// the server has not kept a segment; kCorrupt: what is there is other WAL.
Result<> StoreWal(const Needs& needs, const repository::DataKey& key,
                  const std::string& data_directory, Manifest& manifest, Job& job);

// Into an empty `wal_directory`. Durable when its tree is synced.
Result<> RestoreWal(const Needs& needs, const Manifest& manifest, const std::string& wal_directory,
                    Job& job);

// Segment i as it was sealed: from its first byte, at most to the stop.
Result<std::string> ReadWalSegment(const Needs& needs, const Manifest& manifest, std::size_t i);

// Every page says where it belongs; a segment file that was kept for reuse says something else.
// Where the server switched to the next segment early, the rest of a whole one is zeros.
Result<> CheckWalPages(std::string_view bytes, postgres::Lsn start);

}  // namespace howdah::backup
