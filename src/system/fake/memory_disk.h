// A file system in memory: absolute paths, files and directories, no symbolic links. A test may ask
// it to fail one of the next calls. Safe from any thread.
#pragma once

#include <map>
#include <mutex>
#include <optional>

#include "system/disk.h"

namespace howdah::system {

class MemoryDisk final : public Disk {
 public:
  MemoryDisk();

  Result<std::string> Read(const std::string& path) override;
  Result<> WriteDurably(const std::string& path, std::string_view contents,
                        unsigned mode = 0600) override;
  Result<std::string> ReadAt(const std::string& path, std::uint64_t offset,
                             std::size_t size) override;
  Result<> WriteAt(const std::string& path, std::uint64_t offset, std::string_view bytes,
                   unsigned mode = 0600) override;
  Result<> Resize(const std::string& path, std::uint64_t size_bytes) override;
  Result<bool> Exists(const std::string& path) override;
  Result<> MakeDirectories(const std::string& path, unsigned mode = 0700) override;
  Result<std::vector<std::string>> List(const std::string& path) override;
  Result<> Rename(const std::string& from, const std::string& to) override;
  Result<> RemoveTree(const std::string& path) override;
  Result<> SyncTree(const std::string& path) override;
  Result<SpaceInfo> Space(const std::string& path) override;
  Result<std::uint64_t> TreeBytes(const std::string& path) override;
  Result<FileInfo> Inspect(const std::string& path) override;

  // The call after `calls` more fails with `error`, and has done nothing.
  void FailAfter(int calls, Error error);
  void SetSpace(SpaceInfo space);
  int calls() const;

 private:
  struct Node {
    bool is_directory = false;
    unsigned mode = 0;
    std::string contents;
  };
  Result<> Enter();  // counts a call; the failure asked for
  Result<const Node*> Find(const std::string& path) const;
  Result<> RequireParent(const std::string& path) const;

  mutable std::mutex mutex_;
  std::map<std::string, Node> nodes_;  // by normalized absolute path
  SpaceInfo space_{.total_bytes = 1ULL << 40U, .free_bytes = 1ULL << 39U};
  int calls_ = 0;
  std::optional<std::pair<int, Error>> failure_;  // at which call
};

}  // namespace howdah::system
