// Tags of EC2 resources: on creation, in filters that find what we made, and when they change.
#pragma once

#include "aws/generated/ec2.h"
#include "services/cloudformation/invoke.h"
#include "services/cloudformation/provider.h"

namespace howdah::cfn {

namespace ec2 = aws::ec2;

// Makes a create request's tags: every one of the resource's.
aws::List<ec2::TagSpecification> TagsOnCreate(const Subject& subject,
                                              const json::object& properties,
                                              std::string_view resource_type);
// A filter for exactly what this subject's creation made.
aws::List<ec2::Filter> MadeBy(const Subject& subject);
// Brings the tags of `id` from what they were to what they are.
aws::Outcome<void> UpdateTags(const Services& services, const Subject& subject,
                              const json::object& before, const json::object& after);
Tags TagsOf(const aws::List<ec2::Tag>& tags);
// The same for a thing whose tags hang on another id than its physical one.
aws::Outcome<void> UpdateTagsOf(const Services& services, const Subject& subject,
                                const std::string& id, const json::object& before,
                                const json::object& after);
// The properties without the tags.
json::object WithoutTags(const json::object& properties);

}  // namespace howdah::cfn
