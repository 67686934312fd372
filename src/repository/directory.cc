// See directory.h. Whoever puts into a directory that another has just emptied and removed meets
// ENOENT, and begins again.
#include "repository/directory.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include <algorithm>
#include <cerrno>

#include "repository/names.h"

namespace howdah::repository {

namespace {

const std::string kDrafts(kDraftDirectory);
constexpr int kMostTries = 100;  // against others who remove the same directory again and again

// Not every file system can rename without replacing (NFS); a link never replaces anything.
bool CannotRenameSo(int error_number) {
  return error_number == EINVAL || error_number == ENOSYS || error_number == EOPNOTSUPP;
}

// Whether there is any object below: a directory that a crash left empty is none to anybody.
Result<bool> HoldsObject(int root, const std::string& path) {
  if (path.size() > kMostNameBytes) return false;
  const Result<FileDescriptor> directory = OpenDirectoryBelow(root, path);
  if (!directory && directory.error().code() == Code::kNotFound) return false;
  if (!directory) return Fail(directory.error());
  TRY_ASSIGN(const std::vector<DirectoryEntry> entries, ReadDirectory(*directory, path));
  for (const DirectoryEntry& entry : entries) {
    if (!entry.is_directory) return true;
    TRY_ASSIGN(const bool holds, HoldsObject(root, path + "/" + entry.name));
    if (holds) return true;
  }
  return false;
}

}  // namespace

Result<> DirectoryRepository::Step(std::string_view step, std::string_view path) const {
  if (const int number = before_(step)) return FailFile(step, path, number);
  return {};
}

// --- putting ---

// The lock may come too late: then another has swept the file away, and it has no name any more.
Result<DirectoryRepository::Draft> DirectoryRepository::NewDraft(int root) {
  for (int i = 0; i < kMostTries; ++i) {
    std::string path = kDrafts + "/" + system::RandomHex(entropy_, 32);
    TRY(Step("create", path));
    FileDescriptor file(
        ::openat(root, path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
    if (!file.valid() && errno == ENOENT) {
      if (::mkdirat(root, kDrafts.c_str(), 0700) == 0 || errno == EEXIST) continue;
    }
    if (!file.valid()) return FailFile("create", path, errno);
    struct stat info{};
    (void)::flock(file.get(), LOCK_EX);  // where there are no locks, nothing is swept either
    if (::fstat(file.get(), &info) != 0) return FailFile("stat", path, errno);
    if (info.st_nlink > 0) return Draft{.path = std::move(path), .file = std::move(file)};
  }
  return FailFile("create a file in", kDraftDirectory, EAGAIN);
}

Result<> DirectoryRepository::Fill(const Draft& draft, std::string_view bytes) {
  TRY(WriteAll(draft.file.get(), draft.path, bytes, before_));
  TRY(Step("fsync", draft.path));
  return SyncFile(draft.file.get(), draft.path);
}

// What is there may be a moment old, or of a writer that died: it is made durable once more.
Result<bool> DirectoryRepository::IsThere(int root, const std::string& name,
                                          std::string_view bytes) {
  const Result<FileDescriptor> file = OpenFileBelow(root, name);
  if (!file && file.error().code() == Code::kNotFound) return false;
  if (!file) return Fail(file.error());
  TRY_ASSIGN(const bool same, HasExactly(file->get(), name, bytes));
  if (!same) return Fail(Code::kAlreadyExists, "there is another object " + name);
  TRY(SyncFile(file->get(), name));
  TRY_ASSIGN(const FileDescriptor parent, MakeDirectory(root, ParentOf(name)));
  TRY(SyncFile(parent.get(), name));
  return true;
}

Result<FileDescriptor> DirectoryRepository::MakeDirectory(int root, std::string_view path) {
  if (path.empty()) return OpenDirectoryBelow(root, path);
  TRY_ASSIGN(FileDescriptor parent, MakeDirectory(root, ParentOf(path)));
  const std::string leaf = LeafOf(path);
  const std::lock_guard lock(mutex_);
  TRY(Step("make directory", path));
  const bool made = ::mkdirat(parent.get(), leaf.c_str(), 0700) == 0;
  if (!made && errno != EEXIST) return FailFile("make directory", path, errno);
  FileDescriptor directory(
      ::openat(parent.get(), leaf.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!directory.valid() && errno == ENOTDIR) {
    return Fail(Code::kInvalid,
                std::string(path) + " is no directory: nothing can be put below it");
  }
  if (!directory.valid()) return FailFile("open", path, errno);
  if (!made && durable_.contains(path)) return directory;
  TRY(Step("sync directory", path));
  TRY(SyncFile(parent.get(), path));
  durable_.emplace(path);
  return directory;
}

Result<> DirectoryRepository::Move(int root, const Draft& draft, int parent,
                                   const std::string& name) {
  const std::string leaf = LeafOf(name);
  int number = before_("rename");
  if (number == 0 &&
      ::renameat2(root, draft.path.c_str(), parent, leaf.c_str(), RENAME_NOREPLACE) != 0) {
    number = errno;
  }
  if (number == 0) return {};
  if (!CannotRenameSo(number)) return FailFile("rename to", name, number);
  TRY(Step("link", name));
  if (::linkat(root, draft.path.c_str(), parent, leaf.c_str(), 0) != 0) {
    return FailFile("link to", name, errno);
  }
  TRY(Step("unlink the draft of", name));
  ::unlinkat(root, draft.path.c_str(), 0);
  return {};
}

Result<> DirectoryRepository::Publish(int root, const Draft& draft, const std::string& name,
                                      std::string_view bytes) {
  for (int i = 0; i < kMostTries; ++i) {
    const Result<FileDescriptor> parent = MakeDirectory(root, ParentOf(name));
    const Result<> moved =
        parent ? Move(root, draft, parent->get(), name) : Result<>(Fail(parent.error()));
    if (moved) {
      TRY(Step("sync parent", name));
      return SyncFile(parent->get(), name);
    }
    if (moved.error().code() == Code::kAlreadyExists) {
      TRY_ASSIGN(const bool there, IsThere(root, name, bytes));
      if (there) return {};
    } else if (moved.error().code() != Code::kNotFound) {
      return moved;
    }
  }
  return FailFile("put", name, EAGAIN);
}

Result<> DirectoryRepository::Put(const std::string& name, std::string_view bytes) {
  TRY(CheckName(name));
  if (bytes.size() > kMostObjectBytes) return Fail(Code::kInvalid, name + " is too large");
  TRY_ASSIGN(const FileDescriptor root, Root());
  TRY_ASSIGN(const bool there, IsThere(root.get(), name, bytes));
  if (there) return {};
  TRY_ASSIGN(const Draft draft, NewDraft(root.get()));
  Result<> put = Fill(draft, bytes);
  if (put) put = Publish(root.get(), draft, name, bytes);
  ::unlinkat(root.get(), draft.path.c_str(), 0);  // absent where it was renamed
  if (put) return put;
  Prune(root.get(), ParentOf(name));
  return Fail(put.error().During("putting " + name + " into " + root_path_));
}

// --- deleting ---

Result<> DirectoryRepository::Delete(const std::string& name) {
  TRY(CheckName(name));
  TRY_ASSIGN(const FileDescriptor root, Root());
  const Result<FileDescriptor> parent = OpenDirectoryBelow(root.get(), ParentOf(name));
  if (!parent && parent.error().code() == Code::kNotFound) return {};
  if (!parent) return Fail(parent.error());
  TRY(Step("unlink", name));
  if (::unlinkat(parent->get(), LeafOf(name).c_str(), 0) != 0 && errno != ENOENT &&
      errno != EISDIR) {
    return FailFile("remove", name, errno);
  }
  TRY(Step("sync parent", name));
  TRY(SyncFile(parent->get(), name));
  Prune(root.get(), ParentOf(name));
  return {};
}

// Removes the directory and those above it that are empty now. It is forgotten first: whoever makes
// it anew makes its entry durable anew.
void DirectoryRepository::Prune(int root, std::string_view directory) {
  for (; !directory.empty(); directory = ParentOf(directory)) {
    if (!Step("prune", directory)) return;
    const Result<FileDescriptor> parent = OpenDirectoryBelow(root, ParentOf(directory));
    const std::lock_guard lock(mutex_);
    if (!parent || ::unlinkat(parent->get(), LeafOf(directory).c_str(), AT_REMOVEDIR) != 0) return;
    if (const auto known = durable_.find(directory); known != durable_.end()) durable_.erase(known);
  }
}

// --- reading ---

Result<std::string> DirectoryRepository::Get(const std::string& name) {
  TRY(CheckName(name));
  TRY_ASSIGN(const FileDescriptor root, Root());
  TRY_ASSIGN(const FileDescriptor file, OpenFileBelow(root.get(), name));
  TRY_ASSIGN(const std::uint64_t size, FileSize(file.get(), name));
  return ReadExactly(file.get(), name, 0, size);
}

Result<std::string> DirectoryRepository::GetRange(const std::string& name, std::uint64_t offset,
                                                  std::size_t size) {
  TRY(CheckName(name));
  TRY_ASSIGN(const FileDescriptor root, Root());
  TRY_ASSIGN(const FileDescriptor file, OpenFileBelow(root.get(), name));
  return ReadExactly(file.get(), name, offset, size);
}

Result<std::vector<ObjectInfo>> DirectoryRepository::List(const std::string& prefix) {
  TRY(CheckPrefix(prefix));
  TRY_ASSIGN(const FileDescriptor root, Root());
  std::vector<ObjectInfo> found;
  for (std::vector<std::string> open{std::string(ParentOf(prefix))}; !open.empty();) {
    const std::string path = std::move(open.back());
    open.pop_back();
    const Result<FileDescriptor> directory = OpenDirectoryBelow(root.get(), path);
    if (!directory && directory.error().code() == Code::kNotFound) continue;
    if (!directory) return Fail(directory.error());
    TRY_ASSIGN(const std::vector<DirectoryEntry> entries, ReadDirectory(*directory, path));
    for (const DirectoryEntry& entry : entries) {
      std::string name = path.empty() ? entry.name : path + "/" + entry.name;
      if (entry.is_directory) {
        const bool inside = (name + "/").starts_with(prefix.substr(0, name.size() + 1));
        if (inside && name.size() < kMostNameBytes) open.push_back(std::move(name));
      } else if (name.starts_with(prefix)) {
        found.push_back({.name = std::move(name), .size_bytes = entry.size_bytes});
      }
    }
  }
  std::ranges::sort(found, {}, &ObjectInfo::name);
  return found;
}

Result<std::vector<std::string>> DirectoryRepository::ListSegments(const std::string& prefix) {
  TRY(CheckSegmentsPrefix(prefix));
  TRY_ASSIGN(const FileDescriptor root, Root());
  const std::string path = prefix.substr(0, prefix.size() - 1);
  const Result<FileDescriptor> directory = OpenDirectoryBelow(root.get(), path);
  if (!directory && directory.error().code() == Code::kNotFound) return std::vector<std::string>{};
  if (!directory) return Fail(directory.error());
  TRY_ASSIGN(const std::vector<DirectoryEntry> entries, ReadDirectory(*directory, path));
  std::vector<std::string> segments;
  for (const DirectoryEntry& entry : entries) {
    if (entry.is_directory) {
      TRY_ASSIGN(const bool holds, HoldsObject(root.get(), prefix + entry.name));
      if (!holds) continue;
    }
    segments.push_back(entry.name);
  }
  std::ranges::sort(segments);
  return segments;
}

Result<std::optional<system::SpaceInfo>> DirectoryRepository::Space() {
  TRY_ASSIGN(const FileDescriptor root, Root());
  struct statvfs info{};
  if (::fstatvfs(root.get(), &info) != 0) return FailFile("statvfs", root_path_, errno);
  return system::SpaceInfo{.total_bytes = std::uint64_t{info.f_blocks} * info.f_frsize,
                           .free_bytes = std::uint64_t{info.f_bavail} * info.f_frsize};
}

}  // namespace howdah::repository
