// Route tables as clients see them: made, listed, deleted. Records: nothing is routed.
#include <algorithm>
#include <map>

#include "services/ec2/client_tokens.h"
#include "services/ec2/handlers.h"
#include "services/ec2/selection.h"
#include "services/ec2/serve.h"
#include "services/ec2/tags.h"
#include "vpc/edge.h"
#include "vpc/routes.h"

namespace howdah::services::ec2 {
namespace {

struct RouteRow {
  vpc::Route route;
  bool active = true;  // the target is there
  bool local = false;
};

// A table with what is known about it from elsewhere.
struct Row {
  vpc::RouteTable table;
  std::vector<RouteRow> routes;      // the local one first
  std::vector<vpc::Subnet> subnets;  // that are associated with it
  std::string account;
};

using Said = std::optional<std::string>;

template <Said (*tell)(const RouteRow& route)>
constexpr auto kOfRoutes = [](const Row& row) {
  std::vector<std::string> texts;
  for (const RouteRow& route : row.routes)
    if (const Said text = tell(route)) texts.push_back(*text);
  return texts;
};

bool IsIpv6(const vpc::Route& route) {
  return route.destination.find(':') != std::string::npos;
}
Said If(bool is, const std::string& text) {
  return is ? Said(text) : std::nullopt;
}
Said TellRange(const RouteRow& row) {
  return If(!IsIpv6(row.route), row.route.destination);
}
Said TellRange6(const RouteRow& row) {
  return If(IsIpv6(row.route), row.route.destination);
}
Said TellGateway(const RouteRow& row) {
  return If(row.local || row.route.target.starts_with(vpc::kInternetGatewayPrefix),
            row.route.target);
}
Said TellNatGateway(const RouteRow& row) {
  return If(row.route.target.starts_with(vpc::kNatGatewayPrefix), row.route.target);
}
Said TellInterface(const RouteRow& row) {
  return If(row.route.target.starts_with(vpc::kInterfacePrefix), row.route.target);
}
Said TellOrigin(const RouteRow& row) {
  return row.local ? "CreateRouteTable" : "CreateRoute";
}
Said TellState(const RouteRow& row) {
  return row.active ? "active" : "blackhole";
}

// What the associations say: that as the main table, and those with subnets.
template <typename OfMain, typename OfSubnet>
constexpr auto OfAssociations(OfMain, OfSubnet) {
  return [](const Row& row) {
    std::vector<std::string> texts;
    if (!row.table.association.empty()) texts.push_back(OfMain{}(row.table));
    for (const vpc::Subnet& subnet : row.subnets) texts.push_back(OfSubnet{}(subnet));
    return texts;
  };
}

constexpr Column<Row> kColumns[] = {
    {"association.gateway-id", nullptr},
    {"association.main", OfAssociations([](const vpc::RouteTable&) { return "true"; },
                                        [](const vpc::Subnet&) { return "false"; })},
    {"association.route-table-association-id",
     OfAssociations([](const vpc::RouteTable& table) { return table.association; },
                    [](const vpc::Subnet& subnet) { return subnet.route_association; })},
    {"association.route-table-id",
     OfAssociations([](const vpc::RouteTable& table) { return table.id.str(); },
                    [](const vpc::Subnet& subnet) { return subnet.route_table.str(); })},
    {"association.subnet-id",
     [](const Row& row) {
       std::vector<std::string> ids;
       for (const vpc::Subnet& subnet : row.subnets) ids.push_back(subnet.id.str());
       return ids;
     }},
    {"owner-id", [](const Row& row) { return row.account; }},
    {"route-table-id", [](const Row& row) { return row.table.id.str(); }},
    {"route.destination-cidr-block", kOfRoutes<TellRange>},
    {"route.destination-ipv6-cidr-block", kOfRoutes<TellRange6>},
    {"route.destination-prefix-list-id", nullptr},
    {"route.egress-only-internet-gateway-id", nullptr},
    {"route.gateway-id", kOfRoutes<TellGateway>},
    {"route.instance-id", nullptr},
    {"route.nat-gateway-id", kOfRoutes<TellNatGateway>},
    {"route.origin", kOfRoutes<TellOrigin>},
    {"route.state", kOfRoutes<TellState>},
    {"route.transit-gateway-id", nullptr},
    {"route.vpc-peering-connection-id", nullptr},
    {"vpc-id", [](const Row& row) { return row.table.vpc.str(); }}};

constexpr Resource<Row> kTables = {.ids = "routeTableIds",
                                   .columns = kColumns,
                                   .key = [](const Row& row) { return row.table.id.str(); },
                                   .tags = [](const Row& row) { return &row.table.tags; }};

api::Route Write(const RouteRow& row) {
  api::Route out;
  out.destination_cidr_block = TellRange(row);
  out.destination_ipv6_cidr_block = TellRange6(row);
  out.gateway_id = TellGateway(row);
  out.nat_gateway_id = TellNatGateway(row);
  out.network_interface_id = TellInterface(row);
  out.origin = TellOrigin(row);
  out.state = TellState(row);
  return out;
}

api::RouteTable Write(const Row& row) {
  const vpc::RouteTable& table = row.table;
  const api::RouteTableAssociationState associated{.state = "associated"};
  api::RouteTable out;
  out.route_table_id = table.id.str();
  out.vpc_id = table.vpc.str();
  out.owner_id = row.account;
  out.tags = WriteTags(table.tags);
  if (!table.association.empty())
    out.associations.push_back({.main = true,
                                .route_table_association_id = table.association,
                                .route_table_id = table.id.str(),
                                .association_state = associated});
  for (const vpc::Subnet& subnet : row.subnets)
    out.associations.push_back({.main = false,
                                .route_table_association_id = subnet.route_association,
                                .route_table_id = table.id.str(),
                                .subnet_id = subnet.id.str(),
                                .association_state = associated});
  for (const RouteRow& route : row.routes) out.routes.push_back(Write(route));
  return out;
}

// Whether targets of routes are there; each is looked for once.
class Targets {
 public:
  explicit Targets(store::Store& store) : store_(store) {}

  bool IsThere(const std::string& target, const vpc::VpcId& vpc) {
    const std::string key = target + " " + vpc.str();
    const auto known = known_.find(key);
    if (known != known_.end()) return known->second;
    return known_[key] = Look(target, vpc);
  }

 private:
  bool Look(const std::string& target, const vpc::VpcId& vpc) {
    if (target.starts_with(vpc::kInternetGatewayPrefix)) {
      const auto found = vpc::Get<vpc::InternetGateway>(store_, vpc::InternetGatewayId(target));
      return found && found->vpc == vpc;
    }
    if (target.starts_with(vpc::kNatGatewayPrefix)) {
      const auto found = vpc::Get<vpc::NatGateway>(store_, vpc::NatGatewayId(target));
      return found && !found->deleted;
    }
    return vpc::Get<vpc::Interface>(store_, vpc::InterfaceId(target)).has_value();
  }

  store::Store& store_;
  std::map<std::string, bool> known_;
};

aws::Outcome<std::vector<Row>> RowsOf(store::Store& store, const std::string& account,
                                      const std::vector<vpc::RouteTable>& tables) {
  std::vector<vpc::Subnet> subnets;
  if (std::ranges::any_of(tables, [](const vpc::RouteTable& table) { return table.uses > 0; })) {
    OUTCOME_ASSIGN(subnets, Translated(vpc::List<vpc::Subnet>(store)));
  }
  std::map<vpc::RouteTableId, std::vector<vpc::Subnet>> by_table;
  for (const vpc::Subnet& subnet : subnets)
    if (!subnet.route_table.empty()) by_table[subnet.route_table].push_back(subnet);
  Targets targets(store);
  std::map<vpc::VpcId, std::string> ranges;
  std::vector<Row> rows;
  for (const vpc::RouteTable& table : tables) {
    if (!ranges.contains(table.vpc)) {
      OUTCOME_ASSIGN(const vpc::Vpc vpc, Find<vpc::Vpc>(store, table.vpc.str()));
      ranges[table.vpc] = vpc.cidr.ToString();
    }
    Row row{table, {}, by_table[table.id], account};
    row.routes.push_back({{ranges[table.vpc], "local"}, true, true});
    for (const vpc::Route& route : table.routes)
      row.routes.push_back({route, targets.IsThere(route.target, table.vpc), false});
    rows.push_back(std::move(row));
  }
  return rows;
}

aws::Outcome<api::DescribeRouteTablesResult> DescribeRouteTables(
    const Ec2Options& options, const aws::RequestContext& context,
    const api::DescribeRouteTablesRequest& in) {
  store::Store& store = options.network.store;
  OUTCOME_ASSIGN(const auto tables, Load<vpc::RouteTable>(store, in.route_table_ids));
  OUTCOME_ASSIGN(auto rows, RowsOf(store, context.account_id, tables));
  OUTCOME_ASSIGN(const auto page,
                 Select(kTables, std::move(rows), in, !in.route_table_ids.empty()));
  api::DescribeRouteTablesResult out;
  for (const Row& row : page.records) out.route_tables.push_back(Write(row));
  out.next_token = page.next_token;
  return out;
}

aws::Outcome<vpc::RouteTable> Make(const Ec2Options& options, store::Transaction& transaction,
                                   const vpc::NewRouteTable& wish) {
  store::Store& store = options.network.store;
  OUTCOME_ASSIGN(const auto before, FindByToken<vpc::RouteTable>(store, wish.client_token));
  if (before && before->vpc != wish.vpc) return aws::Refuse(TokenMismatch());
  if (before) return *before;
  OUTCOME_TRY(Find<vpc::Vpc>(store, wish.vpc.str()));
  return Translated(vpc::CreateRouteTable(options.network, transaction, wish));
}

aws::Outcome<api::CreateRouteTableResult> CreateRouteTable(const Ec2Options& options,
                                                           const aws::RequestContext& context,
                                                           const api::CreateRouteTableRequest& in) {
  OUTCOME_TRY(CheckClientToken(in.client_token));
  vpc::NewRouteTable wish{
      .vpc = vpc::VpcId(*in.vpc_id), .client_token = in.client_token.value_or(""), .tags = {}};
  OUTCOME_ASSIGN(wish.tags, ReadTagSpecifications(in.tag_specifications, "route-table"));
  vpc::RouteTable made;
  OUTCOME_TRY(
      Change(options.network.store, [&](store::Transaction& transaction) -> aws::Outcome<void> {
        OUTCOME_ASSIGN(made, Make(options, transaction, wish));
        return {};
      }));
  OUTCOME_ASSIGN(const auto rows, RowsOf(options.network.store, context.account_id, {made}));
  return api::CreateRouteTableResult{.route_table = Write(rows.front()),
                                     .client_token = in.client_token};
}

aws::Outcome<aws::Empty> DeleteRouteTable(const Ec2Options& options, const aws::RequestContext&,
                                          const api::DeleteRouteTableRequest& in) {
  store::Store& store = options.network.store;
  OUTCOME_TRY(Change(store, [&](store::Transaction& transaction) -> aws::Outcome<void> {
    OUTCOME_ASSIGN(const auto table, Find<vpc::RouteTable>(store, *in.route_table_id));
    return Translated(vpc::DeleteRouteTable(options.network, transaction, table.id));
  }));
  return aws::Empty{};
}

}  // namespace

void RegisterRouteTables(aws::Service& service, const Ec2Options& options) {
  Serve<api::CreateRouteTable>(service, options, CreateRouteTable);
  Serve<api::DescribeRouteTables>(service, options, DescribeRouteTables);
  Serve<api::DeleteRouteTable>(service, options, DeleteRouteTable);
}

}  // namespace howdah::services::ec2
