#include "backup/names.h"

#include <fmt/format.h>

#include <array>
#include <charconv>

namespace howdah::backup {

namespace {

struct KindName {
  ObjectKind kind;
  std::string_view text;
  bool numbered;
};
constexpr std::array<KindName, 7> kKinds = {{{ObjectKind::kBegun, "begun", false},
                                             {ObjectKind::kPack, "pack-", true},
                                             {ObjectKind::kPart, "part-", true},
                                             {ObjectKind::kWal, "wal-", true},
                                             {ObjectKind::kFiles, "files", false},
                                             {ObjectKind::kPages, "pages", false},
                                             {ObjectKind::kManifest, "manifest", false}}};

// Exactly as it is formed: digits padded to `width`, so that names sort as their numbers do.
template <typename T>
std::optional<T> ParsePadded(std::string_view text, std::size_t width) {
  T value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  if (fmt::format("{:0{}}", value, width) != text) return std::nullopt;
  return value;
}

constexpr std::size_t kNumberWidth = 6;
constexpr std::size_t kDescriptionWidth = 8;

}  // namespace

std::string BackupsPrefix(const InstanceId& instance) {
  return "instances/" + instance.str() + "/backups/";
}

std::string BackupPrefix(const InstanceId& instance, std::string_view backup) {
  return BackupsPrefix(instance) + std::string(backup) + "/";
}

std::string NameOf(const InstanceId& instance, const BackupObject& object) {
  const std::string prefix = BackupPrefix(instance, object.backup);
  for (const KindName& known : kKinds) {
    if (known.kind != object.kind) continue;
    if (!known.numbered) return prefix + std::string(known.text);
    return fmt::format("{}{}{:0{}}", prefix, known.text, object.number, kNumberWidth);
  }
  return prefix;
}

std::optional<BackupObject> ParseBackupObject(const InstanceId& instance, std::string_view name) {
  const std::string prefix = BackupsPrefix(instance);
  if (!name.starts_with(prefix)) return std::nullopt;
  name.remove_prefix(prefix.size());
  const std::size_t slash = name.find('/');
  if (slash == 0 || slash == std::string_view::npos) return std::nullopt;
  BackupObject object{.backup = std::string(name.substr(0, slash))};
  name.remove_prefix(slash + 1);
  for (const KindName& known : kKinds) {
    object.kind = known.kind;
    if (!known.numbered && name == known.text) return object;
    if (!known.numbered || !name.starts_with(known.text)) continue;
    const auto number = ParsePadded<std::uint32_t>(name.substr(known.text.size()), kNumberWidth);
    if (!number) return std::nullopt;
    object.number = *number;
    return object;
  }
  return std::nullopt;
}

std::string DescriptionsPrefix(const InstanceId& instance) {
  return "instances/" + instance.str() + "/instance/";
}

std::string DescriptionName(const InstanceId& instance, std::uint64_t number) {
  return fmt::format("{}{:0{}}", DescriptionsPrefix(instance), number, kDescriptionWidth);
}

std::optional<std::uint64_t> ParseDescriptionName(const InstanceId& instance,
                                                  std::string_view name) {
  const std::string prefix = DescriptionsPrefix(instance);
  if (!name.starts_with(prefix)) return std::nullopt;
  return ParsePadded<std::uint64_t>(name.substr(prefix.size()), kDescriptionWidth);
}

}  // namespace howdah::backup
