#include "backup/known_blocks.h"

#include <algorithm>

namespace howdah::backup {

namespace {

constexpr std::uint64_t kLeastUsedPercent = 25;

std::uint64_t BlocksIn(const KnownRun& run) {
  return BlocksOf(run.extent.length);
}

// Attempts may have stored the same block twice; one is enough.
void RemoveOverlaps(KnownFile& file) {
  std::sort(file.begin(), file.end(), [](const KnownRun& left, const KnownRun& right) {
    return left.first_block < right.first_block;
  });
  std::uint64_t end = 0;
  std::erase_if(file, [&](const KnownRun& run) {
    if (run.first_block < end) return true;
    end = run.first_block + BlocksIn(run);
    return false;
  });
}

}  // namespace

KnownBlocks KnownBlocks::Of(const FileTable& table, PageMap pages, const std::vector<bool>& worn) {
  KnownBlocks known;
  known.pages_ = std::move(pages);
  for (std::size_t i = 0; i < table.files.size(); ++i) {
    KnownFile& file = known.files_[table.files[i].path];
    std::uint64_t block = 0;
    for (const Extent& extent : table.files[i].extents) {
      if (!worn[extent.pack]) {
        file.push_back(
            {.first_block = block, .extent = extent, .hashes = known.pages_[i].data() + block});
      }
      block += BlocksOf(extent.length);
    }
  }
  return known;
}

KnownBlocks KnownBlocks::Of(std::vector<Part> parts, const std::vector<std::uint32_t>& packs) {
  KnownBlocks known;
  known.parts_ = std::move(parts);
  for (std::size_t i = 0; i < known.parts_.size(); ++i) {
    for (const PartRun& run : known.parts_[i].runs) {
      KnownRun added{
          .first_block = run.first_block, .extent = run.extent, .hashes = run.hashes.data()};
      added.extent.pack = packs[i];
      known.files_[run.path].push_back(added);
    }
  }
  for (auto& [path, file] : known.files_) RemoveOverlaps(file);
  return known;
}

const KnownFile* KnownBlocks::Find(std::string_view path) const {
  const auto found = files_.find(path);
  return found == files_.end() ? nullptr : &found->second;
}

std::optional<Extent> KnownCursor::At(std::uint64_t block, std::uint32_t length,
                                      std::uint64_t hash) {
  if (file_ == nullptr) return std::nullopt;
  while (run_ < file_->size() && (*file_)[run_].first_block + BlocksIn((*file_)[run_]) <= block) {
    ++run_;
  }
  if (run_ == file_->size() || (*file_)[run_].first_block > block) return std::nullopt;
  const KnownRun& run = (*file_)[run_];
  const std::uint64_t index = block - run.first_block;
  const auto begin = static_cast<std::uint32_t>(index * kBlockBytes);
  const std::uint32_t there =
      std::min(run.extent.length - begin, static_cast<std::uint32_t>(kBlockBytes));
  if (there != length || run.hashes[index] != hash) return std::nullopt;
  return Extent{.pack = run.extent.pack,
                .frame = run.extent.frame,
                .offset = run.extent.offset + begin,
                .length = length};
}

void AppendExtent(std::vector<Extent>& extents, const Extent& extent) {
  if (!extents.empty()) {
    Extent& last = extents.back();
    if (last.pack == extent.pack && last.frame == extent.frame &&
        last.offset + last.length == extent.offset) {
      last.length += extent.length;
      return;
    }
  }
  extents.push_back(extent);
}

std::vector<bool> WornPacks(const FileTable& table) {
  std::vector<std::uint64_t> used(table.packs.size());
  for (const FileEntry& file : table.files) {
    for (const Extent& extent : file.extents) used[extent.pack] += extent.length;
  }
  std::vector<bool> worn(table.packs.size());
  for (std::size_t i = 0; i < worn.size(); ++i) {
    std::uint64_t all = 0;
    for (const auto& frame : table.packs[i]) all += frame.raw_bytes;
    worn[i] = used[i] * 100 < all * kLeastUsedPercent;
  }
  return worn;
}

}  // namespace howdah::backup
