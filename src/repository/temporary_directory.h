// A directory that is gone after the test, and the repository "root" in it. For tests.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

namespace howdah::repository {

class TemporaryDirectory {
 public:
  TemporaryDirectory() {
    std::string path =
        (std::filesystem::temp_directory_path() / "howdah-repository-XXXXXX").string();
    path_ = ::mkdtemp(path.data());
  }
  ~TemporaryDirectory() { std::filesystem::remove_all(path_); }
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;

  std::string Root() const { return path_ + "/root"; }
  const std::string& path() const { return path_; }
  // Everything but the marker, as paths below the root.
  std::vector<std::string> Files() const {
    std::vector<std::string> files;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(Root())) {
      const std::string path = std::filesystem::relative(entry.path(), Root()).string();
      if (!entry.is_directory() && path != ".howdah") files.push_back(path);
    }
    return files;
  }

 private:
  std::string path_;
};

}  // namespace howdah::repository
