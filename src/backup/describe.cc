#include "backup/describe.h"

#include <vector>

#include "backup/names.h"

namespace howdah::backup {

namespace {

constexpr std::size_t kKept = 4;  // before the newest

struct Numbered {
  std::uint64_t number = 0;
  std::string name;
};

Result<std::vector<Numbered>> List(const Needs& needs, const InstanceId& instance) {
  TRY_ASSIGN(const auto objects, needs.repository.List(DescriptionsPrefix(instance)));
  std::vector<Numbered> found;
  for (const auto& object : objects) {
    const auto number = ParseDescriptionName(instance, object.name);
    if (number) found.push_back({.number = *number, .name = object.name});
  }
  return found;
}

// The key of the one before, so that there are not as many keys as descriptions.
Result<repository::DataKey> KeyFor(const Needs& needs, const std::vector<Numbered>& earlier) {
  if (earlier.empty()) return needs.keys.Make();
  const std::string& name = earlier.back().name;
  TRY_ASSIGN(const std::string head, needs.repository.GetRange(name, 0, repository::kHeadBytes));
  TRY_ASSIGN(const std::string id, repository::KeyIdOf(name, head));
  return needs.keys.Find(id);
}

}  // namespace

Result<> PutDescription(const Needs& needs, const InstanceId& instance, const std::string& text) {
  TRY_ASSIGN(const auto earlier, List(needs, instance));
  if (!earlier.empty()) {
    const auto last = ReadObject(needs, earlier.back().name);
    if (last && *last == text) return {};
  }
  auto key = KeyFor(needs, earlier);
  if (!key && key.error().code() == Code::kUnavailable) return Fail(key.error());
  if (!key) {
    TRY_ASSIGN(key, needs.keys.Make());  // the last one is damaged; what is true now is not
  }
  const std::uint64_t number = earlier.empty() ? 1 : earlier.back().number + 1;
  TRY(WriteObject(needs, *key, DescriptionName(instance, number), text));
  for (std::size_t i = 0; i + kKept < earlier.size(); ++i) {
    TRY(needs.repository.Delete(earlier[i].name));
  }
  return {};
}

Result<std::string> GetDescription(const Needs& needs, const InstanceId& instance) {
  TRY_ASSIGN(const auto all, List(needs, instance));
  Result<std::string> text = Fail(Code::kNotFound, "no description of " + instance.str());
  for (auto it = all.rbegin(); it != all.rend(); ++it) {
    text = ReadObject(needs, it->name);
    if (text || text.error().code() == Code::kUnavailable) break;
  }
  return text;
}

Result<> RemoveDescriptions(const Needs& needs, const InstanceId& instance) {
  TRY_ASSIGN(const auto all, List(needs, instance));
  for (const Numbered& one : all) TRY(needs.repository.Delete(one.name));
  return {};
}

}  // namespace howdah::backup
