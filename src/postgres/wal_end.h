// Where the write-ahead log of a stopped server ends, without pg_waldump: records are followed from
// a known one on, checksums verified, until one is not whole. PostgreSQL 14 to 18, the page and
// segment sizes that initdb makes (8 KiB, 16 MiB). Faces files: see tests/fuzz/fuzz_wal.cc.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "base/result.h"
#include "postgres/lsn.h"
#include "postgres/wal_format.h"
#include "system/disk.h"

namespace howdah::postgres {

// "000000010000000000000003": the segment that holds that position.
std::string WalFileName(Timeline timeline, Lsn position);
// The timeline and first position of a segment's name; nothing for other names.
struct WalFile {
  Timeline timeline{};
  Lsn start;
};
std::optional<WalFile> ParseWalFileName(std::string_view name);

// The page of that position (a multiple of kWalPage), nothing where it is absent or short.
using WalPages = std::function<std::optional<std::string>(std::uint64_t)>;

// The end of the last whole record that follows on the one at `record`, itself included; pure.
// kCorrupt where not even that is whole. `most`: how many records to follow.
Result<Lsn> FollowRecords(const WalPages& pages, Lsn record, std::uint64_t most);

// The same, on disk.
Result<Lsn> EndOfWal(system::Disk& disk, const std::string& wal_directory, Timeline timeline,
                     Lsn record);
// The end of that one record.
Result<Lsn> EndOfRecord(system::Disk& disk, const std::string& wal_directory, Timeline timeline,
                        Lsn record);

}  // namespace howdah::postgres
