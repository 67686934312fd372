// See memory_disk.h.
#include "system/fake/memory_disk.h"

#include <filesystem>

#include "base/check.h"

namespace howdah::system {

namespace {

std::string Normal(const std::string& path) {
  Check(path.starts_with('/'), "the fake disk knows absolute paths only");
  std::string normal = std::filesystem::path(path).lexically_normal().string();
  while (normal.size() > 1 && normal.back() == '/') normal.pop_back();
  return normal;
}

std::string ParentOf(const std::string& path) {
  return std::filesystem::path(path).parent_path().string();
}

std::string Below(const std::string& path) {
  return path == "/" ? path : path + "/";
}

}  // namespace

MemoryDisk::MemoryDisk() {
  nodes_["/"] = Node{.is_directory = true, .mode = 0755, .contents = ""};
}

Result<> MemoryDisk::Enter() {
  ++calls_;
  if (!failure_ || calls_ <= failure_->first) return {};
  Error error = std::move(failure_->second);
  failure_.reset();
  return Fail(std::move(error));
}

Result<const MemoryDisk::Node*> MemoryDisk::Find(const std::string& path) const {
  const auto found = nodes_.find(path);
  if (found == nodes_.end()) return Fail(Code::kNotFound, path + ": no such file or directory");
  return &found->second;
}

Result<> MemoryDisk::RequireParent(const std::string& path) const {
  TRY_ASSIGN(const Node* parent, Find(ParentOf(path)));
  if (!parent->is_directory) return Fail(Code::kInternal, ParentOf(path) + ": not a directory");
  return {};
}

Result<std::string> MemoryDisk::Read(const std::string& path) {
  const std::lock_guard lock(mutex_);
  TRY(Enter());
  TRY_ASSIGN(const Node* node, Find(Normal(path)));
  if (node->is_directory) return Fail(Code::kInternal, path + ": is a directory");
  return node->contents;
}

Result<> MemoryDisk::WriteDurably(const std::string& path, std::string_view contents,
                                  unsigned mode) {
  const std::lock_guard lock(mutex_);
  TRY(Enter());
  const std::string normal = Normal(path);
  TRY(RequireParent(normal));
  Node& node = nodes_[normal];
  if (node.is_directory) return Fail(Code::kInternal, path + ": is a directory");
  node = Node{.is_directory = false, .mode = mode, .contents = std::string(contents)};
  return {};
}

Result<std::string> MemoryDisk::ReadAt(const std::string& path, std::uint64_t offset,
                                       std::size_t size) {
  TRY_ASSIGN(const std::string contents, Read(path));
  return offset >= contents.size() ? std::string() : contents.substr(offset, size);
}

Result<> MemoryDisk::WriteAt(const std::string& path, std::uint64_t offset, std::string_view bytes,
                             unsigned mode) {
  const std::lock_guard lock(mutex_);
  TRY(Enter());
  const std::string normal = Normal(path);
  TRY(RequireParent(normal));
  const auto [found, is_new] = nodes_.try_emplace(normal, Node{.mode = mode, .contents = ""});
  std::string& contents = found->second.contents;
  if (found->second.is_directory) return Fail(Code::kInternal, path + ": is a directory");
  if (contents.size() < offset + bytes.size()) contents.resize(offset + bytes.size());
  contents.replace(offset, bytes.size(), bytes);
  return {};
}

Result<> MemoryDisk::Resize(const std::string& path, std::uint64_t size_bytes) {
  const std::lock_guard lock(mutex_);
  TRY(Enter());
  TRY(Find(Normal(path)));
  nodes_[Normal(path)].contents.resize(size_bytes);
  return {};
}

Result<bool> MemoryDisk::Exists(const std::string& path) {
  const std::lock_guard lock(mutex_);
  TRY(Enter());
  return nodes_.contains(Normal(path));
}

Result<> MemoryDisk::MakeDirectories(const std::string& path, unsigned mode) {
  const std::lock_guard lock(mutex_);
  TRY(Enter());
  const std::string normal = Normal(path);
  for (std::size_t end = 0; end != std::string::npos;) {
    end = normal.find('/', end + 1);
    const std::string prefix = normal.substr(0, end);
    const auto [node, fresh] =
        nodes_.try_emplace(prefix, Node{.is_directory = true, .mode = mode, .contents = ""});
    if (!node->second.is_directory) return Fail(Code::kInternal, prefix + ": not a directory");
  }
  return {};
}

Result<std::vector<std::string>> MemoryDisk::List(const std::string& path) {
  const std::lock_guard lock(mutex_);
  TRY(Enter());
  const std::string normal = Normal(path);
  TRY_ASSIGN(const Node* node, Find(normal));
  if (!node->is_directory) return Fail(Code::kInternal, path + ": not a directory");
  std::vector<std::string> names;
  const std::string below = Below(normal);
  for (auto it = nodes_.upper_bound(below); it != nodes_.end() && it->first.starts_with(below);
       ++it) {
    std::string name = it->first.substr(below.size());
    if (!name.contains('/')) names.push_back(std::move(name));
  }
  return names;
}

Result<> MemoryDisk::Rename(const std::string& from, const std::string& to) {
  const std::lock_guard lock(mutex_);
  TRY(Enter());
  const std::string source = Normal(from);
  const std::string target = Normal(to);
  TRY_ASSIGN(const Node* node, Find(source));
  TRY(RequireParent(target));
  const auto existing = nodes_.find(target);
  if (existing != nodes_.end() && existing->second.is_directory != node->is_directory) {
    return Fail(Code::kInternal, to + ": of another kind");
  }
  const auto below = nodes_.upper_bound(Below(target));
  if (node->is_directory && below != nodes_.end() && below->first.starts_with(Below(target))) {
    return Fail(Code::kInternal, to + ": directory not empty");
  }
  std::map<std::string, Node> moved;
  for (auto it = nodes_.lower_bound(source); it != nodes_.end();) {
    const bool inside = it->first == source || it->first.starts_with(Below(source));
    if (inside) moved[target + it->first.substr(source.size())] = std::move(it->second);
    it = inside ? nodes_.erase(it) : std::next(it);
  }
  for (auto& [name, value] : moved) nodes_[name] = std::move(value);
  return {};
}

Result<> MemoryDisk::RemoveTree(const std::string& path) {
  const std::lock_guard lock(mutex_);
  TRY(Enter());
  const std::string normal = Normal(path);
  std::erase_if(nodes_, [&](const auto& entry) {
    return entry.first == normal || entry.first.starts_with(Below(normal));
  });
  return {};
}

Result<> MemoryDisk::SyncTree(const std::string& path) {
  const std::lock_guard lock(mutex_);
  TRY(Enter());
  TRY(Find(Normal(path)));
  return {};
}

Result<SpaceInfo> MemoryDisk::Space(const std::string& path) {
  const std::lock_guard lock(mutex_);
  TRY(Enter());
  TRY(Find(Normal(path)));
  return space_;
}

Result<std::uint64_t> MemoryDisk::TreeBytes(const std::string& path) {
  const std::lock_guard lock(mutex_);
  TRY(Enter());
  const std::string normal = Normal(path);
  TRY(Find(normal));
  std::uint64_t bytes = 0;
  for (const auto& [name, node] : nodes_) {
    if (name == normal || name.starts_with(Below(normal))) bytes += node.contents.size();
  }
  return bytes;
}

Result<FileInfo> MemoryDisk::Inspect(const std::string& path) {
  const std::lock_guard lock(mutex_);
  TRY(Enter());
  TRY_ASSIGN(const Node* node, Find(Normal(path)));
  return FileInfo{
      .size_bytes = node->contents.size(), .mode = node->mode, .is_directory = node->is_directory};
}

void MemoryDisk::FailAfter(int calls, Error error) {
  const std::lock_guard lock(mutex_);
  failure_ = std::pair(calls_ + calls, std::move(error));
}

void MemoryDisk::SetSpace(SpaceInfo space) {
  const std::lock_guard lock(mutex_);
  space_ = space;
}

int MemoryDisk::calls() const {
  const std::lock_guard lock(mutex_);
  return calls_;
}

}  // namespace howdah::system
