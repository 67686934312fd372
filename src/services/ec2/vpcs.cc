// VPC operations.
#include "vpc/vpcs.h"

#include <fmt/format.h>

#include "services/ec2/handlers.h"
#include "services/ec2/selection.h"
#include "services/ec2/serve.h"
#include "services/ec2/tags.h"

namespace howdah::services::ec2 {
namespace {

// There are no DHCP options: AWS's word for a VPC without any.
constexpr const char* kNoDhcpOptions = "default";

struct Row {
  vpc::Vpc vpc;
  std::string account;
};

constexpr auto kRange = [](const Row& row) { return row.vpc.cidr.ToString(); };
constexpr auto kDhcpOptions = [](const Row&) { return kNoDhcpOptions; };
constexpr auto kIsDefault = [](const Row& row) { return row.vpc.is_default; };

constexpr Column<Row> kColumns[] = {
    {"cidr", kRange},
    {"cidr-block", kRange},
    {"cidrBlock", kRange},
    {"cidr-block-association.association-id",
     [](const Row& row) { return row.vpc.cidr_association; }},
    {"cidr-block-association.cidr-block", kRange},
    {"cidr-block-association.state", [](const Row&) { return "associated"; }},
    {"dhcp-options-id", kDhcpOptions},
    {"dhcpOptionsId", kDhcpOptions},
    {"ipv6-cidr-block-association.association-id", nullptr},
    {"ipv6-cidr-block-association.ipv6-cidr-block", nullptr},
    {"ipv6-cidr-block-association.ipv6-pool", nullptr},
    {"ipv6-cidr-block-association.state", nullptr},
    {"is-default", kIsDefault},
    {"isDefault", kIsDefault},
    {"owner-id", [](const Row& row) { return row.account; }},
    {"state", [](const Row&) { return "available"; }},
    {"vpc-id", [](const Row& row) { return row.vpc.id.str(); }}};

constexpr Resource<Row> kVpcs = {.ids = "vpcIds",
                                 .columns = kColumns,
                                 .key = [](const Row& row) { return row.vpc.id.str(); },
                                 .tags = [](const Row& row) { return &row.vpc.tags; }};

api::Vpc Write(const vpc::Vpc& vpc, const std::string& account) {
  api::Vpc out;
  out.vpc_id = vpc.id.str();
  out.owner_id = account;
  out.state = "available";
  out.cidr_block = vpc.cidr.ToString();
  out.instance_tenancy = "default";
  out.is_default = vpc.is_default;
  out.dhcp_options_id = kNoDhcpOptions;
  out.tags = WriteTags(vpc.tags);
  out.cidr_block_association_set.push_back(
      {.association_id = vpc.cidr_association,
       .cidr_block = vpc.cidr.ToString(),
       .cidr_block_state = api::VpcCidrBlockState{.state = "associated"}});
  return out;
}

aws::Outcome<void> CheckServed(const api::CreateVpcRequest& in) {
  if (in.instance_tenancy.value_or("default") != "default")
    return aws::Refuse(InvalidValue(*in.instance_tenancy, "instanceTenancy",
                                    "Hardware is not dedicated here: only 'default' is served."));
  if (in.amazon_provided_ipv6_cidr_block.value_or(false) || in.ipv6_cidr_block || in.ipv6_pool ||
      in.ipv6_ipam_pool_id || in.ipv6_netmask_length)
    return aws::Refuse(Unsupported("AmazonProvidedIpv6CidrBlock", "a VPC has IPv4 only."));
  if (in.ipv4_ipam_pool_id || in.ipv4_netmask_length)
    return aws::Refuse(Unsupported("Ipv4IpamPoolId", "there are no IPAM pools; give CidrBlock."));
  if (in.vpc_encryption_control)
    return aws::Refuse(Unsupported("VpcEncryptionControl", "traffic in a VPC stays on the host."));
  if (!in.cidr_block)
    return aws::Refuse(aws::MissingParameter("The request must contain the parameter cidrBlock"));
  return {};
}

aws::Outcome<api::CreateVpcResult> CreateVpc(const Ec2Options& options,
                                             const aws::RequestContext& context,
                                             const api::CreateVpcRequest& in) {
  OUTCOME_TRY(CheckServed(in));
  OUTCOME_ASSIGN(const vpc::Tags tags, ReadTagSpecifications(in.tag_specifications, "vpc"));
  const auto cidr = network::Cidr::Parse(*in.cidr_block);
  if (!cidr)
    return aws::Refuse(
        InvalidValue(*in.cidr_block, "cidrBlock", "This is not a valid CIDR block."));
  vpc::Vpc made;
  OUTCOME_TRY(
      Change(options.network.store, [&](store::Transaction& transaction) -> aws::Outcome<void> {
        auto vpc = vpc::CreateVpc(options.network, transaction, {.cidr = *cidr, .tags = tags});
        if (!vpc && vpc.error().code() == Code::kInvalid)
          return aws::Refuse("InvalidVpc.Range", fmt::format("The CIDR '{}' is invalid: {}.",
                                                             *in.cidr_block, vpc.error().what()));
        OUTCOME_ASSIGN(made, Translated(std::move(vpc)));
        return {};
      }));
  return api::CreateVpcResult{.vpc = Write(made, context.account_id)};
}

aws::Outcome<api::DescribeVpcsResult> DescribeVpcs(const Ec2Options& options,
                                                   const aws::RequestContext& context,
                                                   const api::DescribeVpcsRequest& in) {
  OUTCOME_ASSIGN(const auto vpcs, Load<vpc::Vpc>(options.network.store, in.vpc_ids));
  std::vector<Row> rows;
  for (const vpc::Vpc& vpc : vpcs) rows.push_back({vpc, context.account_id});
  OUTCOME_ASSIGN(const auto page, Select(kVpcs, std::move(rows), in, !in.vpc_ids.empty()));
  api::DescribeVpcsResult out;
  for (const Row& row : page.records) out.vpcs.push_back(Write(row.vpc, row.account));
  out.next_token = page.next_token;
  return out;
}

aws::Outcome<api::CreateDefaultVpcResult> CreateDefaultVpc(const Ec2Options& options,
                                                           const aws::RequestContext& context,
                                                           const api::CreateDefaultVpcRequest&) {
  vpc::Vpc made;
  OUTCOME_TRY(
      Change(options.network.store, [&](store::Transaction& transaction) -> aws::Outcome<void> {
        auto vpc = vpc::CreateDefaultVpc(options.network, transaction);
        if (!vpc && vpc.error().code() == Code::kInvalid)
          return aws::Refuse("InvalidVpc.Range", vpc.error().what());
        OUTCOME_ASSIGN(
            made, Translated(std::move(vpc), {{Code::kAlreadyExists, "DefaultVpcAlreadyExists"}}));
        return {};
      }));
  return api::CreateDefaultVpcResult{.vpc = Write(made, context.account_id)};
}

aws::Outcome<aws::Empty> DeleteVpc(const Ec2Options& options, const aws::RequestContext&,
                                   const api::DeleteVpcRequest& in) {
  const std::string& id = *in.vpc_id;
  OUTCOME_TRY(
      Change(options.network.store, [&](store::Transaction& transaction) -> aws::Outcome<void> {
        OUTCOME_ASSIGN(const vpc::Vpc vpc, Find<vpc::Vpc>(options.network.store, id));
        return Translated(
            vpc::DeleteVpc(options.network, transaction, vpc.id),
            {{Code::kInUse, "DependencyViolation",
              fmt::format("The vpc '{}' has dependencies and cannot be deleted.", id)}});
      }));
  return aws::Empty{};
}

std::optional<bool> ValueOf(const std::optional<api::AttributeBooleanValue>& attribute) {
  return attribute ? attribute->value : std::nullopt;
}

aws::Outcome<aws::Empty> ModifyVpcAttribute(const Ec2Options& options, const aws::RequestContext&,
                                            const api::ModifyVpcAttributeRequest& in) {
  const vpc::VpcChange change{.dns_support = ValueOf(in.enable_dns_support),
                              .dns_hostnames = ValueOf(in.enable_dns_hostnames),
                              .usage_metrics = ValueOf(in.enable_network_address_usage_metrics)};
  const int given = int{change.dns_support.has_value()} + int{change.dns_hostnames.has_value()} +
                    int{change.usage_metrics.has_value()};
  if (given == 0)
    return aws::Refuse(aws::MissingParameter("The request must contain an attribute to modify"));
  if (given > 1)
    return aws::Refuse(aws::InvalidParameterCombination(
        "Fields for multiple attribute types specified: one attribute a request"));
  if (change.usage_metrics.value_or(false))
    return aws::Refuse(
        Unsupported("EnableNetworkAddressUsageMetrics", "no metrics of address usage are kept."));
  OUTCOME_TRY(
      Change(options.network.store, [&](store::Transaction& transaction) -> aws::Outcome<void> {
        OUTCOME_ASSIGN(const vpc::Vpc vpc, Find<vpc::Vpc>(options.network.store, *in.vpc_id));
        return Translated(vpc::ModifyVpc(options.network, transaction, vpc.id, change));
      }));
  return aws::Empty{};
}

aws::Outcome<api::DescribeVpcAttributeResult> DescribeVpcAttribute(
    const Ec2Options& options, const aws::RequestContext&,
    const api::DescribeVpcAttributeRequest& in) {
  OUTCOME_ASSIGN(const vpc::Vpc vpc, Find<vpc::Vpc>(options.network.store, *in.vpc_id));
  const std::string& attribute = *in.attribute;
  api::DescribeVpcAttributeResult out{.vpc_id = vpc.id.str()};
  if (attribute == "enableDnsSupport") {
    out.enable_dns_support = api::AttributeBooleanValue{.value = vpc.dns_support};
  } else if (attribute == "enableDnsHostnames") {
    out.enable_dns_hostnames = api::AttributeBooleanValue{.value = vpc.dns_hostnames};
  } else if (attribute == "enableNetworkAddressUsageMetrics") {
    out.enable_network_address_usage_metrics =
        api::AttributeBooleanValue{.value = vpc.usage_metrics};
  } else {
    return aws::Refuse(InvalidValue(attribute, "attribute", "Unknown attribute."));
  }
  return out;
}

}  // namespace

void RegisterVpcs(aws::Service& service, const Ec2Options& options) {
  Serve<api::CreateVpc>(service, options, CreateVpc);
  Serve<api::CreateDefaultVpc>(service, options, CreateDefaultVpc);
  Serve<api::DescribeVpcs>(service, options, DescribeVpcs);
  Serve<api::DeleteVpc>(service, options, DeleteVpc);
  Serve<api::ModifyVpcAttribute>(service, options, ModifyVpcAttribute);
  Serve<api::DescribeVpcAttribute>(service, options, DescribeVpcAttribute);
}

}  // namespace howdah::services::ec2
