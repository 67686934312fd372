// Tags of instances and subnet groups, named by their ARNs.
#include <fmt/format.h>

#include "fleet/commands.h"
#include "fleet/keys.h"
#include "fleet/subnet_group.h"
#include "services/rds/handlers.h"

namespace howdah::services::rds {

namespace {

enum class Kind { kInstance, kSubnetGroup };
struct Target {
  Kind kind;
  std::string name;
};

// "arn:aws:rds:REGION:ACCOUNT:db:NAME" or ":subgrp:NAME".
Outcome<Target> TargetOf(const fleet::Context& context, const std::optional<std::string>& arn) {
  const std::string text = arn.value_or("");
  const std::string instances = context.InstanceArn("");
  const std::string groups = context.SubnetGroupArn("");
  if (text.starts_with(instances)) return Target{Kind::kInstance, text.substr(instances.size())};
  if (text.starts_with(groups)) return Target{Kind::kSubnetGroup, text.substr(groups.size())};
  return Refuse(aws::InvalidParameterValue(fmt::format("Invalid resource name: {}", text)));
}

std::unexpected<aws::Fault> NotFound(const Target& target) {
  if (target.kind == Kind::kInstance) {
    return Refuse(
        api::fault::DBInstanceNotFoundFault(fmt::format("DBInstance {} not found.", target.name)));
  }
  return Refuse(api::fault::DBSubnetGroupNotFoundFault(
      fmt::format("DB subnet group '{}' does not exist.", target.name)));
}

Outcome<fleet::Tags> Read(const fleet::Context& context, const Target& target) {
  if (target.kind == Kind::kInstance) {
    const auto found = fleet::FindInstance(context.store, target.name);
    if (!found) return NotFound(target);
    return found->value.tags;
  }
  const auto group = fleet::GetSubnetGroup(context.store, target.name);
  if (!group) return NotFound(target);
  return group->tags;
}

Outcome<aws::Empty> Change(const fleet::Context& context, const Target& target,
                           const fleet::Tags& add, const std::vector<std::string>& remove) {
  OUTCOME_ASSIGN(fleet::Tags tags, Read(context, target));
  for (const auto& [key, value] : add) tags[key] = value;
  if (tags.size() > 50) {
    return Refuse(aws::InvalidParameterValue("A resource can have at most 50 tags."));
  }
  const Result<> done = target.kind == Kind::kInstance
                            ? fleet::SetTags(context, target.name, add, remove)
                            : fleet::SetSubnetGroupTags(context.store, target.name, add, remove);
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
        OUTCOME_ASSIGN(const Target target, TargetOf(context, in.resource_name));
        OUTCOME_ASSIGN(const fleet::Tags tags, Read(context, target));
        return api::TagListMessage{.tag_list = ToShape(tags)};
      });
}

}  // namespace howdah::services::rds
