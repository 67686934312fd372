// NAT gateway operations. Records with an interface: nothing is translated.
#include <fmt/format.h>

#include "services/ec2/client_tokens.h"
#include "services/ec2/handlers.h"
#include "services/ec2/selection.h"
#include "services/ec2/serve.h"
#include "services/ec2/tags.h"
#include "vpc/gateways.h"

namespace howdah::services::ec2 {
namespace {

struct Row {
  vpc::NatGateway gateway;
  std::string_view state;
};

constexpr Column<Row> kColumns[] = {
    {"nat-gateway-id", [](const Row& row) { return row.gateway.id.str(); }},
    {"state", [](const Row& row) { return row.state; }},
    {"subnet-id", [](const Row& row) { return row.gateway.subnet.str(); }},
    {"vpc-id", [](const Row& row) { return row.gateway.vpc.str(); }}};

constexpr Resource<Row> kGateways = {.ids = "natGatewayIds",
                                     .columns = kColumns,
                                     .key = [](const Row& row) { return row.gateway.id.str(); },
                                     .tags = [](const Row& row) { return &row.gateway.tags; }};

api::NatGateway Write(const Row& row) {
  const vpc::NatGateway& gateway = row.gateway;
  const bool is_private = gateway.allocation.empty();
  api::NatGatewayAddress address;
  address.network_interface_id = gateway.interface.str();
  address.private_ip = gateway.private_address.ToString();
  address.is_primary = true;
  address.status = "succeeded";
  if (!is_private) {
    address.allocation_id = gateway.allocation.str();
    address.association_id = gateway.association;
    address.public_ip = gateway.public_address.value_or(network::Ipv4()).ToString();
  }
  api::NatGateway out;
  out.nat_gateway_id = gateway.id.str();
  out.vpc_id = gateway.vpc.str();
  out.subnet_id = gateway.subnet.str();
  out.state = std::string(row.state);
  out.create_time = gateway.created;
  out.delete_time = gateway.deleted;
  out.connectivity_type = is_private ? "private" : "public";
  out.nat_gateway_addresses.push_back(std::move(address));
  out.tags = WriteTags(gateway.tags);
  return out;
}

aws::Outcome<void> CheckServed(const api::CreateNatGatewayRequest& in) {
  if (in.availability_mode.value_or("zonal") != "zonal" || in.vpc_id ||
      !in.availability_zone_addresses.empty())
    return aws::Refuse(Unsupported("AvailabilityMode", "a NAT gateway is in one subnet."));
  if (!in.secondary_allocation_ids.empty() || !in.secondary_private_ip_addresses.empty() ||
      in.secondary_private_ip_address_count)
    return aws::Refuse(Unsupported("SecondaryAllocationIds", "a NAT gateway has one address."));
  if (!in.subnet_id)
    return aws::Refuse(aws::MissingParameter("The request must contain the parameter subnetId"));
  const bool is_private = in.connectivity_type.value_or("public") == "private";
  if (is_private && in.allocation_id)
    return aws::Refuse(aws::InvalidParameterCombination(
        "AllocationId cannot be used with the connectivity type private."));
  if (!is_private && !in.allocation_id)
    return aws::Refuse(
        aws::MissingParameter("The request must contain the parameter AllocationId"));
  return CheckClientToken(in.client_token);
}

aws::Outcome<vpc::NewNatGateway> ReadWish(const aws::RequestContext& context,
                                          const api::CreateNatGatewayRequest& in) {
  OUTCOME_TRY(CheckServed(in));
  vpc::NewNatGateway wish;
  wish.subnet = vpc::SubnetId(*in.subnet_id);
  wish.allocation = vpc::AllocationId(in.allocation_id.value_or(""));
  if (in.private_ip_address) {
    const auto parsed = network::Ipv4::Parse(*in.private_ip_address);
    if (!parsed)
      return aws::Refuse(
          InvalidValue(*in.private_ip_address, "privateIpAddress", "Not an IPv4 address."));
    wish.private_address = *parsed;
  }
  wish.client_token = in.client_token.value_or("");
  wish.now = context.now;
  OUTCOME_ASSIGN(wish.tags, ReadTagSpecifications(in.tag_specifications, "natgateway"));
  return wish;
}

aws::Outcome<vpc::NatGateway> Make(const Ec2Options& options, store::Transaction& transaction,
                                   const vpc::NewNatGateway& wish) {
  store::Store& store = options.network.store;
  OUTCOME_ASSIGN(const auto before, FindByToken<vpc::NatGateway>(store, wish.client_token));
  if (before) {
    const bool same = before->subnet == wish.subnet && before->allocation == wish.allocation &&
                      (!wish.private_address || before->private_address == *wish.private_address);
    if (!same) return aws::Refuse(TokenMismatch());
    return *before;
  }
  OUTCOME_TRY(Find<vpc::Subnet>(store, wish.subnet.str()));
  if (!wish.allocation.empty())
    OUTCOME_TRY(Find<vpc::ElasticAddress>(store, wish.allocation.str()));
  auto made = vpc::CreateNatGateway(options.network, transaction, wish);
  // What exists already is the wished private address, or else the association of the public one.
  const bool taken =
      wish.private_address && !made &&
      made.error().what().find(wish.private_address->ToString()) != std::string::npos;
  return Translated(
      std::move(made),
      {{Code::kAlreadyExists, taken ? "InvalidIPAddress.InUse" : "Resource.AlreadyAssociated"},
       {Code::kFailedState, "Gateway.NotAttached"},
       {Code::kExhausted, "InsufficientFreeAddressesInSubnet",
        fmt::format("The specified subnet does not have enough free addresses: '{}'.",
                    wish.subnet.str())}});
}

aws::Outcome<api::CreateNatGatewayResult> CreateNatGateway(const Ec2Options& options,
                                                           const aws::RequestContext& context,
                                                           const api::CreateNatGatewayRequest& in) {
  OUTCOME_ASSIGN(const vpc::NewNatGateway wish, ReadWish(context, in));
  vpc::NatGateway made;
  OUTCOME_TRY(
      Change(options.network.store, [&](store::Transaction& transaction) -> aws::Outcome<void> {
        OUTCOME_ASSIGN(made, Make(options, transaction, wish));
        return {};
      }));
  api::CreateNatGatewayResult out;
  out.client_token = in.client_token;
  out.nat_gateway = Write({made, vpc::StateOf(made, context.now).value_or("deleted")});
  return out;
}

aws::Outcome<api::DescribeNatGatewaysResult> DescribeNatGateways(
    const Ec2Options& options, const aws::RequestContext& context,
    const api::DescribeNatGatewaysRequest& in) {
  const auto& ids = in.nat_gateway_ids;
  OUTCOME_ASSIGN(const auto gateways, Load<vpc::NatGateway>(options.network.store, ids));
  std::vector<Row> rows;
  for (const vpc::NatGateway& gateway : gateways) {
    const auto state = vpc::StateOf(gateway, context.now);
    if (state) rows.push_back({gateway, *state});
    if (!state && !ids.empty())
      return aws::Refuse(NotFoundAs(vpc::kNatGatewayPrefix, gateway.id.str()));
  }
  OUTCOME_ASSIGN(const auto page, Select(kGateways, std::move(rows), in, !ids.empty()));
  api::DescribeNatGatewaysResult out;
  for (const Row& row : page.records) out.nat_gateways.push_back(Write(row));
  out.next_token = page.next_token;
  return out;
}

aws::Outcome<api::DeleteNatGatewayResult> DeleteNatGateway(const Ec2Options& options,
                                                           const aws::RequestContext& context,
                                                           const api::DeleteNatGatewayRequest& in) {
  store::Store& store = options.network.store;
  OUTCOME_TRY(Change(store, [&](store::Transaction& transaction) -> aws::Outcome<void> {
    OUTCOME_ASSIGN(const auto gateway, Find<vpc::NatGateway>(store, *in.nat_gateway_id));
    return Translated(vpc::DeleteNatGateway(options.network, transaction, gateway.id, context.now));
  }));
  return api::DeleteNatGatewayResult{.nat_gateway_id = in.nat_gateway_id};
}

}  // namespace

void RegisterNatGateways(aws::Service& service, const Ec2Options& options) {
  Serve<api::CreateNatGateway>(service, options, CreateNatGateway);
  Serve<api::DescribeNatGateways>(service, options, DescribeNatGateways);
  Serve<api::DeleteNatGateway>(service, options, DeleteNatGateway);
}

}  // namespace howdah::services::ec2
