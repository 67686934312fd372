#include "backup/scan.h"

#include <algorithm>
#include <set>

#include "backup/selection.h"

namespace howdah::backup {

namespace {

// Deeper trees are no data directories.
constexpr int kDeepest = 16;

class Scan {
 public:
  Scan(system::Disk& disk, const std::string& root) : disk_(disk), root_(root) {}

  Result<> Enter(const std::string& path, int depth) {
    if (depth > kDeepest) return Fail(Code::kInvalid, path + " is too deep");
    const auto names = disk_.List(path.empty() ? root_ : root_ + "/" + path);
    if (!names && !path.empty() && names.error().code() == Code::kNotFound) return {};
    if (!names) return Fail(names.error());
    const auto initialized = Initialized(path, *names);
    for (const std::string& name : *names) {
      TRY(Look(path.empty() ? name : path + "/" + name, initialized, depth));
    }
    return {};
  }

  Scanned Take() {
    std::sort(
        found_.files.begin(), found_.files.end(),
        [](const ScannedFile& left, const ScannedFile& right) { return left.path < right.path; });
    return std::move(found_);
  }

 private:
  using Relations = std::set<std::string, std::less<>>;

  static Relations Initialized(const std::string& directory,
                               const std::vector<std::string>& names) {
    Relations relations;
    for (const std::string& name : names) {
      const std::string path = directory + "/" + name;
      const auto file = ParseRelationFile(path);
      if (file && file->fork == "init") relations.emplace(file->relation);
    }
    return relations;
  }

  Result<> Look(const std::string& path, const Relations& initialized, int depth) {
    const auto info = disk_.Inspect(root_ + "/" + path);
    if (!info && info.error().code() == Code::kNotFound) return {};
    if (!info) return Fail(info.error());
    const Inclusion inclusion = InclusionOf(path, info->is_directory);
    if (inclusion == Inclusion::kNot || path == kControlFile) return {};
    if (info->is_directory) {
      found_.directories.push_back({.path = path, .mode = info->mode});
      return inclusion == Inclusion::kEmpty ? Result<>() : Enter(path, depth + 1);
    }
    const auto relation = ParseRelationFile(path);
    if (relation && IsReset(*relation, initialized)) return {};
    // A page that is just being added counts as not yet there: the WAL has it.
    const std::uint64_t rest = relation ? info->size_bytes % kBlockBytes : 0;
    found_.files.push_back(
        {.path = path, .mode = info->mode, .size_bytes = info->size_bytes - rest});
    found_.size_bytes += info->size_bytes - rest;
    return {};
  }

  system::Disk& disk_;
  const std::string& root_;
  Scanned found_;
};

}  // namespace

Result<Scanned> ScanDataDirectory(system::Disk& disk, const std::string& root) {
  Scan scan(disk, root);
  TRY(scan.Enter("", 0));
  return scan.Take();
}

}  // namespace howdah::backup
