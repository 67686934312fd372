// Tags of EC2 resources.
#include "services/cloudformation/providers/ec2_tags.h"

namespace howdah::cfn {

aws::List<ec2::TagSpecification> TagsOnCreate(const Subject& subject,
                                              const json::object& properties,
                                              std::string_view resource_type) {
  ec2::TagSpecification specification;
  specification.resource_type = std::string(resource_type);
  for (const auto& [key, value] : AllTags(subject, properties)) {
    specification.tags.push_back({.key = key, .value = value});
  }
  return {specification};
}

aws::List<ec2::Filter> MadeBy(const Subject& subject) {
  return {ec2::Filter{.name = "tag:" + std::string(kTokenTag), .values = {subject.record.token}}};
}

aws::Outcome<void> UpdateTags(const Services& services, const Subject& subject,
                              const json::object& before, const json::object& after) {
  return UpdateTagsOf(services, subject, subject.id(), before, after);
}

aws::Outcome<void> UpdateTagsOf(const Services& services, const Subject& subject,
                                const std::string& id, const json::object& before,
                                const json::object& after) {
  Tags old_tags = AllTags(subject, before);
  for (const auto& [key, value] : subject.stack.tags) old_tags.emplace(key, value);
  for (const auto& [key, value] : subject.stack.next_tags) old_tags.emplace(key, value);
  const Tags new_tags = AllTags(subject, after);
  ec2::DeleteTagsRequest remove{.resources = {id}};
  for (const auto& [key, value] : old_tags) {
    if (!new_tags.contains(key)) remove.tags.push_back({.key = key, .value = std::nullopt});
  }
  ec2::CreateTagsRequest create{.resources = {id}};
  for (const auto& [key, value] : new_tags) create.tags.push_back({.key = key, .value = value});
  if (!remove.tags.empty()) {
    OUTCOME_TRY(Invoke<ec2::DeleteTags>(services.ec2, subject.context, remove));
  }
  if (create.tags.empty()) return {};
  OUTCOME_TRY(Invoke<ec2::CreateTags>(services.ec2, subject.context, create));
  return {};
}

Tags TagsOf(const aws::List<ec2::Tag>& tags) {
  Tags made;
  for (const ec2::Tag& tag : tags) made[tag.key.value_or("")] = tag.value.value_or("");
  return made;
}

json::object WithoutTags(const json::object& properties) {
  json::object made = properties;
  made.erase("Tags");
  return made;
}

}  // namespace howdah::cfn
