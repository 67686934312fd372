// Tags of RDS resources.
#pragma once

#include "aws/generated/rds.h"
#include "services/cloudformation/invoke.h"
#include "services/cloudformation/provider.h"

namespace howdah::cfn {

namespace rds = aws::rds;

inline aws::List<rds::Tag> RdsTags(const Tags& tags) {
  aws::List<rds::Tag> list;
  for (const auto& [key, value] : tags) list.push_back({.key = key, .value = value});
  return list;
}

inline aws::Outcome<Tags> TagsOf(const Services& services, const Subject& subject,
                                 const std::string& arn) {
  OUTCOME_ASSIGN(const auto found, Invoke<rds::ListTagsForResource>(services.rds, subject.context,
                                                                    {.resource_name = arn}));
  Tags tags;
  for (const rds::Tag& tag : found.tag_list) tags[tag.key.value_or("")] = tag.value.value_or("");
  return tags;
}

// Was the resource with this ARN made for this subject?
inline aws::Outcome<bool> IsMadeBy(const Services& services, const Subject& subject,
                                   const std::string& arn) {
  OUTCOME_ASSIGN(const Tags tags, TagsOf(services, subject, arn));
  const auto token = tags.find(std::string(kTokenTag));
  return token != tags.end() && token->second == subject.record.token;
}

// Brings the tags of a resource from what they were to what they are.
inline aws::Outcome<void> UpdateRdsTags(const Services& services, const Subject& subject,
                                        const std::string& arn, const json::object& before,
                                        const json::object& after) {
  Tags old_tags = AllTags(subject, before);
  for (const auto& [key, value] : subject.stack.tags) old_tags.emplace(key, value);
  for (const auto& [key, value] : subject.stack.next_tags) old_tags.emplace(key, value);
  const Tags new_tags = AllTags(subject, after);
  rds::RemoveTagsFromResourceMessage remove{.resource_name = arn};
  for (const auto& [key, value] : old_tags) {
    if (!new_tags.contains(key)) remove.tag_keys.push_back(key);
  }
  if (!remove.tag_keys.empty()) {
    OUTCOME_TRY(Invoke<rds::RemoveTagsFromResource>(services.rds, subject.context, remove));
  }
  OUTCOME_TRY(Invoke<rds::AddTagsToResource>(services.rds, subject.context,
                                             {.resource_name = arn, .tags = RdsTags(new_tags)}));
  return {};
}

}  // namespace howdah::cfn
