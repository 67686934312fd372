// What a base backup is: the object "manifest", small and written last. Before it there is no
// backup; with it, everything that it names is there. It is complete in itself: unchanged contents
// are in packs of earlier backups, which it names like its own, and needs no other manifest.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/ids.h"
#include "base/result.h"
#include "base/time.h"
#include "postgres/lsn.h"

namespace howdah::backup {

struct PackUse {
  std::string backup;  // which wrote it
  std::int64_t number = 0;
  std::uint64_t size_bytes = 0;  // of the object
  std::uint64_t used_bytes = 0;  // of its contents, by this backup
  bool operator==(const PackUse&) const = default;
};

// A relation's page whose checksum was wrong each time that it was read.
struct BadPage {
  std::string path;
  std::uint64_t block = 0;  // in the file
  bool operator==(const BadPage&) const = default;
};

struct Manifest {
  int version = 1;
  std::string id;  // "b-…"
  InstanceId instance;
  std::string base;            // the backup that it was compared with; empty: none, all is its own
  std::string description;     // BackupTask::description
  std::string server_version;  // "14.17"
  std::string system_identifier;
  bool from_standby = false;
  bool checksums = false;  // the cluster has them, so pages were verified
  std::int64_t start_lsn = 0, stop_lsn = 0, timeline = 0;
  WallTime started{}, finished{};  // of the server's clock; what it restores to is `finished`
  std::string backup_label;
  std::string history;  // the timeline's history file; empty: it has none
  std::int64_t wal_segment_bytes = 0;
  std::vector<std::uint64_t> wal;  // sizes of the objects wal-0, …: a segment each, from start's on
  std::uint64_t files_bytes = 0, pages_bytes = 0;  // sizes of those objects
  std::uint64_t size_bytes = 0, file_count = 0;    // what it restores to, without WAL
  std::uint64_t stored_bytes = 0;                  // what it added to the repository
  std::vector<PackUse> packs;
  std::vector<BadPage> bad_pages;  // at most kMostBadPages of them
  std::uint64_t bad_page_count = 0;

  postgres::Lsn start() const { return postgres::Lsn(static_cast<std::uint64_t>(start_lsn)); }
  postgres::Lsn stop() const { return postgres::Lsn(static_cast<std::uint64_t>(stop_lsn)); }
  int major() const;  // 14
  bool operator==(const Manifest&) const = default;
};

inline constexpr std::size_t kMostBadPages = 1000;

std::string FormatManifest(const Manifest& manifest);
// kCorrupt; kUnsupported: of a newer version of this program.
Result<Manifest> ParseManifest(std::string_view text);

// The object "begun": who is being taken, since when, and what it builds on.
struct Begun {
  WallTime started{};  // of this host's clock
  std::string base;
  bool operator==(const Begun&) const = default;
};
std::string FormatBegun(const Begun& begun);
Result<Begun> ParseBegun(std::string_view text);

}  // namespace howdah::backup
