// Routes, and which subnet has which table. Records: a route opens no way.
#include "vpc/routes.h"

#include <fmt/format.h>

#include "services/ec2/handlers.h"
#include "services/ec2/selection.h"
#include "services/ec2/serve.h"
#include "vpc/edge.h"

namespace howdah::services::ec2 {
namespace {

// What a route could go to on AWS and cannot here, because there are none: AWS's code and noun.
struct Elsewhere {
  const std::optional<std::string>& id;
  std::string_view code;
  std::string_view noun;
};

template <typename Input>
aws::Outcome<void> CheckTargets(const Input& in) {
  const Elsewhere elsewhere[] = {
      {in.instance_id, "InvalidInstanceID.NotFound", "instance ID"},
      {in.vpc_peering_connection_id, "InvalidVpcPeeringConnectionID.NotFound",
       "vpcPeeringConnection ID"},
      {in.transit_gateway_id, "InvalidTransitGatewayID.NotFound", "transitGateway ID"},
      {in.egress_only_internet_gateway_id, "InvalidGatewayID.NotFound", "gateway ID"},
      {in.vpc_endpoint_id, "InvalidVpcEndpointId.NotFound", "vpcEndpoint ID"},
      {in.local_gateway_id, "InvalidLocalGatewayID.NotFound", "localGateway ID"},
      {in.carrier_gateway_id, "InvalidCarrierGatewayID.NotFound", "carrierGateway ID"},
      {in.core_network_arn, "InvalidCoreNetworkArn.NotFound", "core network"},
      {in.odb_network_arn, "InvalidOdbNetworkArn.NotFound", "ODB network"}};
  for (const Elsewhere& one : elsewhere) {
    if (one.id)
      return aws::Refuse(std::string(one.code),
                         fmt::format("The {} '{}' does not exist", one.noun, *one.id));
  }
  const int given = int{in.gateway_id.has_value()} + int{in.nat_gateway_id.has_value()} +
                    int{in.network_interface_id.has_value()};
  if (given == 1) return {};
  return aws::Refuse(given == 0 ? aws::MissingParameter(
                                      "The request must contain a target of the route: gatewayId, "
                                      "natGatewayId or networkInterfaceId")
                                : aws::InvalidParameterCombination(
                                      "The request must contain exactly one target of the route"));
}

template <typename T>
aws::Outcome<std::string> FindTarget(store::Store& store, const std::string& id,
                                     std::string_view code, std::string_view noun) {
  auto found = Find<T>(store, id);
  if (found) return id;
  if (found.error().http_status >= 500) return aws::Refuse(std::move(found).error());
  return aws::Refuse(std::string(code), fmt::format("The {} '{}' does not exist", noun, id));
}

template <typename Input>
aws::Outcome<std::string> ReadTarget(store::Store& store, const Input& in) {
  OUTCOME_TRY(CheckTargets(in));
  if (in.network_interface_id) {
    OUTCOME_TRY(Find<vpc::Interface>(store, *in.network_interface_id));
    return *in.network_interface_id;
  }
  if (in.nat_gateway_id)
    return FindTarget<vpc::NatGateway>(store, *in.nat_gateway_id, "InvalidNatGatewayID.NotFound",
                                       "natGateway ID");
  return FindTarget<vpc::InternetGateway>(store, *in.gateway_id, "InvalidGatewayID.NotFound",
                                          "gateway ID");
}

// Exactly one of the forms of a destination.
template <typename Input>
aws::Outcome<std::string> ReadDestination(const Input& in) {
  if (in.destination_prefix_list_id)
    return aws::Refuse(
        "InvalidPrefixListID.NotFound",
        fmt::format("The prefix list ID '{}' does not exist", *in.destination_prefix_list_id));
  const auto& ipv4 = in.destination_cidr_block;
  const auto& ipv6 = in.destination_ipv6_cidr_block;
  if (ipv4.has_value() == ipv6.has_value())
    return aws::Refuse(aws::MissingParameter(
        "The request must contain exactly one of destinationCidrBlock, destinationIpv6CidrBlock, "
        "destinationPrefixListId"));
  const std::string& text = ipv4 ? *ipv4 : *ipv6;
  auto range = vpc::CanonicalRange(text);
  if (!range || (range->find(':') != std::string::npos) != ipv6.has_value())
    return aws::Refuse(InvalidValue(text,
                                    ipv4 ? "destinationCidrBlock" : "destinationIpv6CidrBlock",
                                    "This is not a valid CIDR block."));
  return *std::move(range);
}

template <typename Input>
aws::Outcome<vpc::Route> ReadRoute(store::Store& store, const Input& in) {
  vpc::Route route;
  OUTCOME_ASSIGN(route.destination, ReadDestination(in));
  OUTCOME_ASSIGN(route.target, ReadTarget(store, in));
  return route;
}

aws::Outcome<api::CreateRouteResult> CreateRoute(const Ec2Options& options,
                                                 const aws::RequestContext&,
                                                 const api::CreateRouteRequest& in) {
  store::Store& store = options.network.store;
  OUTCOME_TRY(Change(store, [&](store::Transaction& transaction) -> aws::Outcome<void> {
    OUTCOME_ASSIGN(const auto table, Find<vpc::RouteTable>(store, *in.route_table_id));
    OUTCOME_ASSIGN(const vpc::Route route, ReadRoute(store, in));
    return Translated(
        vpc::CreateRoute(options.network, transaction, table.id, route),
        {{Code::kAlreadyExists, "RouteAlreadyExists"}, {Code::kExhausted, "RouteLimitExceeded"}});
  }));
  return api::CreateRouteResult{.return_ = true};
}

aws::Outcome<aws::Empty> ReplaceRoute(const Ec2Options& options, const aws::RequestContext&,
                                      const api::ReplaceRouteRequest& in) {
  if (in.local_target.value_or(false))
    return aws::Refuse(Unsupported("LocalTarget", "the local route cannot be replaced."));
  store::Store& store = options.network.store;
  OUTCOME_TRY(Change(store, [&](store::Transaction& transaction) -> aws::Outcome<void> {
    OUTCOME_ASSIGN(const auto table, Find<vpc::RouteTable>(store, *in.route_table_id));
    OUTCOME_ASSIGN(const vpc::Route route, ReadRoute(store, in));
    return Translated(vpc::ReplaceRoute(options.network, transaction, table.id, route));
  }));
  return aws::Empty{};
}

aws::Outcome<aws::Empty> DeleteRoute(const Ec2Options& options, const aws::RequestContext&,
                                     const api::DeleteRouteRequest& in) {
  store::Store& store = options.network.store;
  OUTCOME_TRY(Change(store, [&](store::Transaction& transaction) -> aws::Outcome<void> {
    OUTCOME_ASSIGN(const auto table, Find<vpc::RouteTable>(store, *in.route_table_id));
    OUTCOME_ASSIGN(const std::string destination, ReadDestination(in));
    return Translated(vpc::DeleteRoute(options.network, transaction, table.id, destination),
                      {{Code::kNotFound, "InvalidRoute.NotFound"}});
  }));
  return aws::Empty{};
}

aws::Outcome<api::AssociateRouteTableResult> AssociateRouteTable(
    const Ec2Options& options, const aws::RequestContext&,
    const api::AssociateRouteTableRequest& in) {
  if (in.gateway_id || in.public_ipv4_pool)
    return aws::Refuse(Unsupported("GatewayId", "a table is associated with subnets only."));
  if (!in.subnet_id)
    return aws::Refuse(aws::MissingParameter("The request must contain the parameter subnetId"));
  store::Store& store = options.network.store;
  api::AssociateRouteTableResult out;
  OUTCOME_TRY(Change(store, [&](store::Transaction& transaction) -> aws::Outcome<void> {
    OUTCOME_ASSIGN(const auto table, Find<vpc::RouteTable>(store, *in.route_table_id));
    OUTCOME_ASSIGN(const auto subnet, Find<vpc::Subnet>(store, *in.subnet_id));
    OUTCOME_ASSIGN(
        out.association_id,
        Translated(vpc::AssociateRouteTable(options.network, transaction, table.id, subnet.id),
                   {{Code::kAlreadyExists, "Resource.AlreadyAssociated"}}));
    return {};
  }));
  out.association_state = api::RouteTableAssociationState{.state = "associated"};
  return out;
}

aws::Fault NoAssociation(const std::string& id) {
  return {"InvalidAssociationID.NotFound", 400,
          fmt::format("The association ID '{}' does not exist", id), true};
}

aws::Outcome<aws::Empty> DisassociateRouteTable(const Ec2Options& options,
                                                const aws::RequestContext&,
                                                const api::DisassociateRouteTableRequest& in) {
  const aws::Fault missing = NoAssociation(*in.association_id);
  OUTCOME_TRY(
      Change(options.network.store, [&](store::Transaction& transaction) -> aws::Outcome<void> {
        return Translated(
            vpc::DisassociateRouteTable(options.network, transaction, *in.association_id),
            {{Code::kNotFound, missing.code, missing.message}});
      }));
  return aws::Empty{};
}

aws::Outcome<api::ReplaceRouteTableAssociationResult> ReplaceRouteTableAssociation(
    const Ec2Options& options, const aws::RequestContext&,
    const api::ReplaceRouteTableAssociationRequest& in) {
  const aws::Fault missing = NoAssociation(*in.association_id);
  store::Store& store = options.network.store;
  api::ReplaceRouteTableAssociationResult out;
  OUTCOME_TRY(Change(store, [&](store::Transaction& transaction) -> aws::Outcome<void> {
    OUTCOME_ASSIGN(const auto table, Find<vpc::RouteTable>(store, *in.route_table_id));
    OUTCOME_ASSIGN(out.new_association_id,
                   Translated(vpc::ReplaceRouteTableAssociation(options.network, transaction,
                                                                *in.association_id, table.id),
                              {{Code::kNotFound, missing.code, missing.message}}));
    return {};
  }));
  out.association_state = api::RouteTableAssociationState{.state = "associated"};
  return out;
}

}  // namespace

void RegisterRoutes(aws::Service& service, const Ec2Options& options) {
  Serve<api::CreateRoute>(service, options, CreateRoute);
  Serve<api::ReplaceRoute>(service, options, ReplaceRoute);
  Serve<api::DeleteRoute>(service, options, DeleteRoute);
  Serve<api::AssociateRouteTable>(service, options, AssociateRouteTable);
  Serve<api::DisassociateRouteTable>(service, options, DisassociateRouteTable);
  Serve<api::ReplaceRouteTableAssociation>(service, options, ReplaceRouteTableAssociation);
}

}  // namespace howdah::services::ec2
