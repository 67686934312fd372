#include "backup/delta.h"

#include <algorithm>
#include <filesystem>
#include <set>
#include <tuple>

#include "system/real/bulk_file.h"

namespace howdah::backup {

namespace {

constexpr std::size_t kReadBytes = 1 << 20;

class Comparison {
 public:
  Comparison(const std::string& root, const FileTable& table, const PageMap& pages, Job& job)
      : root_(root), table_(table), pages_(pages), job_(job) {}

  Result<std::vector<WantedBlocks>> Work(const std::atomic<bool>& stop) {
    std::vector<WantedBlocks> wanted;
    std::vector<char> buffer(kReadBytes);
    while (!stop) {
      const std::size_t file = next_++;
      if (file >= table_.files.size()) break;
      TRY(job_.GoOn());
      TRY(CompareFile(static_cast<std::uint32_t>(file), buffer, wanted));
    }
    return wanted;
  }

 private:
  static void Want(std::vector<WantedBlocks>& wanted, std::uint32_t file, std::uint64_t first,
                   std::uint64_t count) {
    if (count == 0) return;
    if (!wanted.empty() && wanted.back().file == file &&
        wanted.back().first + wanted.back().count == first) {
      wanted.back().count += count;
      return;
    }
    wanted.push_back({.file = file, .first = first, .count = count});
  }

  Result<> CompareFile(std::uint32_t index, std::vector<char>& buffer,
                       std::vector<WantedBlocks>& wanted) {
    const FileEntry& file = table_.files[index];
    const std::uint64_t blocks = pages_[index].size();
    auto reader = system::BulkReader::Open(root_ + "/" + file.path);
    if (!reader && reader.error().code() != Code::kNotFound) return Fail(reader.error());
    std::uint64_t block = 0;
    while (reader && block < blocks) {
      TRY(job_.GoOn());
      const std::uint64_t offset = block * kBlockBytes;
      const auto size =
          static_cast<std::size_t>(std::min<std::uint64_t>(kReadBytes, file.size_bytes - offset));
      TRY_ASSIGN(const std::size_t got, reader->ReadAt(offset, {buffer.data(), size}));
      for (std::size_t at = 0; at < size; at += kBlockBytes, ++block) {
        const std::size_t length = std::min(kBlockBytes, size - at);
        const bool same =
            at + length <= got && HashOf({buffer.data() + at, length}) == pages_[index][block];
        if (same) job_.done_bytes += length;
        if (!same) Want(wanted, index, block, 1);
      }
      if (got < size) break;
    }
    Want(wanted, index, block, blocks - block);
    return {};
  }

  const std::string& root_;
  const FileTable& table_;
  const PageMap& pages_;
  Job& job_;
  std::atomic<std::size_t> next_ = 0;
};

Result<> RemoveBelow(system::Disk& disk, const std::string& root, const std::string& directory,
                     const std::set<std::string>& files, const std::set<std::string>& directories) {
  TRY_ASSIGN(const auto names, disk.List(directory.empty() ? root : root + "/" + directory));
  for (const std::string& name : names) {
    const std::string path = directory.empty() ? name : directory + "/" + name;
    std::error_code ignored;
    const auto kind = std::filesystem::symlink_status(root + "/" + path, ignored).type();
    if (kind == std::filesystem::file_type::directory && directories.contains(path)) {
      TRY(RemoveBelow(disk, root, path, files, directories));
    } else if (kind != std::filesystem::file_type::regular || !files.contains(path)) {
      TRY(disk.RemoveTree(root + "/" + path));
    }
  }
  return {};
}

}  // namespace

Result<std::vector<WantedBlocks>> FindDifferences(const std::string& root, const FileTable& table,
                                                  const PageMap& pages, unsigned threads,
                                                  Job& job) {
  Comparison comparison(root, table, pages, job);
  std::vector<std::vector<WantedBlocks>> found(threads);
  TRY(RunCrew(threads, [&](unsigned i, const std::atomic<bool>& stop) -> Result<> {
    TRY_ASSIGN(found[i], comparison.Work(stop));
    return {};
  }));
  std::vector<WantedBlocks> all;
  for (const auto& part : found) all.insert(all.end(), part.begin(), part.end());
  std::sort(all.begin(), all.end(), [](const WantedBlocks& left, const WantedBlocks& right) {
    return std::tie(left.file, left.first) < std::tie(right.file, right.first);
  });
  return all;
}

Result<> RemoveOthers(system::Disk& disk, const std::string& root, const FileTable& table) {
  std::set<std::string> files, directories;
  for (const FileEntry& file : table.files) files.insert(file.path);
  for (const DirectoryEntry& directory : table.directories) directories.insert(directory.path);
  return RemoveBelow(disk, root, "", files, directories);
}

}  // namespace howdah::backup
