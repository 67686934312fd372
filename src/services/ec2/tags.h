// Tags between AWS's shapes and records.
#pragma once

#include <string_view>

#include "aws/fault.h"
#include "aws/generated/ec2.h"
#include "vpc/records.h"

namespace howdah::services::ec2 {

// Keys and values within AWS's limits, keys once, none of the reserved "aws:".
aws::Outcome<vpc::Tags> ReadTags(const aws::List<aws::ec2::Tag>& tags);
// The tags of a create request: its specifications must be for what it creates.
aws::Outcome<vpc::Tags> ReadTagSpecifications(
    const aws::List<aws::ec2::TagSpecification>& specifications, std::string_view resource_type);
aws::List<aws::ec2::Tag> WriteTags(const vpc::Tags& tags);

}  // namespace howdah::services::ec2
