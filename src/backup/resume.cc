#include "backup/resume.h"

#include <algorithm>
#include <map>

#include "backup/names.h"

namespace howdah::backup {

namespace {

struct Pair {
  std::string pack, part;  // names; empty: it is not there
  std::uint64_t pack_bytes = 0;
};

Result<std::map<std::uint32_t, Pair>> PairsOf(const Needs& needs, const InstanceId& instance,
                                              const std::vector<repository::ObjectInfo>& objects) {
  std::map<std::uint32_t, Pair> pairs;
  for (const auto& object : objects) {
    const auto name = ParseBackupObject(instance, object.name);
    if (!name || name->kind == ObjectKind::kBegun) continue;
    if (name->kind == ObjectKind::kPack) {
      pairs[name->number].pack = object.name;
      pairs[name->number].pack_bytes = object.size_bytes;
    } else if (name->kind == ObjectKind::kPart) {
      pairs[name->number].part = object.name;
    } else {
      TRY(needs.repository.Delete(object.name));
    }
  }
  return pairs;
}

Result<bool> AddPart(const Needs& needs, const Pair& pair, Leftovers& leftovers) {
  if (pair.pack.empty() || pair.part.empty()) return false;
  const auto bytes = ReadObject(needs, pair.part);
  if (!bytes && bytes.error().code() == Code::kUnavailable) return Fail(bytes.error());
  if (!bytes) return false;
  auto part = ParsePart(*bytes);
  if (!part || part->frames.empty()) return false;
  const auto& last = part->frames.back();
  if (pair.pack_bytes < last.offset + last.stored_bytes) return false;
  leftovers.parts.push_back(*std::move(part));
  return true;
}

}  // namespace

Result<Leftovers> TakeOver(const Needs& needs, const InstanceId& instance,
                           const std::string& backup) {
  TRY_ASSIGN(const auto objects, needs.repository.List(BackupPrefix(instance, backup)));
  TRY_ASSIGN(const auto pairs, PairsOf(needs, instance, objects));
  Leftovers leftovers;
  for (const auto& [number, pair] : pairs) {
    leftovers.next_number = std::max(leftovers.next_number, number + 1);
    TRY_ASSIGN(const bool used, AddPart(needs, pair, leftovers));
    if (used) {
      leftovers.packs.push_back(
          {.backup = backup, .number = number, .size_bytes = pair.pack_bytes});
      continue;
    }
    for (const std::string& name : {pair.part, pair.pack}) {
      if (!name.empty()) TRY(needs.repository.Delete(name));
    }
  }
  return leftovers;
}

Result<> RemoveScaffold(const Needs& needs, const InstanceId& instance, const std::string& backup) {
  TRY_ASSIGN(const auto objects, needs.repository.List(BackupPrefix(instance, backup)));
  for (const auto& object : objects) {
    const auto name = ParseBackupObject(instance, object.name);
    if (!name) continue;
    if (name->kind == ObjectKind::kBegun || name->kind == ObjectKind::kPart) {
      TRY(needs.repository.Delete(object.name));
    }
  }
  return {};
}

}  // namespace howdah::backup
