// The machine's file system, through plain POSIX calls. Stateless; safe from any thread.
#pragma once

#include "system/disk.h"

namespace howdah::system {

class PosixDisk final : public Disk {
 public:
  Result<std::string> Read(const std::string& path) override;
  Result<> WriteDurably(const std::string& path, std::string_view contents,
                        unsigned mode = 0600) override;
  Result<> Append(const std::string& path, std::string_view bytes, unsigned mode) override;
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
};

}  // namespace howdah::system
