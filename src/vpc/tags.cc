// Tags of any record, without one function a kind: the prefix of the id picks the type, and one
// template does the rest.
#include "vpc/tags.h"

#include <fmt/format.h>

#include <functional>

#include "vpc/draft.h"

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

Result<> Change(Draft& draft, std::string_view id, const ChangeTags& change) {
  if (id.starts_with(kVpcPrefix)) return ChangeOf<Vpc>(draft, id, change);
  if (id.starts_with(kSubnetPrefix)) return ChangeOf<Subnet>(draft, id, change);
  if (id.starts_with(kGroupPrefix)) return ChangeOf<SecurityGroup>(draft, id, change);
  if (id.starts_with(kRulePrefix)) return ChangeOf<Rule>(draft, id, change);
  if (id.starts_with(kInterfacePrefix)) return ChangeOf<Interface>(draft, id, change);
  if (id.starts_with(kAclPrefix)) return ChangeOf<NetworkAcl>(draft, id, change);
  if (id.starts_with(kRouteTablePrefix)) return ChangeOf<RouteTable>(draft, id, change);
  return Fail(Code::kNotFound, fmt::format("The ID '{}' is not valid", id));
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

}  // namespace

std::string_view ResourceType(std::string_view id) {
  if (id.starts_with(kVpcPrefix)) return "vpc";
  if (id.starts_with(kSubnetPrefix)) return "subnet";
  if (id.starts_with(kGroupPrefix)) return "security-group";
  if (id.starts_with(kRulePrefix)) return "security-group-rule";
  if (id.starts_with(kInterfacePrefix)) return "network-interface";
  if (id.starts_with(kAclPrefix)) return "network-acl";
  if (id.starts_with(kRouteTablePrefix)) return "route-table";
  return "";
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
  TRY(Gather<Vpc>(store, resources));
  TRY(Gather<Subnet>(store, resources));
  TRY(Gather<SecurityGroup>(store, resources));
  TRY(Gather<Rule>(store, resources));
  TRY(Gather<Interface>(store, resources));
  TRY(Gather<NetworkAcl>(store, resources));
  TRY(Gather<RouteTable>(store, resources));
  return resources;
}

}  // namespace howdah::vpc
