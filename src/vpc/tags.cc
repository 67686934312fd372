// Tags of any record, without one function a kind: the prefix of the id picks the type, and one
// template does the rest.
#include "vpc/tags.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <iterator>

#include "vpc/draft.h"
#include "vpc/edge.h"

namespace howdah::vpc {
namespace {

using ChangeTags = std::function<Result<>(Tags& tags)>;

template <typename T>
Result<> ChangeOf(Draft& draft, std::string_view id, const ChangeTags& change) {
  TRY_ASSIGN(T record, draft.Load<T>(typename T::IdType(std::string(id))));
  TRY(change(record.tags));
  draft.Save(record);
  return {};
}

template <typename T>
Result<> Gather(store::Store& store, std::vector<TaggedResource>& resources) {
  TRY_ASSIGN(const std::vector<T> records, List<T>(store));
  for (const T& record : records) {
    if (record.tags.empty()) continue;
    resources.push_back({record.id.str(), std::string(ResourceType(record.id.str())), record.tags});
  }
  return {};
}

// What can have tags: by the prefix of the id.
struct Kind {
  std::string_view prefix;
  std::string_view type;
  Result<> (*change)(Draft& draft, std::string_view id, const ChangeTags& change);
  Result<> (*gather)(store::Store& store, std::vector<TaggedResource>& resources);
};

template <typename T>
constexpr Kind KindOf(std::string_view type) {
  return {T::kPrefix, type, ChangeOf<T>, Gather<T>};
}

constexpr Kind kKinds[] = {KindOf<Vpc>("vpc"),
                           KindOf<Subnet>("subnet"),
                           KindOf<SecurityGroup>("security-group"),
                           KindOf<Rule>("security-group-rule"),
                           KindOf<Interface>("network-interface"),
                           KindOf<NetworkAcl>("network-acl"),
                           KindOf<RouteTable>("route-table"),
                           KindOf<InternetGateway>("internet-gateway"),
                           KindOf<NatGateway>("natgateway"),
                           KindOf<ElasticAddress>("elastic-ip")};

const Kind* FindKind(std::string_view id) {
  const auto found =
      std::ranges::find_if(kKinds, [&](const Kind& kind) { return id.starts_with(kind.prefix); });
  return found == std::end(kKinds) ? nullptr : found;
}

Result<> Change(Draft& draft, std::string_view id, const ChangeTags& change) {
  const Kind* kind = FindKind(id);
  if (kind == nullptr) return Fail(Code::kNotFound, fmt::format("The ID '{}' is not valid", id));
  return kind->change(draft, id, change);
}

}  // namespace

std::string_view ResourceType(std::string_view id) {
  const Kind* kind = FindKind(id);
  return kind == nullptr ? "" : kind->type;
}

Result<> AddTags(const Context& context, store::Transaction& transaction, std::string_view id,
                 const Tags& tags) {
  Draft draft(context.store, transaction);
  return Change(draft, id, [&](Tags& present) -> Result<> {
    for (const auto& [key, value] : tags) present[key] = value;
    if (present.size() > kMaxTags)
      return Fail(Code::kExhausted, fmt::format("{} can have at most {} tags", id, kMaxTags));
    return {};
  });
}

Result<> RemoveTags(const Context& context, store::Transaction& transaction, std::string_view id,
                    const std::vector<TagToRemove>& tags, bool all) {
  Draft draft(context.store, transaction);
  return Change(draft, id, [&](Tags& present) -> Result<> {
    if (all) present.clear();
    for (const TagToRemove& tag : tags) {
      const auto found = present.find(tag.key);
      if (found != present.end() && (!tag.value || *tag.value == found->second))
        present.erase(found);
    }
    return {};
  });
}

Result<std::vector<TaggedResource>> ListTags(store::Store& store) {
  std::vector<TaggedResource> resources;
  for (const Kind& kind : kKinds) TRY(kind.gather(store, resources));
  return resources;
}

}  // namespace howdah::vpc
