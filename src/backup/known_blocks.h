// Blocks whose contents the repository has already, of an earlier backup or of an unfinished
// attempt at this one: found by file, place and hash. Built once, then safe from any thread.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "backup/file_table.h"

namespace howdah::backup {

// Consecutive blocks of one file in one extent.
struct KnownRun {
  std::uint64_t first_block = 0;
  Extent extent;
  const std::uint64_t* hashes = nullptr;  // one a block
};
using KnownFile = std::vector<KnownRun>;  // by first_block, without overlap

class KnownBlocks {
 public:
  KnownBlocks() = default;
  KnownBlocks(KnownBlocks&&) = default;
  KnownBlocks& operator=(KnownBlocks&&) = default;

  // `worn`: packs of the table that shall not be built on any more.
  static KnownBlocks Of(const FileTable& table, PageMap pages, const std::vector<bool>& worn);
  // Part i's pack is number packs[i] in the new table.
  static KnownBlocks Of(std::vector<Part> parts, const std::vector<std::uint32_t>& packs);

  // Nothing known: nullptr.
  const KnownFile* Find(std::string_view path) const;

 private:
  std::map<std::string, KnownFile, std::less<>> files_;
  PageMap pages_;            // what the runs point into
  std::vector<Part> parts_;  // the same
};

// Walks through one file's blocks from the first to the last.
class KnownCursor {
 public:
  explicit KnownCursor(const KnownFile* file) : file_(file) {}
  // Where a block of this length and hash stands; `block` never goes down.
  std::optional<Extent> At(std::uint64_t block, std::uint32_t length, std::uint64_t hash);

 private:
  const KnownFile* file_;
  std::size_t run_ = 0;
};

// Adds an extent behind the others, as one with the last where they are neighbours.
void AppendExtent(std::vector<Extent>& extents, const Extent& extent);

// Packs of a backup that hold so little of it that what is left is better stored anew: otherwise
// backups that build on each other for ever keep ever more dead contents.
std::vector<bool> WornPacks(const FileTable& table);

}  // namespace howdah::backup
