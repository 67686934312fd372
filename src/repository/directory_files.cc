// See directory_files.h.
#include "repository/directory_files.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <memory>

#include "repository/names.h"

namespace howdah::repository {

namespace {

constexpr std::size_t kPieceBytes = 1 << 20;

Code CodeOf(int error_number, Code otherwise) {
  switch (error_number) {
    case ENOSPC:
    case EDQUOT:
    case EIO:
    case EROFS:
    case ESTALE:
    case ENODEV:
    case ENXIO:
    case ENOTCONN:
    case EHOSTDOWN:
    case ETIMEDOUT:
    case EMFILE:
    case ENFILE:
    case ENOMEM:
    case EAGAIN:
      return Code::kUnavailable;
    case ELOOP:
      return Code::kPermission;
    default:
      return otherwise;
  }
}

// A part of the way that is no directory: an object of that name, or a link that is not followed.
std::unexpected<Error> FailWay(int parent, const std::string& segment, std::string_view path,
                               int error_number) {
  struct stat info{};
  const bool link = (error_number == ENOTDIR || error_number == ELOOP) &&
                    ::fstatat(parent, segment.c_str(), &info, AT_SYMLINK_NOFOLLOW) == 0 &&
                    S_ISLNK(info.st_mode);
  if (link) return FailFile("follow a symbolic link in", path, ELOOP);
  return FailFile("open", path, error_number == ENOTDIR ? ENOENT : error_number);
}

struct DirectoryCloser {
  void operator()(DIR* directory) const { ::closedir(directory); }
};

}  // namespace

std::unexpected<Error> FailFile(std::string_view doing, std::string_view path, int error_number) {
  const Error error =
      ErrnoError(std::string(doing) + " " + std::string(path.empty() ? "." : path), error_number);
  return Fail(Error(CodeOf(error_number, error.code()), error.what()));
}

Result<FileDescriptor> OpenDirectoryBelow(int root, std::string_view path) {
  FileDescriptor directory(::openat(root, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!directory.valid()) return FailFile("open", "", errno);
  for (std::string_view rest = path; !rest.empty();) {
    const std::string segment(rest.substr(0, rest.find('/')));
    rest.remove_prefix(std::min(segment.size() + 1, rest.size()));
    FileDescriptor inner(::openat(directory.get(), segment.c_str(),
                                  O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    if (!inner.valid()) return FailWay(directory.get(), segment, path, errno);
    directory = std::move(inner);
  }
  return directory;
}

Result<FileDescriptor> OpenFileBelow(int root, const std::string& path) {
  TRY_ASSIGN(const FileDescriptor parent, OpenDirectoryBelow(root, ParentOf(path)));
  const std::string leaf = LeafOf(path);
  // Without O_NONBLOCK a FIFO would hold us for ever.
  FileDescriptor file(
      ::openat(parent.get(), leaf.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
  if (!file.valid()) return FailWay(parent.get(), leaf, path, errno);
  struct stat info{};
  if (::fstat(file.get(), &info) != 0) return FailFile("stat", path, errno);
  if (S_ISDIR(info.st_mode)) return FailFile("open", path, ENOENT);
  if (!S_ISREG(info.st_mode)) return Fail(Code::kCorrupt, std::string(path) + " is no plain file");
  return file;
}

Result<std::uint64_t> FileSize(int fd, std::string_view path) {
  struct stat info{};
  if (::fstat(fd, &info) != 0) return FailFile("stat", path, errno);
  return static_cast<std::uint64_t>(info.st_size);
}

Result<std::string> ReadExactly(int fd, std::string_view path, std::uint64_t offset,
                                std::size_t size) {
  std::string bytes;
  bytes.resize_and_overwrite(size, [size](char*, std::size_t) { return size; });
  for (std::size_t done = 0; done < size;) {
    const ssize_t got =
        ::pread(fd, bytes.data() + done, size - done, static_cast<off_t>(offset + done));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return FailFile("read", path, errno);
    if (got == 0) return Fail(Code::kCorrupt, "object " + std::string(path) + " is too short");
    done += static_cast<std::size_t>(got);
  }
  return bytes;
}

Result<> WriteAll(int fd, std::string_view path, std::string_view bytes, const BeforeStep& before) {
  while (!bytes.empty()) {
    if (const int number = before("write")) return FailFile("write", path, number);
    const ssize_t wrote = ::write(fd, bytes.data(), std::min(bytes.size(), kPieceBytes));
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote < 0) return FailFile("write", path, errno);
    bytes.remove_prefix(static_cast<std::size_t>(wrote));
  }
  return {};
}

Result<> SyncFile(int fd, std::string_view path) {
  if (::fsync(fd) != 0) return FailFile("fsync", path, errno);
  return {};
}

Result<bool> HasExactly(int fd, std::string_view path, std::string_view bytes) {
  TRY_ASSIGN(const std::uint64_t size, FileSize(fd, path));
  if (size != bytes.size()) return false;
  for (std::size_t at = 0; at < bytes.size(); at += kPieceBytes) {
    const std::string_view piece = bytes.substr(at, kPieceBytes);
    TRY_ASSIGN(const std::string stored, ReadExactly(fd, path, at, piece.size()));
    if (stored != piece) return false;
  }
  return true;
}

Result<std::vector<DirectoryEntry>> ReadDirectory(const FileDescriptor& directory,
                                                  std::string_view path) {
  FileDescriptor own(::openat(directory.get(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!own.valid() && errno == ENOENT) return std::vector<DirectoryEntry>{};  // removed meanwhile
  const std::unique_ptr<DIR, DirectoryCloser> stream(own.valid() ? ::fdopendir(own.get())
                                                                 : nullptr);
  if (!stream) return FailFile("list", path, errno);
  own.Release();  // the stream's now
  std::vector<DirectoryEntry> entries;
  for (;;) {
    errno = 0;
    const dirent* entry = ::readdir(stream.get());
    if (entry == nullptr && errno != 0) return FailFile("list", path, errno);
    if (entry == nullptr) return entries;
    struct stat info{};
    if (!IsSegment(entry->d_name)) continue;
    if (::fstatat(directory.get(), entry->d_name, &info, AT_SYMLINK_NOFOLLOW) != 0) {
      if (errno == ENOENT) continue;
      return FailFile("stat", entry->d_name, errno);
    }
    if (!S_ISDIR(info.st_mode) && !S_ISREG(info.st_mode)) continue;
    entries.push_back({.name = entry->d_name,
                       .size_bytes = static_cast<std::uint64_t>(info.st_size),
                       .is_directory = S_ISDIR(info.st_mode)});
  }
}

std::string_view ParentOf(std::string_view path) {
  const std::size_t slash = path.rfind('/');
  return slash == path.npos ? std::string_view() : path.substr(0, slash);
}

std::string LeafOf(std::string_view path) {
  return std::string(path.substr(path.rfind('/') + 1));
}

}  // namespace howdah::repository
