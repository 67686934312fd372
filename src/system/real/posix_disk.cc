// See posix_disk.h. The order in WriteDurably (file synced, renamed, directory synced) is what
// makes a crash leave the old or the new contents and nothing else.
#include "system/real/posix_disk.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <system_error>

#include "system/real/file_descriptor.h"

namespace howdah::system {

namespace {

namespace fs = std::filesystem;

std::unexpected<Error> FailErrno(std::string_view verb, const std::string& path, int number) {
  return Fail(ErrnoError(std::string(verb) + " " + path, number));
}

std::string ParentOf(const std::string& path) {
  const std::string parent = fs::path(path).parent_path().string();
  return parent.empty() ? "." : parent;
}

Result<FileDescriptor> Open(const std::string& path, int flags) {
  FileDescriptor file(::open(path.c_str(), flags | O_CLOEXEC));
  if (!file.valid()) return FailErrno("open", path, errno);
  return file;
}

Result<> Sync(const std::string& path, int flags) {
  TRY_ASSIGN(const FileDescriptor file, Open(path, flags | O_RDONLY));
  if (::fsync(file.get()) != 0) return FailErrno("fsync", path, errno);
  return {};
}

Result<> SyncDirectory(const std::string& path) {
  return Sync(path, O_DIRECTORY);
}

Result<> WriteAll(int fd, std::string_view contents, const std::string& path) {
  while (!contents.empty()) {
    const ssize_t written = ::write(fd, contents.data(), contents.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return FailErrno("write", path, errno);
    contents.remove_prefix(static_cast<std::size_t>(written));
  }
  return {};
}

Result<> FillAndSync(int fd, const std::string& path, std::string_view contents, unsigned mode) {
  if (::fchmod(fd, mode) != 0) return FailErrno("chmod", path, errno);
  TRY(WriteAll(fd, contents, path));
  if (::fsync(fd) != 0) return FailErrno("fsync", path, errno);
  return {};
}

}  // namespace

Result<std::string> PosixDisk::Read(const std::string& path) {
  TRY_ASSIGN(const FileDescriptor file, Open(path, O_RDONLY));
  std::string contents;
  std::size_t used = 0;
  for (;;) {
    contents.resize(used + 65536);
    const ssize_t got = ::read(file.get(), contents.data() + used, contents.size() - used);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return FailErrno("read", path, errno);
    used += static_cast<std::size_t>(got);
    if (got == 0) break;
  }
  contents.resize(used);
  return contents;
}

Result<> PosixDisk::WriteDurably(const std::string& path, std::string_view contents,
                                 unsigned mode) {
  const fs::path target(path);
  std::string beside = (target.parent_path() / ("." + target.filename().string())).string();
  beside += ".tmp-XXXXXX";
  FileDescriptor file(::mkostemp(beside.data(), O_CLOEXEC));
  if (!file.valid()) return FailErrno("create", beside, errno);
  Result<> filled = FillAndSync(file.get(), beside, contents, mode);
  if (filled && ::rename(beside.c_str(), path.c_str()) != 0) {
    filled = FailErrno("rename to", path, errno);
  }
  if (!filled) {
    ::unlink(beside.c_str());
    return filled;
  }
  return SyncDirectory(ParentOf(path));
}

Result<> PosixDisk::Append(const std::string& path, std::string_view bytes, unsigned mode) {
  const FileDescriptor file(
      ::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW | O_CLOEXEC, mode));
  if (!file.valid()) return FailErrno("open", path, errno);
  return WriteAll(file.get(), bytes, path);
}

Result<bool> PosixDisk::Exists(const std::string& path) {
  struct stat info{};
  if (::lstat(path.c_str(), &info) == 0) return true;
  if (errno == ENOENT || errno == ENOTDIR) return false;
  return FailErrno("stat", path, errno);
}

Result<> PosixDisk::MakeDirectories(const std::string& path, unsigned mode) {
  if (::mkdir(path.c_str(), mode) == 0) return SyncDirectory(ParentOf(path));
  if (errno == ENOENT && ParentOf(path) != path) {
    TRY(MakeDirectories(ParentOf(path), mode));
    if (::mkdir(path.c_str(), mode) == 0) return SyncDirectory(ParentOf(path));
  }
  if (errno != EEXIST) return FailErrno("mkdir", path, errno);
  struct stat info{};
  if (::stat(path.c_str(), &info) != 0) return FailErrno("stat", path, errno);
  if (!S_ISDIR(info.st_mode)) return FailErrno("mkdir", path, ENOTDIR);
  return {};
}

Result<std::vector<std::string>> PosixDisk::List(const std::string& path) {
  std::error_code error;
  std::vector<std::string> names;
  for (fs::directory_iterator it(path, error), end; !error && it != end; it.increment(error)) {
    names.push_back(it->path().filename().string());
  }
  if (error) return FailErrno("list", path, error.value());
  std::ranges::sort(names);
  return names;
}

Result<> PosixDisk::Rename(const std::string& from, const std::string& to) {
  if (::rename(from.c_str(), to.c_str()) != 0) return FailErrno("rename", from, errno);
  TRY(SyncDirectory(ParentOf(to)));
  if (ParentOf(from) == ParentOf(to)) return {};
  return SyncDirectory(ParentOf(from));
}

Result<> PosixDisk::RemoveTree(const std::string& path) {
  std::error_code error;
  fs::remove_all(path, error);
  if (error && error != std::errc::not_a_directory) {
    return FailErrno("remove", path, error.value());
  }
  return {};
}

// One syncfs instead of an fsync for each of a thousand files: it reports write errors too (Linux
// 5.8 and newer), and costs one journal commit.
Result<> PosixDisk::SyncTree(const std::string& path) {
  std::error_code error;
  const fs::file_status status = fs::symlink_status(path, error);
  if (!fs::exists(status)) return FailErrno("sync", path, error ? error.value() : ENOENT);
  if (fs::is_regular_file(status)) return Sync(path, O_NOFOLLOW);
  if (!fs::is_directory(status)) return {};
  const FileDescriptor directory(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!directory.valid()) return FailErrno("open", path, errno);
  if (::syncfs(directory.get()) != 0) return FailErrno("syncfs", path, errno);
  return {};
}

Result<SpaceInfo> PosixDisk::Space(const std::string& path) {
  struct statvfs info{};
  if (::statvfs(path.c_str(), &info) != 0) return FailErrno("statvfs", path, errno);
  return SpaceInfo{.total_bytes = std::uint64_t{info.f_blocks} * info.f_frsize,
                   .free_bytes = std::uint64_t{info.f_bavail} * info.f_frsize};
}

Result<FileInfo> PosixDisk::Inspect(const std::string& path) {
  struct stat info{};
  if (::stat(path.c_str(), &info) != 0) return FailErrno("stat", path, errno);
  return FileInfo{.size_bytes = static_cast<std::uint64_t>(info.st_size),
                  .mode = info.st_mode & 07777U,
                  .is_directory = S_ISDIR(info.st_mode)};
}

}  // namespace howdah::system
