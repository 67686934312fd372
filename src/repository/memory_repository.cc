// See memory_repository.h.
#include "repository/memory_repository.h"

#include <algorithm>

#include "repository/names.h"

namespace howdah::repository {

Result<> MemoryRepository::Enter() {
  if (error_ && calls_left_-- <= 0) return Fail(*error_);
  return {};
}

Result<> MemoryRepository::Put(const std::string& name, std::string_view bytes) {
  TRY(CheckName(name));
  const std::lock_guard lock(mutex_);
  TRY(Enter());
  const auto [at, fresh] = objects_.try_emplace(name, bytes);
  if (!fresh && at->second != bytes) {
    return Fail(Code::kAlreadyExists, "there is another object " + name);
  }
  return {};
}

Result<std::string> MemoryRepository::Get(const std::string& name) {
  TRY(CheckName(name));
  const std::lock_guard lock(mutex_);
  TRY(Enter());
  const auto at = objects_.find(name);
  if (at == objects_.end()) return Fail(Code::kNotFound, "there is no object " + name);
  return at->second;
}

Result<std::string> MemoryRepository::GetRange(const std::string& name, std::uint64_t offset,
                                               std::size_t size) {
  TRY_ASSIGN(const std::string whole, Get(name));
  if (offset > whole.size() || whole.size() - offset < size) {
    return Fail(Code::kCorrupt, "object " + name + " is too short");
  }
  return whole.substr(offset, size);
}

Result<std::vector<ObjectInfo>> MemoryRepository::List(const std::string& prefix) {
  TRY(CheckPrefix(prefix));
  const std::lock_guard lock(mutex_);
  TRY(Enter());
  std::vector<ObjectInfo> found;
  for (auto at = objects_.lower_bound(prefix); at != objects_.end(); ++at) {
    if (!at->first.starts_with(prefix)) break;
    found.push_back({.name = at->first, .size_bytes = at->second.size()});
  }
  return found;
}

Result<std::vector<std::string>> MemoryRepository::ListSegments(const std::string& prefix) {
  TRY(CheckSegmentsPrefix(prefix));
  TRY_ASSIGN(const std::vector<ObjectInfo> objects, List(prefix));
  std::vector<std::string> segments;
  for (const ObjectInfo& object : objects) {
    std::string segment = object.name.substr(prefix.size());
    segment.resize(std::min(segment.find('/'), segment.size()));
    segments.push_back(std::move(segment));
  }
  std::ranges::sort(segments);
  segments.erase(std::ranges::unique(segments).begin(), segments.end());
  return segments;
}

Result<> MemoryRepository::Delete(const std::string& name) {
  TRY(CheckName(name));
  const std::lock_guard lock(mutex_);
  TRY(Enter());
  objects_.erase(name);
  return {};
}

void MemoryRepository::Overwrite(const std::string& name, std::string bytes) {
  const std::lock_guard lock(mutex_);
  objects_.insert_or_assign(name, std::move(bytes));
}

void MemoryRepository::FailAfter(int calls, std::optional<Error> error) {
  const std::lock_guard lock(mutex_);
  calls_left_ = calls;
  error_ = std::move(error);
}

}  // namespace howdah::repository
