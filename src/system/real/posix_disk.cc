// See posix_disk.h. The order in WriteDurably (file synced, renamed, directory synced) is what
// makes a crash leave the old or the new contents and nothing else.
#include "system/real/posix_disk.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <memory>
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

constexpr int kDeepestTree = 64;

struct DirectoryCloser {
  void operator()(DIR* directory) const { ::closedir(directory); }
};

Result<std::uint64_t> BytesBelow(FileDescriptor descriptor, const std::string& path, int depth);

// One name of the directory `fd`; relative to it, so that a directory that is renamed meanwhile
// leads nowhere else. A directory counts itself as its ".".
Result<std::uint64_t> EntryBytes(int fd, const char* name, const std::string& path, int depth) {
  constexpr std::uint64_t kBlock = 512;  // the unit of st_blocks, whatever the file system's is
  struct stat info{};
  if (::fstatat(fd, name, &info, AT_SYMLINK_NOFOLLOW) != 0) {
    if (errno == ENOENT) return 0;
    return FailErrno("stat", path, errno);
  }
  if (!S_ISDIR(info.st_mode) || std::string_view(name) == ".") {
    return static_cast<std::uint64_t>(info.st_blocks) * kBlock;
  }
  FileDescriptor inner(::openat(fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!inner.valid() && errno == ENOENT) return 0;
  if (!inner.valid()) return FailErrno("open", path, errno);
  return BytesBelow(std::move(inner), path, depth + 1);
}

Result<std::uint64_t> BytesBelow(FileDescriptor descriptor, const std::string& path, int depth) {
  if (depth > kDeepestTree) return FailErrno("measure", path, ELOOP);
  const std::unique_ptr<DIR, DirectoryCloser> directory(::fdopendir(descriptor.get()));
  if (!directory) return FailErrno("list", path, errno);
  const int fd = descriptor.Release();  // the stream's now
  std::uint64_t bytes = 0;
  for (;;) {
    errno = 0;
    const dirent* entry = ::readdir(directory.get());
    if (entry == nullptr && errno != 0 && errno != ENOENT) return FailErrno("list", path, errno);
    if (entry == nullptr) return bytes;
    if (std::string_view(entry->d_name) == "..") continue;
    TRY_ASSIGN(const std::uint64_t more,
               EntryBytes(fd, entry->d_name, path + "/" + entry->d_name, depth));
    bytes += more;
  }
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

Result<std::string> PosixDisk::ReadAt(const std::string& path, std::uint64_t offset,
                                      std::size_t size) {
  const FileDescriptor file(::open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC));
  if (!file.valid()) return FailErrno("open", path, errno);
  std::string bytes(size, '\0');
  std::size_t done = 0;
  while (done < size) {
    const ssize_t got =
        ::pread(file.get(), bytes.data() + done, size - done, static_cast<off_t>(offset + done));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return FailErrno("read", path, errno);
    if (got == 0) break;
    done += static_cast<std::size_t>(got);
  }
  bytes.resize(done);
  return bytes;
}

Result<> PosixDisk::WriteAt(const std::string& path, std::uint64_t offset, std::string_view bytes,
                            unsigned mode) {
  const FileDescriptor file(
      ::open(path.c_str(), O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, mode));
  if (!file.valid()) return FailErrno("open", path, errno);
  while (!bytes.empty()) {
    const ssize_t wrote =
        ::pwrite(file.get(), bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote < 0) return FailErrno("write", path, errno);
    bytes.remove_prefix(static_cast<std::size_t>(wrote));
    offset += static_cast<std::uint64_t>(wrote);
  }
  return {};
}

Result<> PosixDisk::Resize(const std::string& path, std::uint64_t size_bytes) {
  if (::truncate(path.c_str(), static_cast<off_t>(size_bytes)) == 0) return {};
  return FailErrno("truncate", path, errno);
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

Result<std::uint64_t> PosixDisk::TreeBytes(const std::string& path) {
  TRY_ASSIGN(FileDescriptor root, Open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW));
  return BytesBelow(std::move(root), path, 0);
}

Result<FileInfo> PosixDisk::Inspect(const std::string& path) {
  struct stat info{};
  if (::stat(path.c_str(), &info) != 0) return FailErrno("stat", path, errno);
  return FileInfo{.size_bytes = static_cast<std::uint64_t>(info.st_size),
                  .mode = info.st_mode & 07777U,
                  .is_directory = S_ISDIR(info.st_mode)};
}

}  // namespace howdah::system
