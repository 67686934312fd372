#include "backup/base.h"

#include <map>
#include <ranges>

#include "backup/known_blocks.h"
#include "backup/names.h"

namespace howdah::backup {

namespace {

Result<Base> Load(const Needs& needs, const Manifest& manifest) {
  Base base{.manifest = manifest};
  TRY_ASSIGN(base.table, ReadFileTable(needs, manifest));
  TRY_ASSIGN(base.pages, ReadPageMap(needs, manifest, base.table));
  base.avoid = WornPacks(base.table);
  return base;
}

// A pack that is gone or cut off is seen here, and what was in it is stored anew.
Result<> AvoidDamaged(const Needs& needs, Base& base) {
  const InstanceId& instance = base.manifest.instance;
  TRY_ASSIGN(const auto objects, needs.repository.List(BackupsPrefix(instance)));
  std::map<std::string, std::uint64_t> sizes;
  for (const auto& object : objects) sizes[object.name] = object.size_bytes;
  for (std::size_t i = 0; i < base.avoid.size(); ++i) {
    const std::string name = PackName(instance, base.manifest.packs[i]);
    const auto found = sizes.find(name);
    if (found != sizes.end() && found->second == base.manifest.packs[i].size_bytes) continue;
    needs.log.Error("backup: {} is missing or damaged; what was in it is stored anew", name);
    base.avoid[i] = true;
  }
  return {};
}

}  // namespace

Result<std::optional<Base>> FindBase(const Needs& needs, const InstanceId& instance) {
  TRY_ASSIGN(const Catalogue catalogue, ListBackups(needs, instance));
  for (const Manifest& manifest : std::views::reverse(catalogue.backups)) {
    auto base = Load(needs, manifest);
    if (!base && base.error().code() == Code::kUnavailable) return Fail(base.error());
    if (!base) {
      needs.log.Error("backup: {} cannot be built on: {}", manifest.id, base.error().what());
      continue;
    }
    TRY(AvoidDamaged(needs, *base));
    return *std::move(base);
  }
  return std::nullopt;
}

}  // namespace howdah::backup
