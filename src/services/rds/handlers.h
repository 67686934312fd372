// The parts of the service, each in its own file, and what they share.
#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include "aws/fault.h"
#include "aws/generated/rds.h"
#include "aws/service.h"
#include "fleet/context.h"
#include "fleet/records.h"
#include "fleet/subnet_group.h"
#include "services/rds/rds.h"

namespace howdah::services::rds {

namespace api = aws::rds;
using aws::Outcome;
using aws::Refuse;
using aws::RequestContext;

void RegisterInstances(aws::Service& service, const fleet::Context& context);
void RegisterSubnetGroups(aws::Service& service, const fleet::Context& context);
void RegisterCatalogue(aws::Service& service, const fleet::Context& context,
                       const RdsOptions& options);
void RegisterEvents(aws::Service& service, const fleet::Context& context);
void RegisterTags(aws::Service& service, const fleet::Context& context);

inline constexpr std::string_view kEngine = "postgres";
inline constexpr std::string_view kLicense = "postgresql-license";
inline constexpr std::string_view kAuthority = "rds-ca-rsa2048-g1";

// shapes.cc: records as AWS shows them.
Outcome<api::DBInstance> ToShape(const fleet::Context& context, const fleet::Instance& instance);
Outcome<api::DBSubnetGroup> ToShape(const fleet::Context& context, const fleet::SubnetGroup& group);
aws::List<api::Tag> ToShape(const fleet::Tags& tags);
// Checks AWS's rules for tags: no more than 50, keys of 1 to 128 characters, not beginning "aws:".
Outcome<fleet::Tags> ToTags(const aws::List<api::Tag>& tags);

// The page of `items` that MaxRecords and Marker ask for; sets `marker` where more follow. The
// marker is the number of the first item of the page.
template <typename T>
Outcome<aws::List<T>> Page(std::vector<T> items, const std::optional<std::int64_t>& max_records,
                           const std::optional<std::string>& marker,
                           std::optional<std::string>& next) {
  constexpr std::int64_t kLeast = 20;
  constexpr std::int64_t kMost = 100;
  const std::int64_t size = max_records.value_or(kMost);
  if (size < kLeast || size > kMost) {
    return Refuse(aws::InvalidParameterValue("Invalid value " + std::to_string(size) +
                                             " for MaxRecords. Must be between 20 and 100"));
  }
  std::size_t begin = 0;
  if (marker && !marker->empty()) {
    const bool digits = marker->size() < 10 &&
                        std::ranges::all_of(*marker, [](char c) { return c >= '0' && c <= '9'; });
    if (!digits) return Refuse(aws::InvalidParameterValue("Invalid value for Marker: " + *marker));
    begin = std::min(items.size(), static_cast<std::size_t>(std::stoul(*marker)));
  }
  const std::size_t end = std::min(items.size(), begin + static_cast<std::size_t>(size));
  if (end < items.size()) next = std::to_string(end);
  return aws::List<T>(std::vector<T>(items.begin() + static_cast<std::ptrdiff_t>(begin),
                                     items.begin() + static_cast<std::ptrdiff_t>(end)));
}

}  // namespace howdah::services::rds
