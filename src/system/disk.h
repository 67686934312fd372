// The seam to the file system. What a function calls durable has been fsynced, file and directory.
// Blocking; safe from any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace howdah::system {

struct SpaceInfo {
  std::uint64_t total_bytes = 0;
  std::uint64_t free_bytes = 0;  // free to an ordinary user
};

struct FileInfo {
  std::uint64_t size_bytes = 0;
  unsigned mode = 0;  // the permission bits
  bool is_directory = false;
};

class Disk {
 public:
  virtual ~Disk() = default;

  // Whole contents; kNotFound where there is no such file.
  virtual Result<std::string> Read(const std::string& path) = 0;
  // Writes beside, fsyncs, renames, fsyncs the directory: readers see the old or the new whole.
  virtual Result<> WriteDurably(const std::string& path, std::string_view contents,
                                unsigned mode = 0600) = 0;
  // Adds to the end of a file, which it creates with that mode; not durable before SyncTree. For
  // what is too large to hold in memory, such as a base backup.
  virtual Result<> Append(const std::string& path, std::string_view bytes, unsigned mode = 0600) {
    (void)bytes, (void)mode;
    return Fail(Code::kUnsupported, "append to " + path);
  }
  // Bytes from `offset` on, fewer at the end of the file; kNotFound where there is none.
  virtual Result<std::string> ReadAt(const std::string& path, std::uint64_t offset,
                                     std::size_t size) {
    (void)offset, (void)size;
    return Fail(Code::kUnsupported, "read a part of " + path);
  }
  // Overwrites a part of a file, which it creates; not durable before SyncTree.
  virtual Result<> WriteAt(const std::string& path, std::uint64_t offset, std::string_view bytes,
                           unsigned mode = 0600) {
    (void)offset, (void)bytes, (void)mode;
    return Fail(Code::kUnsupported, "write a part of " + path);
  }
  // Cuts a file to that size, or makes it longer with zeros; not durable before SyncTree.
  virtual Result<> Resize(const std::string& path, std::uint64_t size_bytes) {
    (void)size_bytes;
    return Fail(Code::kUnsupported, "resize " + path);
  }
  virtual Result<bool> Exists(const std::string& path) = 0;
  // Creates the directory and its parents; an existing one is no error and keeps its mode.
  virtual Result<> MakeDirectories(const std::string& path, unsigned mode = 0700) = 0;
  // Names in a directory, sorted, without "." and "..".
  virtual Result<std::vector<std::string>> List(const std::string& path) = 0;
  // Renames and fsyncs both directories.
  virtual Result<> Rename(const std::string& from, const std::string& to) = 0;
  // Removes a file, or a tree with everything in it (never following symbolic links); absent is no
  // error.
  virtual Result<> RemoveTree(const std::string& path) = 0;
  // Makes every file and directory of the tree durable.
  virtual Result<> SyncTree(const std::string& path) = 0;
  virtual Result<SpaceInfo> Space(const std::string& path) = 0;
  // What the tree takes up on its file system: blocks, not lengths, so that holes count nothing. A
  // file that goes while this looks is no error; a directory that may not be read is.
  virtual Result<std::uint64_t> TreeBytes(const std::string& path) = 0;
  // Size, permissions and kind (symbolic links are followed); kNotFound where there is none.
  virtual Result<FileInfo> Inspect(const std::string& path) = 0;
};

}  // namespace howdah::system
