// Tags of instances, snapshots and subnet groups, named by their ARNs. Default groups have none.
#include <fmt/format.h>

#include "fleet/backup_commands.h"
#include "fleet/commands.h"
#include "fleet/keys.h"
#include "fleet/subnet_group.h"
#include "postgres/parameters.h"
#include "services/rds/filters.h"
#include "services/rds/instances.h"
#include "services/rds/snapshots.h"

namespace howdah::services::rds {

namespace {

enum class Kind { kInstance, kSnapshot, kSubnetGroup, kDefaultGroup };
struct Target {
  Kind kind;
  std::string name;
};

bool IsDefaultGroup(std::string_view kind, std::string_view name) {
  for (int major = postgres::kOldestMajor; major <= postgres::kNewestMajor; ++major) {
    if (kind == "pg" && name == "default." + postgres::ParameterFamily(major)) return true;
    if (kind == "og" && name == fmt::format("default:postgres-{}", major)) return true;
  }
  return false;
}

// The fault for what does not exist, in the words of its kind.
std::unexpected<aws::Fault> NotFound(std::string_view kind, std::string_view name) {
  if (kind == "db") {
    return Refuse(
        api::fault::DBInstanceNotFoundFault(fmt::format("DBInstance {} not found.", name)));
  }
  if (kind == "subgrp") {
    return Refuse(api::fault::DBSubnetGroupNotFoundFault(
        fmt::format("DB subnet group '{}' does not exist.", name)));
  }
  if (kind == "snapshot") {
    return Refuse(
        api::fault::DBSnapshotNotFoundFault(fmt::format("DBSnapshot {} not found.", name)));
  }
  if (kind == "pg") {
    return Refuse(api::fault::DBParameterGroupNotFoundFault(
        fmt::format("DBParameterGroup not found: {}", name)));
  }
  if (kind == "og") {
    return Refuse(api::fault::OptionGroupNotFoundFault(
        fmt::format("Specified OptionGroupName: {} not found.", name)));
  }
  return Refuse(aws::InvalidParameterValue(
      fmt::format("Invalid resource name in ResourceName: there is no {} '{}'.", kind, name)));
}

// "arn:aws:rds:REGION:ACCOUNT:KIND:NAME"; names of default option groups have a colon.
Outcome<Target> TargetOf(const fleet::Context& context, const std::optional<std::string>& arn) {
  const std::string text = arn.value_or("");
  const std::string ours = "arn:aws:rds:" + context.region + ":" + context.account + ":";
  const std::size_t colon = text.starts_with(ours) ? text.find(':', ours.size()) : text.npos;
  if (colon == text.npos || colon + 1 == text.size()) {
    return Refuse(aws::InvalidParameterValue(
        fmt::format("Invalid resource name in ResourceName: '{}' is no ARN of this account and "
                    "region; they begin with {}.",
                    text, ours)));
  }
  const std::string kind = text.substr(ours.size(), colon - ours.size());
  const std::string name = text.substr(colon + 1);
  if (kind == "db") return Target{Kind::kInstance, IdentifierIn(name)};
  if (kind == "snapshot") return Target{Kind::kSnapshot, SnapshotIn(name)};
  if (kind == "subgrp") return Target{Kind::kSubnetGroup, name};
  if (IsDefaultGroup(kind, name)) return Target{Kind::kDefaultGroup, name};
  return NotFound(kind, name);
}

std::unexpected<aws::Fault> NotFound(const Target& target) {
  switch (target.kind) {
    case Kind::kInstance:
      return NotFound("db", target.name);
    case Kind::kSnapshot:
      return NotFound("snapshot", target.name);
    default:
      return NotFound("subgrp", target.name);
  }
}

Outcome<fleet::Tags> Read(const fleet::Context& context, const Target& target) {
  if (target.kind == Kind::kDefaultGroup) return fleet::Tags{};
  if (target.kind == Kind::kInstance) {
    const auto found = fleet::FindInstance(context.store, target.name);
    if (!found) return NotFound(target);
    return found->value.tags;
  }
  if (target.kind == Kind::kSnapshot) {
    const auto found = fleet::LoadDbSnapshot(context.store, target.name);
    if (!found) return NotFound(target);
    return found->value.tags;
  }
  const auto group = fleet::GetSubnetGroup(context.store, target.name);
  if (!group) return NotFound(target);
  return group->tags;
}

Result<> Set(const fleet::Context& context, const Target& target, const fleet::Tags& add,
             const std::vector<std::string>& remove) {
  switch (target.kind) {
    case Kind::kInstance:
      return fleet::SetTags(context, target.name, add, remove);
    case Kind::kSnapshot:
      return fleet::SetSnapshotTags(context, target.name, add, remove);
    default:
      return fleet::SetSubnetGroupTags(context.store, target.name, add, remove);
  }
}

Outcome<aws::Empty> Change(const fleet::Context& context, const Target& target,
                           const fleet::Tags& add, const std::vector<std::string>& remove) {
  if (target.kind == Kind::kDefaultGroup) {
    return Refuse(aws::InvalidParameterValue(
        fmt::format("The default group {} can't be changed, nor its Tags.", target.name)));
  }
  OUTCOME_ASSIGN(fleet::Tags tags, Read(context, target));
  for (const auto& [key, value] : add) tags[key] = value;
  if (tags.size() > 50) {
    return Refuse(aws::InvalidParameterValue("A resource can have at most 50 Tags."));
  }
  const Result<> done = Set(context, target, add, remove);
  if (!done && done.error().code() == Code::kNotFound) return NotFound(target);
  if (!done) return Refuse(aws::FaultOf(done.error()));
  return aws::Empty{};
}

}  // namespace

void RegisterTags(aws::Service& service, const fleet::Context& context) {
  service.Register<api::AddTagsToResource>(
      [&context](const RequestContext&,
                 const api::AddTagsToResourceMessage& in) -> Outcome<aws::Empty> {
        OUTCOME_ASSIGN(const Target target, TargetOf(context, in.resource_name));
        OUTCOME_ASSIGN(const fleet::Tags tags, ToTags(in.tags));
        return Change(context, target, tags, {});
      });
  service.Register<api::RemoveTagsFromResource>(
      [&context](const RequestContext&,
                 const api::RemoveTagsFromResourceMessage& in) -> Outcome<aws::Empty> {
        OUTCOME_ASSIGN(const Target target, TargetOf(context, in.resource_name));
        return Change(context, target, {}, in.tag_keys);
      });
  service.Register<api::ListTagsForResource>(
      [&context](const RequestContext&,
                 const api::ListTagsForResourceMessage& in) -> Outcome<api::TagListMessage> {
        OUTCOME_TRY(ValidFilters(in.filters));
        OUTCOME_ASSIGN(const Target target, TargetOf(context, in.resource_name));
        OUTCOME_ASSIGN(const fleet::Tags tags, Read(context, target));
        return api::TagListMessage{.tag_list = ToShape(tags)};
      });
}

}  // namespace howdah::services::rds
