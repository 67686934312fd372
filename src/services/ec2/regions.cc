// The region that Howdah plays, its zones, and what clients ask about the account.
#include <fmt/format.h>

#include <algorithm>

#include "services/ec2/handlers.h"
#include "services/ec2/selection.h"
#include "services/ec2/serve.h"
#include "vpc/addresses.h"
#include "vpc/interfaces.h"

namespace howdah::services::ec2 {
namespace {

struct ZoneRow {
  vpc::Zone zone;
  std::string region;
};

constexpr auto kRegionName = [](const ZoneRow& row) { return row.region; };

constexpr Column<ZoneRow> kZoneColumns[] = {
    {"group-long-name", nullptr},
    {"group-name", kRegionName},
    {"message", nullptr},
    {"opt-in-status", [](const ZoneRow&) { return "opt-in-not-required"; }},
    {"parent-zone-id", nullptr},
    {"parent-zone-name", nullptr},
    {"parent-zoneID", nullptr},  // as older documentation has the two
    {"parent-zoneName", nullptr},
    {"region-name", kRegionName},
    {"state", [](const ZoneRow&) { return "available"; }},
    {"zone-id", [](const ZoneRow& row) { return row.zone.id; }},
    {"zone-name", [](const ZoneRow& row) { return row.zone.name; }},
    {"zone-type", [](const ZoneRow&) { return "availability-zone"; }}};
constexpr Resource<ZoneRow> kZones = {.ids = "zoneNames",
                                      .columns = kZoneColumns,
                                      .key = [](const ZoneRow& row) { return row.zone.name; }};

std::string EndpointOf(const std::string& region) {
  return fmt::format("ec2.{}.amazonaws.com", region);
}

constexpr Column<std::string> kRegionColumns[] = {
    {"endpoint", [](const std::string& name) { return EndpointOf(name); }},
    {"opt-in-status", [](const std::string&) { return "opt-in-not-required"; }},
    {"region-name", [](const std::string& name) { return name; }}};
constexpr Resource<std::string> kRegions = {.ids = "regionNames",
                                            .columns = kRegionColumns,
                                            .key = [](const std::string& name) { return name; }};

bool Wanted(const aws::List<std::string>& names, const std::string& name) {
  return names.empty() || std::ranges::find(names, name) != names.end();
}

aws::Outcome<api::DescribeAvailabilityZonesResult> DescribeAvailabilityZones(
    const Ec2Options& options, const aws::RequestContext&,
    const api::DescribeAvailabilityZonesRequest& in) {
  const vpc::Region& region = options.network.region;
  for (const auto* names : {&in.zone_names, &in.zone_ids}) {
    for (const std::string& name : *names)
      if (region.Find(name) == nullptr)
        return aws::Refuse(
            aws::InvalidParameterValue(fmt::format("Invalid availability zone: [{}]", name)));
  }
  std::vector<ZoneRow> rows;
  for (const vpc::Zone& zone : region.zones)
    if (Wanted(in.zone_names, zone.name) && Wanted(in.zone_ids, zone.id))
      rows.push_back({zone, region.name});
  OUTCOME_TRY(Filter(kZones, in.filters, rows));
  api::DescribeAvailabilityZonesResult out;
  for (const auto& [zone, name] : rows) {
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
                                                         const aws::RequestContext&,
                                                         const api::DescribeRegionsRequest& in) {
  const std::string& name = options.network.region.name;
  for (const std::string& wanted : in.region_names)
    if (wanted != name)
      return aws::Refuse(
          aws::InvalidParameterValue(fmt::format("Invalid region names: [{}]", wanted)));
  std::vector<std::string> names = {name};
  OUTCOME_TRY(Filter(kRegions, in.filters, names));
  api::DescribeRegionsResult out;
  for (const std::string& region : names)
    out.regions.push_back({.opt_in_status = "opt-in-not-required",
                           .region_name = region,
                           .endpoint = EndpointOf(region)});
  return out;
}

aws::Outcome<api::DescribeAccountAttributesResult> DescribeAccountAttributes(
    const Ec2Options& options, const aws::RequestContext&,
    const api::DescribeAccountAttributesRequest& in) {
  OUTCOME_ASSIGN(const auto vpcs, Translated(vpc::List<vpc::Vpc>(options.network.store)));
  const auto found = std::ranges::find(vpcs, true, &vpc::Vpc::is_default);
  const std::string addresses = std::to_string(vpc::kMaxElasticAddresses);
  // There are no instances to launch: their limit is 0.
  const std::pair<std::string, std::string> known[] = {
      {"supported-platforms", "VPC"},
      {"default-vpc", found == vpcs.end() ? "none" : found->id.str()},
      {"max-instances", "0"},
      {"vpc-max-security-groups-per-interface", std::to_string(vpc::kMaxGroupsPerInterface)},
      {"max-elastic-ips", addresses},
      {"vpc-max-elastic-ips", addresses}};
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
  Serve<api::DescribeAvailabilityZones>(service, options, DescribeAvailabilityZones);
  Serve<api::DescribeRegions>(service, options, DescribeRegions);
  Serve<api::DescribeAccountAttributes>(service, options, DescribeAccountAttributes);
}

}  // namespace howdah::services::ec2
