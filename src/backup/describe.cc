#include "backup/describe.h"

#include "backup/names.h"

namespace howdah::backup {

namespace {

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
  return {};
}

Result<std::string> GetDescription(const Needs& needs, const InstanceId& instance) {
  TRY_ASSIGN(const auto all, List(needs, instance));
  if (all.empty()) return Fail(Code::kNotFound, "no description of " + instance.str());
  return ReadObject(needs, all.back().name);
}

Result<std::vector<std::string>> ListDescriptions(const Needs& needs, const InstanceId& instance) {
  TRY_ASSIGN(const auto all, List(needs, instance));
  std::vector<std::string> texts;
  for (const Numbered& one : all) {
    TRY_ASSIGN(texts.emplace_back(), ReadObject(needs, one.name));
  }
  return texts;
}

Result<> RemoveDescriptions(const Needs& needs, const InstanceId& instance) {
  TRY_ASSIGN(const auto all, List(needs, instance));
  for (const Numbered& one : all) TRY(needs.repository.Delete(one.name));
  return {};
}

}  // namespace howdah::backup
