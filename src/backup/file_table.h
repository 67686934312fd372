// Which files a backup has and where their contents are: the object "files". A file is cut into
// extents, each a run of bytes within one frame of one pack, of this backup or of an earlier one;
// in their order they are the file. An extent is a whole number of blocks, but for a file's last.
// And "pages": the hash of each 8 KiB block of each file, so that the next backup knows without the
// old contents what has changed. Formats: docs/formats/backup.md. Face files: see
// tests/fuzz/fuzz_backup.cc.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "repository/sealed.h"

namespace howdah::backup {

inline constexpr std::size_t kBlockBytes = 8192;

constexpr std::uint64_t BlocksOf(std::uint64_t bytes) {
  return (bytes + kBlockBytes - 1) / kBlockBytes;
}

struct Extent {
  std::uint32_t pack = 0;  // its place in the manifest's list
  std::uint32_t frame = 0;
  std::uint32_t offset = 0;  // in the frame's bytes
  std::uint32_t length = 0;
  bool operator==(const Extent&) const = default;
};

struct FileEntry {
  std::string path;  // below the data directory, "base/5/16384"
  std::uint32_t mode = 0600;
  std::uint64_t size_bytes = 0;
  std::vector<Extent> extents;
  bool operator==(const FileEntry&) const = default;
};

struct DirectoryEntry {
  std::string path;
  std::uint32_t mode = 0700;
  bool operator==(const DirectoryEntry&) const = default;
};

struct FileTable {
  std::vector<std::vector<repository::FrameRef>> packs;  // of each pack, its frames
  std::vector<DirectoryEntry> directories;               // parents before children
  std::vector<FileEntry> files;                          // sorted by path
  bool operator==(const FileTable&) const = default;
};

std::string FormatFileTable(const FileTable& table);
// kCorrupt for anything that could not have been written: what is returned is consistent, every
// extent lies within its frame, every path stays below the data directory.
Result<FileTable> ParseFileTable(std::string_view bytes);

// In the order of the table's files.
using PageMap = std::vector<std::vector<std::uint64_t>>;
std::string FormatPageMap(const PageMap& pages);
// kCorrupt too where it does not fit the table.
Result<PageMap> ParsePageMap(std::string_view bytes, const FileTable& table);

// XXH3, 64 bits.
std::uint64_t HashOf(std::string_view block);

// What a pack of an unfinished backup holds, so that the next attempt need not store it again.
struct PartRun {
  std::string path;
  std::uint64_t first_block = 0;
  Extent extent;  // its pack is the part's own
  std::vector<std::uint64_t> hashes;
  bool operator==(const PartRun&) const = default;
};
struct Part {
  std::vector<repository::FrameRef> frames;
  std::vector<PartRun> runs;
  bool operator==(const Part&) const = default;
};
std::string FormatPart(const Part& part);
Result<Part> ParsePart(std::string_view bytes);

}  // namespace howdah::backup
