// A repository in a directory: an object is a file (0600) under its name, a segment of a name is a
// directory (0700). An object is written beside, in ROOT/.tmp, fsynced, and renamed to where
// nothing is yet; so it is whole or not there at whatever moment the machine stops. What a crash
// leaves in .tmp goes when the repository is opened again, by whichever process; a lock on each
// such file says whether its writer lives. Several processes may use one directory.
//
// A hung file system (NFS) hangs its callers: there is no time limit here.
#pragma once

#include <mutex>
#include <set>
#include <utility>

#include "repository/directory_files.h"
#include "repository/repository.h"
#include "system/entropy.h"

namespace howdah::repository {

class DirectoryRepository final : public Repository {
 public:
  // `root`: an absolute path; its last directory is made where it is missing, and becomes a
  // repository where it is empty. kInvalid: neither; kUnavailable: what it should be in is missing.
  // The entropy outlives the repository.
  static Result<std::unique_ptr<Repository>> Open(const std::string& root, system::Entropy& entropy,
                                                  BeforeStep before = {});

  Result<> Put(const std::string& name, std::string_view bytes) override;
  Result<std::string> Get(const std::string& name) override;
  Result<std::string> GetRange(const std::string& name, std::uint64_t offset,
                               std::size_t size) override;
  Result<std::vector<ObjectInfo>> List(const std::string& prefix) override;
  Result<std::vector<std::string>> ListSegments(const std::string& prefix) override;
  Result<> Delete(const std::string& name) override;
  Result<std::optional<system::SpaceInfo>> Space() override;
  std::string Place() const override { return root_path_; }

 private:
  DirectoryRepository(std::string root_path, system::Entropy& entropy, BeforeStep before)
      : root_path_(std::move(root_path)), entropy_(entropy), before_(std::move(before)) {}

  struct Draft {  // a file in .tmp, locked while its writer lives
    std::string path;
    FileDescriptor file;
  };
  Result<> Step(std::string_view step, std::string_view path) const;
  Result<FileDescriptor> OpenRoot() const;
  Result<FileDescriptor> Root() const;  // kUnavailable where it is another than at the beginning
  Result<> Identify(int root);
  Result<> Mark(int root);
  static void Sweep(int root);
  Result<Draft> NewDraft(int root);
  Result<> Fill(const Draft& draft, std::string_view bytes);
  // True: it is there and has these bytes, durably. False: there is none.
  Result<bool> IsThere(int root, const std::string& name, std::string_view bytes);
  Result<FileDescriptor> MakeDirectory(int root, std::string_view path);
  Result<> Move(int root, const Draft& draft, int parent, const std::string& name);
  Result<> Publish(int root, const Draft& draft, const std::string& name, std::string_view bytes);
  void Prune(int root, std::string_view directory);

  const std::string root_path_;
  system::Entropy& entropy_;
  const BeforeStep before_;
  std::string marker_;  // what .howdah holds
  std::mutex mutex_;
  // Directories whose entry in their parent is known to be on disk.
  std::set<std::string, std::less<>> durable_;
};

}  // namespace howdah::repository
