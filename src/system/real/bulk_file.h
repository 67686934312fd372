// Large files, read and written in large pieces into the caller's own buffers: for backups, which
// move whole data directories and must not push the workload's pages out of the page cache.
// Not thread-safe: one owner each.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"
#include "system/real/file_descriptor.h"

namespace howdah::system {

// Of a file that others may write, truncate or remove meanwhile.
class BulkReader {
 public:
  // kNotFound where there is no such file; a symbolic link is refused.
  static Result<BulkReader> Open(const std::string& path);

  // As it was at Open.
  std::uint64_t size_bytes() const { return size_bytes_; }
  // Fills the span; fewer bytes only at the end of the file. What was not in the page cache before
  // leaves it again, what was there stays.
  Result<std::size_t> ReadAt(std::uint64_t offset, std::span<char> into);

 private:
  BulkReader(FileDescriptor file, std::string path, std::uint64_t size)
      : file_(std::move(file)), path_(std::move(path)), size_bytes_(size) {}
  // What can be had without waiting for the disk.
  std::size_t ReadCached(std::uint64_t offset, std::span<char> into);

  FileDescriptor file_;
  std::string path_;
  std::uint64_t size_bytes_;
  bool tells_cached_ = true;  // the file system can say what is in the cache
  bool missed_ = false;       // the last range came from the disk
};

// Creates the file where there is none, and writes to it. Nothing is durable before its tree is
// synced (Disk::SyncTree), but writing to the disk begins at once.
class BulkWriter {
 public:
  static Result<BulkWriter> Open(const std::string& path, unsigned mode);
  Result<> WriteAt(std::uint64_t offset, std::string_view bytes);
  Result<> Resize(std::uint64_t size_bytes);

 private:
  BulkWriter(FileDescriptor file, std::string path)
      : file_(std::move(file)), path_(std::move(path)) {}

  FileDescriptor file_;
  std::string path_;
};

// The calling thread gives way to others for processor and disk from now on.
void YieldToOthers();

}  // namespace howdah::system
