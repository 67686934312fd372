#include "backup/catalogue.h"

#include <algorithm>
#include <tuple>

#include "backup/names.h"

namespace howdah::backup {

namespace {

std::string NamePart(const Manifest& manifest, ObjectKind kind) {
  return NameOf(manifest.instance, {.backup = manifest.id, .kind = kind});
}

Error In(const Error& error, const std::string& name) {
  return Error(error.code(), name + ": " + error.what());
}

}  // namespace

Result<Manifest> ReadManifest(const Needs& needs, const InstanceId& instance,
                              const std::string& backup) {
  const std::string name = NameOf(instance, {.backup = backup, .kind = ObjectKind::kManifest});
  TRY_ASSIGN(const std::string text, ReadObject(needs, name));
  auto manifest = ParseManifest(text);
  if (!manifest) return Fail(In(manifest.error(), name));
  if (manifest->id != backup || manifest->instance != instance) {
    return Fail(Code::kCorrupt, name + ": it is of another backup");
  }
  return manifest;
}

Result<FileTable> ReadFileTable(const Needs& needs, const Manifest& manifest) {
  const std::string name = NamePart(manifest, ObjectKind::kFiles);
  TRY_ASSIGN(const std::string bytes, ReadObject(needs, name));
  auto table = ParseFileTable(bytes);
  if (!table) return Fail(In(table.error(), name));
  if (table->packs.size() != manifest.packs.size() || table->files.size() != manifest.file_count) {
    return Fail(Code::kCorrupt, name + ": it does not fit its manifest");
  }
  return table;
}

Result<PageMap> ReadPageMap(const Needs& needs, const Manifest& manifest, const FileTable& table) {
  const std::string name = NamePart(manifest, ObjectKind::kPages);
  TRY_ASSIGN(const std::string bytes, ReadObject(needs, name));
  auto pages = ParsePageMap(bytes, table);
  if (!pages) return Fail(In(pages.error(), name));
  return pages;
}

Result<Catalogue> ListBackups(const Needs& needs, const InstanceId& instance) {
  TRY_ASSIGN(const auto ids, needs.repository.ListSegments(BackupsPrefix(instance)));
  Catalogue catalogue;
  for (const std::string& id : ids) {
    auto manifest = ReadManifest(needs, instance, id);
    if (manifest) {
      catalogue.backups.push_back(*std::move(manifest));
    } else if (manifest.error().code() == Code::kUnavailable) {
      return Fail(manifest.error());
    } else if (manifest.error().code() != Code::kNotFound) {
      catalogue.unreadable.push_back(manifest.error().what());
    }
  }
  std::sort(catalogue.backups.begin(), catalogue.backups.end(),
            [](const Manifest& left, const Manifest& right) {
              return std::tie(left.timeline, left.stop_lsn, left.id) <
                     std::tie(right.timeline, right.stop_lsn, right.id);
            });
  return catalogue;
}

Result<std::vector<InstanceId>> ListInstances(const Needs& needs) {
  TRY_ASSIGN(const auto names, needs.repository.ListSegments("instances/"));
  std::vector<InstanceId> instances;
  for (const std::string& name : names) instances.emplace_back(name);
  return instances;
}

std::string PackName(const InstanceId& instance, const PackUse& pack) {
  return NameOf(instance, {.backup = pack.backup,
                           .kind = ObjectKind::kPack,
                           .number = static_cast<std::uint32_t>(pack.number)});
}

}  // namespace howdah::backup
