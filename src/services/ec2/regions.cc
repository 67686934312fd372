// The region that Howdah plays, its zones, and what clients ask about the account.
#include <fmt/format.h>

#include <algorithm>

#include "services/ec2/handlers.h"
#include "services/ec2/selection.h"
#include "vpc/interfaces.h"

namespace howdah::services::ec2 {
namespace {

constexpr std::string_view kZoneFilters[] = {
    "group-long-name", "group-name",       "message",     "opt-in-status",
    "parent-zone-id",  "parent-zone-name", "region-name", "state",
    "zone-id",         "zone-name",        "zone-type"};
constexpr std::string_view kRegionFilters[] = {"endpoint", "opt-in-status", "region-name"};

bool Wanted(const aws::List<std::string>& names, const std::string& name) {
  return names.empty() || std::ranges::find(names, name) != names.end();
}

Attributes AttributesOf(const vpc::Zone& zone, const vpc::Region& region) {
  Attributes attributes;
  attributes.Add("group-name", region.name);
  attributes.Add("opt-in-status", "opt-in-not-required");
  attributes.Add("region-name", region.name);
  attributes.Add("state", "available");
  attributes.Add("zone-id", zone.id);
  attributes.Add("zone-name", zone.name);
  attributes.Add("zone-type", "availability-zone");
  return attributes;
}

aws::Outcome<api::DescribeAvailabilityZonesResult> DescribeAvailabilityZones(
    const Ec2Options& options, const api::DescribeAvailabilityZonesRequest& in) {
  const vpc::Region& region = options.network.region;
  OUTCOME_TRY(CheckFilters(in.filters, kZoneFilters));
  for (const auto* names : {&in.zone_names, &in.zone_ids}) {
    for (const std::string& name : *names)
      if (region.Find(name) == nullptr)
        return aws::Refuse(
            aws::InvalidParameterValue(fmt::format("Invalid availability zone: [{}]", name)));
  }
  api::DescribeAvailabilityZonesResult out;
  for (const vpc::Zone& zone : region.zones) {
    if (!Wanted(in.zone_names, zone.name) || !Wanted(in.zone_ids, zone.id) ||
        !MatchesAll(in.filters, AttributesOf(zone, region)))
      continue;
    api::AvailabilityZone item;
    item.zone_name = zone.name;
    item.zone_id = zone.id;
    item.zone_type = "availability-zone";
    item.region_name = region.name;
    item.group_name = region.name;
    item.network_border_group = region.name;
    item.opt_in_status = "opt-in-not-required";
    item.state = "available";
    out.availability_zones.push_back(std::move(item));
  }
  return out;
}

aws::Outcome<api::DescribeRegionsResult> DescribeRegions(const Ec2Options& options,
                                                         const api::DescribeRegionsRequest& in) {
  const std::string& name = options.network.region.name;
  OUTCOME_TRY(CheckFilters(in.filters, kRegionFilters));
  for (const std::string& wanted : in.region_names)
    if (wanted != name)
      return aws::Refuse(
          aws::InvalidParameterValue(fmt::format("Invalid region names: [{}]", wanted)));
  const std::string endpoint = fmt::format("ec2.{}.amazonaws.com", name);
  Attributes attributes;
  attributes.Add("endpoint", endpoint);
  attributes.Add("opt-in-status", "opt-in-not-required");
  attributes.Add("region-name", name);
  api::DescribeRegionsResult out;
  if (MatchesAll(in.filters, attributes))
    out.regions.push_back(
        {.opt_in_status = "opt-in-not-required", .region_name = name, .endpoint = endpoint});
  return out;
}

aws::Outcome<api::DescribeAccountAttributesResult> DescribeAccountAttributes(
    const Ec2Options& options, const api::DescribeAccountAttributesRequest& in) {
  OUTCOME_ASSIGN(const auto vpcs, Translated(vpc::List<vpc::Vpc>(options.network.store)));
  const auto found = std::ranges::find(vpcs, true, &vpc::Vpc::is_default);
  // There are no instances and no elastic addresses to launch: their limits are 0.
  const std::pair<std::string, std::string> known[] = {
      {"supported-platforms", "VPC"},
      {"default-vpc", found == vpcs.end() ? "none" : found->id.str()},
      {"max-instances", "0"},
      {"vpc-max-security-groups-per-interface", std::to_string(vpc::kMaxGroupsPerInterface)},
      {"max-elastic-ips", "0"},
      {"vpc-max-elastic-ips", "0"}};
  api::DescribeAccountAttributesResult out;
  for (const auto& [name, value] : known) {
    if (!Wanted(in.attribute_names, name)) continue;
    out.account_attributes.push_back(
        {.attribute_name = name, .attribute_values = {{.attribute_value = value}}});
  }
  return out;
}

}  // namespace

void RegisterRegions(aws::Service& service, const Ec2Options& options) {
  service.Register<api::DescribeAvailabilityZones>(
      [options](const auto&, const auto& in) { return DescribeAvailabilityZones(options, in); });
  service.Register<api::DescribeRegions>(
      [options](const auto&, const auto& in) { return DescribeRegions(options, in); });
  service.Register<api::DescribeAccountAttributes>(
      [options](const auto&, const auto& in) { return DescribeAccountAttributes(options, in); });
}

}  // namespace howdah::services::ec2
