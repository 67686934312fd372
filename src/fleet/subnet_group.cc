#include "fleet/subnet_group.h"

#include "fleet/keys.h"

namespace howdah::fleet {

std::string Format(const SubnetGroup& group) {
  return json::serialize(json::object{{"name", group.name},
                                      {"description", group.description},
                                      {"vpc", group.vpc},
                                      {"subnets", ToJsonArray(group.subnets)},
                                      {"tags", TagsToJson(group.tags)}});
}

Result<SubnetGroup> ParseSubnetGroup(std::string_view text) {
  TRY_ASSIGN(const json::object object, ParseJsonObject(text));
  return SubnetGroup{.name = JsonString(object, "name"),
                     .description = JsonString(object, "description"),
                     .vpc = JsonString(object, "vpc"),
                     .subnets = JsonStrings(object, "subnets"),
                     .tags = TagsFromJson(JsonObject(object, "tags"))};
}

Result<SubnetGroup> GetSubnetGroup(store::Store& store, std::string_view name) {
  TRY_ASSIGN(const store::Document document, store.Get(SubnetGroupKey(name)));
  return ParseSubnetGroup(document.value);
}

Result<std::vector<SubnetGroup>> ListSubnetGroups(store::Store& store) {
  TRY_ASSIGN(const store::Listing listing, store.List(kSubnetGroupsPrefix));
  std::vector<SubnetGroup> groups;
  for (const store::Document& document : listing.documents) {
    TRY_ASSIGN(SubnetGroup group, ParseSubnetGroup(document.value));
    groups.push_back(std::move(group));
  }
  return groups;
}

Result<> SetSubnetGroupTags(store::Store& store, std::string_view name, const Tags& add,
                            const std::vector<std::string>& remove) {
  constexpr int kTries = 8;
  for (int i = 0; i < kTries; ++i) {
    TRY_ASSIGN(const store::Document document, store.Get(SubnetGroupKey(name)));
    TRY_ASSIGN(SubnetGroup group, ParseSubnetGroup(document.value));
    for (const auto& [key, value] : add) group.tags[key] = value;
    for (const std::string& key : remove) group.tags.erase(key);
    const Result<store::Revision> committed =
        store.Commit({.compares = {{document.key, document.revision}},
                      .puts = {{document.key, Format(group), ""}},
                      .deletes = {}});
    if (committed) return {};
    if (committed.error().code() != Code::kConflict) return Fail(committed.error());
  }
  return Fail(Code::kConflict, "too many changes of this subnet group at the same time");
}

}  // namespace howdah::fleet
