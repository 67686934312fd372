// Subnet operations.
#include <fmt/format.h>

#include <map>
#include <set>

#include "services/ec2/handlers.h"
#include "services/ec2/selection.h"
#include "services/ec2/serve.h"
#include "services/ec2/tags.h"
#include "vpc/vpcs.h"

namespace howdah::services::ec2 {
namespace {

constexpr const char* kHostnameType = "ip-name";

// A subnet and what is known about it from elsewhere.
struct Row {
  vpc::Subnet subnet;
  std::uint64_t available = 0;  // addresses that are free
  std::string account;
  std::string arn;
};

constexpr auto kZone = [](const Row& row) { return row.subnet.zone; };
constexpr auto kZoneId = [](const Row& row) { return row.subnet.zone_id; };
constexpr auto kRange = [](const Row& row) { return row.subnet.cidr.ToString(); };
constexpr auto kDefaultForZone = [](const Row& row) { return row.subnet.default_for_zone; };
constexpr auto kNo = [](const Row&) { return false; };

constexpr Column<Row> kColumns[] = {
    {"availability-zone", kZone},
    {"availabilityZone", kZone},
    {"availability-zone-id", kZoneId},
    {"availabilityZoneId", kZoneId},
    {"available-ip-address-count",
     [](const Row& row) { return static_cast<std::int64_t>(row.available); }},
    {"cidr", kRange},
    {"cidr-block", kRange},
    {"cidrBlock", kRange},
    {"customer-owned-ipv4-pool", nullptr},
    {"default-for-az", kDefaultForZone},
    {"defaultForAz", kDefaultForZone},
    {"enable-dns64", kNo},
    {"enable-lni-at-device-index", nullptr},
    {"ipv6-cidr-block-association.association-id", nullptr},
    {"ipv6-cidr-block-association.ipv6-cidr-block", nullptr},
    {"ipv6-cidr-block-association.state", nullptr},
    {"ipv6-native", kNo},
    {"map-customer-owned-ip-on-launch", kNo},
    {"map-public-ip-on-launch", [](const Row& row) { return row.subnet.map_public_ip; }},
    {"outpost-arn", nullptr},
    {"owner-id", [](const Row& row) { return row.account; }},
    {"private-dns-name-options-on-launch.enable-resource-name-dns-a-record", kNo},
    {"private-dns-name-options-on-launch.enable-resource-name-dns-aaaa-record", kNo},
    {"private-dns-name-options-on-launch.hostname-type", [](const Row&) { return kHostnameType; }},
    {"state", [](const Row&) { return "available"; }},
    {"subnet-arn", [](const Row& row) { return row.arn; }},
    {"subnet-id", [](const Row& row) { return row.subnet.id.str(); }},
    {"vpc-id", [](const Row& row) { return row.subnet.vpc.str(); }}};

constexpr Resource<Row> kSubnets = {.ids = "subnetIds",
                                    .columns = kColumns,
                                    .key = [](const Row& row) { return row.subnet.id.str(); },
                                    .tags = [](const Row& row) { return &row.subnet.tags; }};

api::Subnet Write(const Row& row) {
  const vpc::Subnet& subnet = row.subnet;
  api::Subnet out;
  out.subnet_id = subnet.id.str();
  out.subnet_arn = row.arn;
  out.vpc_id = subnet.vpc.str();
  out.owner_id = row.account;
  out.state = "available";
  out.cidr_block = subnet.cidr.ToString();
  out.availability_zone = subnet.zone;
  out.availability_zone_id = subnet.zone_id;
  out.available_ip_address_count = static_cast<std::int64_t>(row.available);
  out.default_for_az = subnet.default_for_zone;
  out.map_public_ip_on_launch = subnet.map_public_ip;
  out.map_customer_owned_ip_on_launch = false;
  out.assign_ipv6_address_on_creation = false;
  out.enable_dns64 = false;
  out.ipv6_native = false;
  out.private_dns_name_options_on_launch =
      api::PrivateDnsNameOptionsOnLaunch{.hostname_type = kHostnameType,
                                         .enable_resource_name_dns_a_record = false,
                                         .enable_resource_name_dns_aaaa_record = false};
  out.tags = WriteTags(subnet.tags);
  return out;
}

// The taken addresses are listed once a VPC, however many of its subnets there are.
aws::Outcome<std::vector<Row>> RowsOf(store::Store& store, const aws::RequestContext& context,
                                      const std::vector<vpc::Subnet>& subnets) {
  std::map<vpc::VpcId, std::set<network::Ipv4>> taken;
  std::vector<Row> rows;
  for (const vpc::Subnet& subnet : subnets) {
    if (!taken.contains(subnet.vpc)) {
      OUTCOME_ASSIGN(taken[subnet.vpc], Translated(vpc::TakenAddresses(store, subnet.vpc)));
    }
    rows.push_back({subnet, network::AvailableAddressCount(subnet.cidr, taken[subnet.vpc]),
                    context.account_id,
                    fmt::format("arn:aws:ec2:{}:{}:subnet/{}", context.region, context.account_id,
                                subnet.id.str())});
  }
  return rows;
}

aws::Outcome<vpc::NewSubnet> ReadWish(const api::CreateSubnetRequest& in) {
  if (in.ipv6_cidr_block || in.ipv6_native.value_or(false) || in.ipv6_ipam_pool_id ||
      in.ipv6_netmask_length)
    return aws::Refuse(Unsupported("Ipv6CidrBlock", "a VPC has IPv4 only."));
  if (in.outpost_arn) return aws::Refuse(Unsupported("OutpostArn", "there are no Outposts."));
  if (in.ipv4_ipam_pool_id || in.ipv4_netmask_length)
    return aws::Refuse(Unsupported("Ipv4IpamPoolId", "there are no IPAM pools; give CidrBlock."));
  if (!in.cidr_block)
    return aws::Refuse(aws::MissingParameter("The request must contain the parameter cidrBlock"));
  if (in.availability_zone && in.availability_zone_id)
    return aws::Refuse(aws::InvalidParameterCombination(
        "The parameters availabilityZone and availabilityZoneId cannot be used together."));
  const auto cidr = network::Cidr::Parse(*in.cidr_block);
  if (!cidr)
    return aws::Refuse(
        InvalidValue(*in.cidr_block, "cidrBlock", "This is not a valid CIDR block."));
  OUTCOME_ASSIGN(vpc::Tags tags, ReadTagSpecifications(in.tag_specifications, "subnet"));
  return vpc::NewSubnet{.vpc = vpc::VpcId(*in.vpc_id),
                        .cidr = *cidr,
                        .zone = in.availability_zone.value_or(in.availability_zone_id.value_or("")),
                        .tags = std::move(tags)};
}

aws::Fault NoSuchZone(const vpc::Region& region, const std::string& zone) {
  std::string zones;
  for (const vpc::Zone& known : region.zones) zones += (zones.empty() ? "" : ", ") + known.name;
  return InvalidValue(
      zone, "availabilityZone",
      fmt::format("Subnets can currently only be created in the following availability zones: {}.",
                  zones));
}

aws::Outcome<api::CreateSubnetResult> CreateSubnet(const Ec2Options& options,
                                                   const aws::RequestContext& context,
                                                   const api::CreateSubnetRequest& in) {
  OUTCOME_ASSIGN(const vpc::NewSubnet wish, ReadWish(in));
  const aws::Fault no_zone = NoSuchZone(options.network.region, wish.zone);
  vpc::Subnet made;
  OUTCOME_TRY(
      Change(options.network.store, [&](store::Transaction& transaction) -> aws::Outcome<void> {
        OUTCOME_TRY(Find<vpc::Vpc>(options.network.store, *in.vpc_id));
        auto subnet = vpc::CreateSubnet(options.network, transaction, wish);
        if (!subnet && subnet.error().code() == Code::kInvalid)
          return aws::Refuse(
              "InvalidSubnet.Range",
              fmt::format("The CIDR '{}' is invalid: {}.", *in.cidr_block, subnet.error().what()));
        OUTCOME_ASSIGN(
            made, Translated(
                      std::move(subnet),
                      {{Code::kAlreadyExists, "InvalidSubnet.Conflict",
                        fmt::format("The CIDR '{}' conflicts with another subnet", *in.cidr_block)},
                       {Code::kUnsupported, no_zone.code, no_zone.message}}));
        return {};
      }));
  OUTCOME_ASSIGN(const auto rows, RowsOf(options.network.store, context, {made}));
  return api::CreateSubnetResult{.subnet = Write(rows.front())};
}

aws::Outcome<api::DescribeSubnetsResult> DescribeSubnets(const Ec2Options& options,
                                                         const aws::RequestContext& context,
                                                         const api::DescribeSubnetsRequest& in) {
  store::Store& store = options.network.store;
  OUTCOME_ASSIGN(const auto subnets, Load<vpc::Subnet>(store, in.subnet_ids));
  OUTCOME_ASSIGN(auto rows, RowsOf(store, context, subnets));
  OUTCOME_ASSIGN(const auto page, Select(kSubnets, std::move(rows), in, !in.subnet_ids.empty()));
  api::DescribeSubnetsResult out;
  for (const Row& row : page.records) out.subnets.push_back(Write(row));
  out.next_token = page.next_token;
  return out;
}

aws::Outcome<aws::Empty> DeleteSubnet(const Ec2Options& options, const aws::RequestContext&,
                                      const api::DeleteSubnetRequest& in) {
  const std::string& id = *in.subnet_id;
  OUTCOME_TRY(
      Change(options.network.store, [&](store::Transaction& transaction) -> aws::Outcome<void> {
        OUTCOME_ASSIGN(const vpc::Subnet subnet, Find<vpc::Subnet>(options.network.store, id));
        return Translated(
            vpc::DeleteSubnet(options.network, transaction, subnet.id),
            {{Code::kInUse, "DependencyViolation",
              fmt::format("The subnet '{}' has dependencies and cannot be deleted.", id)}});
      }));
  return aws::Empty{};
}

bool IsTrue(const std::optional<api::AttributeBooleanValue>& attribute) {
  return attribute && attribute->value.value_or(false);
}

aws::Outcome<aws::Empty> ModifySubnetAttribute(const Ec2Options& options,
                                               const aws::RequestContext&,
                                               const api::ModifySubnetAttributeRequest& in) {
  if (IsTrue(in.assign_ipv6_address_on_creation) || IsTrue(in.enable_dns64) ||
      IsTrue(in.enable_resource_name_dns_aaaa_record_on_launch))
    return aws::Refuse(Unsupported("AssignIpv6AddressOnCreation", "a VPC has IPv4 only."));
  if (IsTrue(in.map_customer_owned_ip_on_launch) || in.customer_owned_ipv4_pool ||
      in.enable_lni_at_device_index)
    return aws::Refuse(Unsupported("MapCustomerOwnedIpOnLaunch", "there are no Outposts."));
  if (IsTrue(in.enable_resource_name_dns_a_record_on_launch) ||
      in.private_dns_hostname_type_on_launch.value_or(kHostnameType) != kHostnameType)
    return aws::Refuse(Unsupported("PrivateDnsHostnameTypeOnLaunch", "there is no VPC DNS."));
  const auto& map = in.map_public_ip_on_launch;
  OUTCOME_TRY(
      Change(options.network.store, [&](store::Transaction& transaction) -> aws::Outcome<void> {
        OUTCOME_ASSIGN(const vpc::Subnet subnet,
                       Find<vpc::Subnet>(options.network.store, *in.subnet_id));
        if (!map || !map->value) return {};
        return Translated(vpc::ModifySubnet(options.network, transaction, subnet.id, *map->value));
      }));
  return aws::Empty{};
}

}  // namespace

void RegisterSubnets(aws::Service& service, const Ec2Options& options) {
  Serve<api::CreateSubnet>(service, options, CreateSubnet);
  Serve<api::DescribeSubnets>(service, options, DescribeSubnets);
  Serve<api::DeleteSubnet>(service, options, DeleteSubnet);
  Serve<api::ModifySubnetAttribute>(service, options, ModifySubnetAttribute);
}

}  // namespace howdah::services::ec2
