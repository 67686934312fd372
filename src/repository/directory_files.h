// What the directory repository does with single files and directories, always relative to an open
// directory and never through a symbolic link: no name leads out of the root. Private to the room.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "system/real/file_descriptor.h"

namespace howdah::repository {

using system::FileDescriptor;

// Where files are written before they have a name; no segment of a name begins with a dot.
inline constexpr std::string_view kDraftDirectory = ".tmp";

// Called before each step that changes the disk; returns 0, or an errno with which that step fails.
// For tests: a step at which the process dies, or the disk is full.
using BeforeStep = std::function<int(std::string_view step)>;

// An Error in the repository's codes: what may pass by itself (full, gone, read only, out of
// descriptors) is kUnavailable.
std::unexpected<Error> FailFile(std::string_view doing, std::string_view path, int error_number);

// A directory or file below `root`, which may be `path` "" itself. kNotFound where any part of the
// way is missing or a file; kPermission where it is a symbolic link.
Result<FileDescriptor> OpenDirectoryBelow(int root, std::string_view path);
Result<FileDescriptor> OpenFileBelow(int root, const std::string& path);

Result<std::uint64_t> FileSize(int fd, std::string_view path);
// Exactly that many bytes; kCorrupt where there are fewer.
Result<std::string> ReadExactly(int fd, std::string_view path, std::uint64_t offset,
                                std::size_t size);
Result<> WriteAll(int fd, std::string_view path, std::string_view bytes, const BeforeStep& before);
Result<> SyncFile(int fd, std::string_view path);
// Whether the file has exactly these bytes; reads it piece by piece.
Result<bool> HasExactly(int fd, std::string_view path, std::string_view bytes);

struct DirectoryEntry {
  std::string name;
  std::uint64_t size_bytes = 0;
  bool is_directory = false;
};
// The entries that can be part of an object's name: directories and plain files. What goes
// meanwhile, symbolic links and foreign names are left out.
Result<std::vector<DirectoryEntry>> ReadDirectory(const FileDescriptor& directory,
                                                  std::string_view path);

// "a/b" of "a/b/c", "" of "a"; and "c".
std::string_view ParentOf(std::string_view path);
std::string LeafOf(std::string_view path);

}  // namespace howdah::repository
