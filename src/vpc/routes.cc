// Route tables. A table counts the subnets that are associated with it, and its VPC counts every
// table but the main one: neither is deleted while it is used.
#include "vpc/routes.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "vpc/edge.h"

namespace howdah::vpc {
namespace {

Result<> DifferentNetworks(const RouteTableId& table, std::string_view what, std::string_view id) {
  return Fail(Code::kInvalid, fmt::format("route table {} and {} {} belong to different networks",
                                          table.str(), what, id));
}

Result<> CheckTarget(Draft& draft, const RouteTable& table, const std::string& target) {
  VpcId vpc;
  std::string_view what = "interface";
  if (target.starts_with(kInternetGatewayPrefix)) {
    TRY_ASSIGN(const auto gateway, draft.Load<InternetGateway>(InternetGatewayId(target)));
    vpc = gateway.vpc;
    what = "network gateway";
  } else if (target.starts_with(kNatGatewayPrefix)) {
    TRY_ASSIGN(const auto gateway, draft.Load<NatGateway>(NatGatewayId(target)));
    if (gateway.deleted) return Fail(Code::kNotFound, target + " is deleted");
    vpc = gateway.vpc;
    what = "nat gateway";
  } else {
    TRY_ASSIGN(const auto interface, draft.Load<Interface>(InterfaceId(target)));
    vpc = interface.vpc;
  }
  return vpc == table.vpc ? Result<>() : DifferentNetworks(table.id, what, target);
}

Result<> CheckDestination(Draft& draft, const RouteTable& table, const std::string& destination) {
  const auto range = network::Cidr::Parse(destination);
  if (!range) return {};  // of IPv6: no VPC has such a range
  TRY_ASSIGN(const Vpc vpc, draft.Load<Vpc>(table.vpc));
  if (!vpc.cidr.Contains(*range)) return {};
  return Fail(Code::kInvalid,
              fmt::format("The destination CIDR block {} is equal to or more specific than one of "
                          "this VPC's CIDR blocks. This route can target only an interface or an "
                          "instance.",
                          destination));
}

auto FindRoute(RouteTable& table, const std::string& destination) {
  return std::ranges::find(table.routes, destination, &Route::destination);
}

// The subnet with this explicit association, if one has it.
Result<std::optional<Subnet>> AssociatedSubnet(Draft& draft, const std::string& association) {
  TRY_ASSIGN(const std::vector<Subnet> subnets, draft.LoadAll<Subnet>());
  const auto found = std::ranges::find(subnets, association, &Subnet::route_association);
  if (association.empty() || found == subnets.end()) return std::nullopt;
  // Once more by its key, so that the commit compares it.
  TRY_ASSIGN(Subnet subnet, draft.Load<Subnet>(found->id));
  return subnet;
}

// The main table with this association.
Result<RouteTable> MainTable(Draft& draft, const std::string& association) {
  TRY_ASSIGN(const std::vector<RouteTable> tables, draft.LoadAll<RouteTable>());
  const auto found = std::ranges::find(tables, association, &RouteTable::association);
  if (association.empty() || found == tables.end())
    return Fail(Code::kNotFound,
                fmt::format("The association ID '{}' does not exist", association));
  return draft.Load<RouteTable>(found->id);
}

Result<> Count(Draft& draft, const RouteTableId& id, int by) {
  TRY_ASSIGN(RouteTable table, draft.Load<RouteTable>(id));
  table.uses += by;
  draft.Save(table);
  return {};
}

Result<std::string> Associate(const Context& context, Draft& draft, const RouteTableId& id,
                              Subnet& subnet) {
  TRY_ASSIGN(const RouteTable table, draft.Load<RouteTable>(id));
  if (table.vpc != subnet.vpc) TRY(DifferentNetworks(id, "subnet", subnet.id.str()));
  TRY(Count(draft, id, +1));
  subnet.route_table = id;
  subnet.route_association = NewId(context.entropy, "rtbassoc-");
  draft.Save(subnet);
  return subnet.route_association;
}

Result<std::string> MoveMain(const Context& context, Draft& draft, RouteTable from,
                             const RouteTableId& to) {
  TRY_ASSIGN(RouteTable table, draft.Load<RouteTable>(to));
  if (table.vpc != from.vpc) TRY(DifferentNetworks(to, "network", from.vpc.str()));
  TRY_ASSIGN(Vpc vpc, draft.Load<Vpc>(from.vpc));
  from.association.clear();
  draft.Save(from);
  TRY_ASSIGN(table, draft.Load<RouteTable>(to));  // `from` again, when it stays the main one
  table.association = NewId(context.entropy, "rtbassoc-");
  draft.Save(table);
  vpc.route_table = to;
  draft.Save(vpc);
  return table.association;
}

}  // namespace

Result<std::string> CanonicalRange(const std::string& text) {
  if (text.find(':') != std::string::npos) {
    TRY_ASSIGN(const network::Cidr6 range, network::Cidr6::Parse(text));
    return range.ToString();
  }
  TRY_ASSIGN(const network::Cidr range, network::Cidr::Parse(text));
  return range.ToString();
}

Result<RouteTable> CreateRouteTable(const Context& context, store::Transaction& transaction,
                                    const NewRouteTable& wish) {
  Draft draft(context.store, transaction);
  TRY_ASSIGN(Vpc vpc, draft.Load<Vpc>(wish.vpc));
  RouteTable table;
  table.id = RouteTableId(NewId(context.entropy, kRouteTablePrefix));
  table.vpc = wish.vpc;
  table.client_token = wish.client_token;
  table.tags = wish.tags;
  if (!wish.client_token.empty()) {
    TRY(draft.Create(TokenKey(kRouteTablePrefix, wish.client_token),
                     json::serialize(json::object{{"id", table.id.str()}})));
  }
  TRY(draft.Add(table));
  ++vpc.uses;
  draft.Save(vpc);
  return table;
}

Result<> DeleteRouteTable(const Context& context, store::Transaction& transaction,
                          const RouteTableId& id) {
  Draft draft(context.store, transaction);
  TRY_ASSIGN(const RouteTable table, draft.Load<RouteTable>(id));
  if (table.uses > 0 || !table.association.empty())
    return Fail(
        Code::kInUse,
        fmt::format("The routeTable '{}' has dependencies and cannot be deleted.", id.str()));
  TRY_ASSIGN(Vpc vpc, draft.Load<Vpc>(table.vpc));
  --vpc.uses;
  draft.Save(vpc);
  if (!table.client_token.empty()) draft.Erase(TokenKey(kRouteTablePrefix, table.client_token));
  draft.Remove(table);
  return {};
}

Result<> CreateRoute(const Context& context, store::Transaction& transaction,
                     const RouteTableId& id, const Route& route) {
  Draft draft(context.store, transaction);
  TRY_ASSIGN(RouteTable table, draft.Load<RouteTable>(id));
  TRY(CheckDestination(draft, table, route.destination));
  TRY(CheckTarget(draft, table, route.target));
  if (FindRoute(table, route.destination) != table.routes.end())
    return Fail(Code::kAlreadyExists,
                fmt::format("The route identified by {} already exists.", route.destination));
  if (table.routes.size() >= kMaxRoutesPerTable)
    return Fail(Code::kExhausted,
                fmt::format("The maximum limit is reached for the number of routes in route table "
                            "with id {}",
                            id.str()));
  table.routes.push_back(route);
  draft.Save(table);
  return {};
}

Result<> ReplaceRoute(const Context& context, store::Transaction& transaction,
                      const RouteTableId& id, const Route& route) {
  Draft draft(context.store, transaction);
  TRY_ASSIGN(RouteTable table, draft.Load<RouteTable>(id));
  TRY(CheckDestination(draft, table, route.destination));
  TRY(CheckTarget(draft, table, route.target));
  const auto found = FindRoute(table, route.destination);
  if (found == table.routes.end())
    return Fail(Code::kInvalid, fmt::format("There is no route defined for '{}' in the route "
                                            "table. Use CreateRoute instead.",
                                            route.destination));
  *found = route;
  draft.Save(table);
  return {};
}

Result<> DeleteRoute(const Context& context, store::Transaction& transaction,
                     const RouteTableId& id, const std::string& destination) {
  Draft draft(context.store, transaction);
  TRY_ASSIGN(RouteTable table, draft.Load<RouteTable>(id));
  TRY_ASSIGN(const Vpc vpc, draft.Load<Vpc>(table.vpc));
  if (destination == vpc.cidr.ToString())
    return Fail(Code::kInvalid, fmt::format("cannot remove local route {} in route table {}",
                                            destination, id.str()));
  const auto found = FindRoute(table, destination);
  if (found == table.routes.end())
    return Fail(Code::kNotFound,
                fmt::format("no route with destination-cidr-block {} in route table {}",
                            destination, id.str()));
  table.routes.erase(found);
  draft.Save(table);
  return {};
}

Result<std::string> AssociateRouteTable(const Context& context, store::Transaction& transaction,
                                        const RouteTableId& table, const SubnetId& subnet_id) {
  Draft draft(context.store, transaction);
  TRY_ASSIGN(Subnet subnet, draft.Load<Subnet>(subnet_id));
  if (!subnet.route_table.empty())
    return Fail(Code::kAlreadyExists,
                fmt::format("the specified association for route table {} conflicts with an "
                            "existing association",
                            table.str()));
  return Associate(context, draft, table, subnet);
}

Result<> ForgetRouteTable(Draft& draft, const Subnet& subnet) {
  return subnet.route_table.empty() ? Result<>() : Count(draft, subnet.route_table, -1);
}

Result<> DisassociateRouteTable(const Context& context, store::Transaction& transaction,
                                const std::string& association) {
  Draft draft(context.store, transaction);
  TRY_ASSIGN(std::optional<Subnet> subnet, AssociatedSubnet(draft, association));
  if (!subnet) {
    TRY(MainTable(draft, association));
    return Fail(
        Code::kInvalid,
        fmt::format("cannot disassociate the main route table association {}", association));
  }
  TRY(ForgetRouteTable(draft, *subnet));
  subnet->route_table = {};
  subnet->route_association.clear();
  draft.Save(*subnet);
  return {};
}

Result<std::string> ReplaceRouteTableAssociation(const Context& context,
                                                 store::Transaction& transaction,
                                                 const std::string& association,
                                                 const RouteTableId& table) {
  Draft draft(context.store, transaction);
  TRY_ASSIGN(std::optional<Subnet> subnet, AssociatedSubnet(draft, association));
  if (subnet) {
    TRY(ForgetRouteTable(draft, *subnet));
    return Associate(context, draft, table, *subnet);
  }
  TRY_ASSIGN(RouteTable main, MainTable(draft, association));
  return MoveMain(context, draft, std::move(main), table);
}

}  // namespace howdah::vpc
