// Subnet operations.
#include <fmt/format.h>

#include "services/ec2/handlers.h"
#include "services/ec2/selection.h"
#include "services/ec2/tags.h"
#include "vpc/vpcs.h"

namespace howdah::services::ec2 {
namespace {

constexpr std::string_view kFilters[] = {"availability-zone",
                                         "availabilityZone",
                                         "availability-zone-id",
                                         "availabilityZoneId",
                                         "available-ip-address-count",
                                         "cidr",
                                         "cidr-block",
                                         "cidrBlock",
                                         "default-for-az",
                                         "defaultForAz",
                                         "ipv6-native",
                                         "map-public-ip-on-launch",
                                         "owner-id",
                                         "state",
                                         "subnet-arn",
                                         "subnet-id",
                                         "vpc-id"};

std::string ArnOf(const vpc::Subnet& subnet, const aws::RequestContext& context) {
  return fmt::format("arn:aws:ec2:{}:{}:subnet/{}", context.region, context.account_id,
                     subnet.id.str());
}

// A subnet and what is computed about it.
struct Counted {
  vpc::SubnetId id;
  vpc::Subnet subnet;
  std::uint64_t available = 0;
};

Attributes AttributesOf(const Counted& counted, const aws::RequestContext& context) {
  const vpc::Subnet& subnet = counted.subnet;
  Attributes attributes;
  for (const auto* name : {"availability-zone", "availabilityZone"})
    attributes.Add(name, subnet.zone);
  for (const auto* name : {"availability-zone-id", "availabilityZoneId"})
    attributes.Add(name, subnet.zone_id);
  for (const auto* name : {"cidr", "cidr-block", "cidrBlock"})
    attributes.Add(name, subnet.cidr.ToString());
  for (const auto* name : {"default-for-az", "defaultForAz"})
    attributes.Add(name, subnet.default_for_zone);
  attributes.Add("available-ip-address-count", std::to_string(counted.available));
  attributes.Add("ipv6-native", false);
  attributes.Add("map-public-ip-on-launch", subnet.map_public_ip);
  attributes.Add("owner-id", context.account_id);
  attributes.Add("state", "available");
  attributes.Add("subnet-arn", ArnOf(subnet, context));
  attributes.Add("subnet-id", subnet.id.str());
  attributes.Add("vpc-id", subnet.vpc.str());
  attributes.AddTags(subnet.tags);
  return attributes;
}

api::Subnet Write(const Counted& counted, const aws::RequestContext& context) {
  const vpc::Subnet& subnet = counted.subnet;
  api::Subnet out;
  out.subnet_id = subnet.id.str();
  out.subnet_arn = ArnOf(subnet, context);
  out.vpc_id = subnet.vpc.str();
  out.owner_id = context.account_id;
  out.state = "available";
  out.cidr_block = subnet.cidr.ToString();
  out.availability_zone = subnet.zone;
  out.availability_zone_id = subnet.zone_id;
  out.available_ip_address_count = static_cast<std::int64_t>(counted.available);
  out.default_for_az = subnet.default_for_zone;
  out.map_public_ip_on_launch = subnet.map_public_ip;
  out.map_customer_owned_ip_on_launch = false;
  out.assign_ipv6_address_on_creation = false;
  out.enable_dns64 = false;
  out.ipv6_native = false;
  out.private_dns_name_options_on_launch =
      api::PrivateDnsNameOptionsOnLaunch{.hostname_type = "ip-name",
                                         .enable_resource_name_dns_a_record = false,
                                         .enable_resource_name_dns_aaaa_record = false};
  out.tags = WriteTags(subnet.tags);
  return out;
}

aws::Outcome<Counted> Count(store::Store& store, const vpc::Subnet& subnet) {
  OUTCOME_ASSIGN(const std::uint64_t available, Translated(vpc::AvailableAddresses(store, subnet)));
  return Counted{subnet.id, subnet, available};
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
        OUTCOME_TRY(FindVpc(options.network.store, *in.vpc_id));
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
  OUTCOME_ASSIGN(const Counted counted, Count(options.network.store, made));
  return api::CreateSubnetResult{.subnet = Write(counted, context)};
}

aws::Outcome<api::DescribeSubnetsResult> DescribeSubnets(const Ec2Options& options,
                                                         const aws::RequestContext& context,
                                                         const api::DescribeSubnetsRequest& in) {
  OUTCOME_ASSIGN(const auto subnets, Translated(vpc::List<vpc::Subnet>(options.network.store)));
  std::vector<Counted> counted;
  for (const vpc::Subnet& subnet : subnets) {
    OUTCOME_ASSIGN(Counted one, Count(options.network.store, subnet));
    counted.push_back(std::move(one));
  }
  OUTCOME_ASSIGN(const auto page,
                 Select<Counted>(std::move(counted), in.subnet_ids, in, kFilters,
                                 [&](const Counted& one) { return AttributesOf(one, context); }));
  api::DescribeSubnetsResult out;
  for (const Counted& one : page.records) out.subnets.push_back(Write(one, context));
  out.next_token = page.next_token;
  return out;
}

aws::Outcome<aws::Empty> DeleteSubnet(const Ec2Options& options,
                                      const api::DeleteSubnetRequest& in) {
  const std::string& id = *in.subnet_id;
  OUTCOME_TRY(
      Change(options.network.store, [&](store::Transaction& transaction) -> aws::Outcome<void> {
        OUTCOME_ASSIGN(const vpc::Subnet subnet, FindSubnet(options.network.store, id));
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
                                               const api::ModifySubnetAttributeRequest& in) {
  if (IsTrue(in.assign_ipv6_address_on_creation) || IsTrue(in.enable_dns64) ||
      IsTrue(in.enable_resource_name_dns_aaaa_record_on_launch))
    return aws::Refuse(Unsupported("AssignIpv6AddressOnCreation", "a VPC has IPv4 only."));
  if (IsTrue(in.map_customer_owned_ip_on_launch) || in.customer_owned_ipv4_pool ||
      in.enable_lni_at_device_index)
    return aws::Refuse(Unsupported("MapCustomerOwnedIpOnLaunch", "there are no Outposts."));
  if (IsTrue(in.enable_resource_name_dns_a_record_on_launch) ||
      in.private_dns_hostname_type_on_launch.value_or("ip-name") != "ip-name")
    return aws::Refuse(Unsupported("PrivateDnsHostnameTypeOnLaunch", "there is no VPC DNS."));
  const auto& map = in.map_public_ip_on_launch;
  OUTCOME_TRY(
      Change(options.network.store, [&](store::Transaction& transaction) -> aws::Outcome<void> {
        OUTCOME_ASSIGN(const vpc::Subnet subnet, FindSubnet(options.network.store, *in.subnet_id));
        if (!map || !map->value) return {};
        return Translated(vpc::ModifySubnet(options.network, transaction, subnet.id, *map->value));
      }));
  return aws::Empty{};
}

}  // namespace

void RegisterSubnets(aws::Service& service, const Ec2Options& options) {
  service.Register<api::CreateSubnet>([options](const auto& context, const auto& in) {
    return CreateSubnet(options, context, in);
  });
  service.Register<api::DescribeSubnets>([options](const auto& context, const auto& in) {
    return DescribeSubnets(options, context, in);
  });
  service.Register<api::DeleteSubnet>(
      [options](const auto&, const auto& in) { return DeleteSubnet(options, in); });
  service.Register<api::ModifySubnetAttribute>(
      [options](const auto&, const auto& in) { return ModifySubnetAttribute(options, in); });
}

}  // namespace howdah::services::ec2
