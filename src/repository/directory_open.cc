// How a directory becomes a repository, is known again, and is cleared of what a crash left. See
// directory.h.
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <system_error>

#include "repository/directory.h"

namespace howdah::repository {

namespace {

const std::string kMarker = ".howdah";
constexpr std::string_view kMarkerBegin = "howdah repository 1\n";

// Never kNotFound: that is what an object is which the repository does not have.
std::unexpected<Error> FailGone(const std::string& root) {
  return Fail(Code::kUnavailable, "the repository " + root + " is not there: is its disk mounted?");
}

Result<bool> IsEmpty(const std::string& path) {
  std::error_code error;
  for (std::filesystem::directory_iterator it(path, error), end; !error && it != end;
       it.increment(error)) {
    const std::string name = it->path().filename().string();
    if (name != kDraftDirectory && name != "lost+found") return false;
  }
  if (error) return FailFile("list", path, error.value());
  return true;
}

Result<std::string> ReadMarker(int root) {
  TRY_ASSIGN(const FileDescriptor file, OpenFileBelow(root, kMarker));
  TRY_ASSIGN(const std::uint64_t size, FileSize(file.get(), kMarker));
  return ReadExactly(file.get(), kMarker, 0, std::min<std::uint64_t>(size, 1024));
}

}  // namespace

Result<std::unique_ptr<Repository>> DirectoryRepository::Open(const std::string& root,
                                                              system::Entropy& entropy,
                                                              BeforeStep before) {
  if (!root.starts_with('/')) {
    return Fail(Code::kInvalid,
                "the directory of a repository is an absolute path, not '" + root + "'");
  }
  if (::mkdir(root.c_str(), 0700) != 0 && errno != EEXIST) {
    if (errno == ENOENT) return FailGone(root);
    return FailFile("make the directory of the repository,", root, errno);
  }
  if (!before) before = [](std::string_view) { return 0; };
  std::unique_ptr<DirectoryRepository> repository(
      new DirectoryRepository(root, entropy, std::move(before)));
  TRY_ASSIGN(const FileDescriptor directory, repository->OpenRoot());
  TRY(repository->Identify(directory.get()));
  Sweep(directory.get());
  return repository;
}

Result<FileDescriptor> DirectoryRepository::OpenRoot() const {
  FileDescriptor root(::open(root_path_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (root.valid()) return root;
  if (errno == ENOTDIR) {
    return Fail(Code::kInvalid, root_path_ + " is no directory: a repository needs one");
  }
  return FailFile("open the directory of the repository,", root_path_, errno);
}

Result<FileDescriptor> DirectoryRepository::Root() const {
  Result<FileDescriptor> root = OpenRoot();
  if (root) {
    const Result<std::string> marker = ReadMarker(root->get());
    if (marker && *marker == marker_) return root;
    if (!marker && marker.error().code() != Code::kNotFound) return Fail(marker.error());
  } else if (root.error().code() != Code::kNotFound && root.error().code() != Code::kInvalid) {
    return root;
  }
  return FailGone(root_path_);
}

// Reads what the marker says; an empty directory gets one.
Result<> DirectoryRepository::Identify(int root) {
  Result<std::string> marker = ReadMarker(root);
  if (!marker && marker.error().code() == Code::kNotFound) {
    TRY_ASSIGN(const bool empty, IsEmpty(root_path_));
    if (!empty) {
      return Fail(Code::kInvalid, root_path_ +
                                      " is neither empty nor a repository of Howdah's: name a "
                                      "directory that is");
    }
    TRY(Mark(root));
    marker = ReadMarker(root);
  }
  if (!marker) return Fail(marker.error());
  if (!marker->starts_with(kMarkerBegin)) {
    return Fail(Code::kCorrupt,
                root_path_ + "/" + kMarker + " is of another Howdah's repository, or was changed");
  }
  marker_ = *marker;
  return {};
}

// Another process may be faster: then the marker is its.
Result<> DirectoryRepository::Mark(int root) {
  TRY_ASSIGN(const Draft draft, NewDraft(root));
  Result<> marked = Fill(draft, std::string(kMarkerBegin) + system::RandomHex(entropy_, 32) + "\n");
  if (marked) marked = Move(root, draft, root, kMarker);
  ::unlinkat(root, draft.path.c_str(), 0);
  if (!marked && marked.error().code() != Code::kAlreadyExists) return marked;
  TRY(SyncFile(root, root_path_));
  const std::string parent = std::filesystem::path(root_path_).parent_path().string();
  const FileDescriptor above(::open(parent.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!above.valid()) return FailFile("open", parent, errno);
  return SyncFile(above.get(), parent);
}

// Only what nobody holds a lock on: its writer is dead. A failure here is nobody's trouble.
void DirectoryRepository::Sweep(int root) {
  const Result<FileDescriptor> drafts = OpenDirectoryBelow(root, kDraftDirectory);
  if (!drafts) return;
  const auto entries = ReadDirectory(*drafts, kDraftDirectory);
  if (!entries) return;
  for (const DirectoryEntry& entry : *entries) {
    const FileDescriptor file(
        ::openat(drafts->get(), entry.name.c_str(), O_RDWR | O_NOFOLLOW | O_CLOEXEC));
    if (!file.valid() || ::flock(file.get(), LOCK_EX | LOCK_NB) != 0) continue;
    ::unlinkat(drafts->get(), entry.name.c_str(), 0);
  }
}

}  // namespace howdah::repository
