// Network ACLs and route tables: records that every VPC has one of, which clients read and which
// nobody can change. The ACL says what is true: it stops nothing.
#include <map>

#include "services/ec2/handlers.h"
#include "services/ec2/selection.h"
#include "services/ec2/tags.h"

namespace howdah::services::ec2 {
namespace {

constexpr std::string_view kAclFilters[] = {"association.association-id",
                                            "association.network-acl-id",
                                            "association.subnet-id",
                                            "default",
                                            "entry.cidr",
                                            "entry.egress",
                                            "entry.protocol",
                                            "entry.rule-action",
                                            "entry.rule-number",
                                            "network-acl-id",
                                            "owner-id",
                                            "vpc-id"};
constexpr std::string_view kRouteFilters[] = {"association.gateway-id",
                                              "association.main",
                                              "association.route-table-association-id",
                                              "association.route-table-id",
                                              "association.subnet-id",
                                              "owner-id",
                                              "route-table-id",
                                              "route.destination-cidr-block",
                                              "route.gateway-id",
                                              "route.origin",
                                              "route.state",
                                              "vpc-id"};
constexpr std::int64_t kAllowAll = 100;    // the rule that AWS's default ACL begins with
constexpr std::int64_t kLastRule = 32767;  // "*": denies what no rule before it allows

using Subnets = std::vector<vpc::Subnet>;

Attributes AttributesOf(const vpc::NetworkAcl& acl, const Subnets& subnets,
                        const std::string& account) {
  Attributes attributes;
  for (const vpc::Subnet& subnet : subnets) {
    if (subnet.vpc != acl.vpc) continue;
    attributes.Add("association.association-id", subnet.acl_association);
    attributes.Add("association.network-acl-id", acl.id.str());
    attributes.Add("association.subnet-id", subnet.id.str());
  }
  attributes.Add("default", true);
  attributes.Add("entry.cidr", "0.0.0.0/0");
  attributes.Add("entry.egress", true);
  attributes.Add("entry.egress", false);
  attributes.Add("entry.protocol", "-1");
  attributes.Add("entry.rule-action", "allow");
  attributes.Add("entry.rule-action", "deny");
  attributes.Add("entry.rule-number", std::to_string(kAllowAll));
  attributes.Add("entry.rule-number", std::to_string(kLastRule));
  attributes.Add("network-acl-id", acl.id.str());
  attributes.Add("owner-id", account);
  attributes.Add("vpc-id", acl.vpc.str());
  attributes.AddTags(acl.tags);
  return attributes;
}

api::NetworkAcl Write(const vpc::NetworkAcl& acl, const Subnets& subnets,
                      const std::string& account) {
  api::NetworkAcl out;
  out.network_acl_id = acl.id.str();
  out.vpc_id = acl.vpc.str();
  out.owner_id = account;
  out.is_default = true;
  out.tags = WriteTags(acl.tags);
  for (const bool egress : {true, false}) {
    for (const std::int64_t number : {kAllowAll, kLastRule})
      out.entries.push_back({.cidr_block = "0.0.0.0/0",
                             .egress = egress,
                             .protocol = "-1",
                             .rule_action = number == kAllowAll ? "allow" : "deny",
                             .rule_number = number});
  }
  for (const vpc::Subnet& subnet : subnets) {
    if (subnet.vpc != acl.vpc) continue;
    out.associations.push_back({.network_acl_association_id = subnet.acl_association,
                                .network_acl_id = acl.id.str(),
                                .subnet_id = subnet.id.str()});
  }
  return out;
}

aws::Outcome<api::DescribeNetworkAclsResult> DescribeNetworkAcls(
    const Ec2Options& options, const aws::RequestContext& context,
    const api::DescribeNetworkAclsRequest& in) {
  OUTCOME_ASSIGN(auto acls, Translated(vpc::List<vpc::NetworkAcl>(options.network.store)));
  OUTCOME_ASSIGN(const Subnets subnets, Translated(vpc::List<vpc::Subnet>(options.network.store)));
  OUTCOME_ASSIGN(const auto page,
                 Select<vpc::NetworkAcl>(std::move(acls), in.network_acl_ids, in, kAclFilters,
                                         [&](const vpc::NetworkAcl& acl) {
                                           return AttributesOf(acl, subnets, context.account_id);
                                         }));
  api::DescribeNetworkAclsResult out;
  for (const vpc::NetworkAcl& acl : page.records)
    out.network_acls.push_back(Write(acl, subnets, context.account_id));
  out.next_token = page.next_token;
  return out;
}

// A table with the range of its VPC, which is its one route.
struct Routed {
  vpc::RouteTableId id;
  vpc::RouteTable table;
  std::string cidr;
};

Attributes AttributesOf(const Routed& routed, const std::string& account) {
  const vpc::RouteTable& table = routed.table;
  Attributes attributes;
  attributes.Add("association.main", true);
  attributes.Add("association.route-table-association-id", table.association);
  attributes.Add("association.route-table-id", table.id.str());
  attributes.Add("owner-id", account);
  attributes.Add("route-table-id", table.id.str());
  attributes.Add("route.destination-cidr-block", routed.cidr);
  attributes.Add("route.gateway-id", "local");
  attributes.Add("route.origin", "CreateRouteTable");
  attributes.Add("route.state", "active");
  attributes.Add("vpc-id", table.vpc.str());
  attributes.AddTags(table.tags);
  return attributes;
}

api::RouteTable Write(const Routed& routed, const std::string& account) {
  const vpc::RouteTable& table = routed.table;
  api::RouteTable out;
  out.route_table_id = table.id.str();
  out.vpc_id = table.vpc.str();
  out.owner_id = account;
  out.tags = WriteTags(table.tags);
  out.associations.push_back(
      {.main = true,
       .route_table_association_id = table.association,
       .route_table_id = table.id.str(),
       .association_state = api::RouteTableAssociationState{.state = "associated"}});
  out.routes.push_back({.destination_cidr_block = routed.cidr,
                        .gateway_id = "local",
                        .origin = "CreateRouteTable",
                        .state = "active"});
  return out;
}

aws::Outcome<api::DescribeRouteTablesResult> DescribeRouteTables(
    const Ec2Options& options, const aws::RequestContext& context,
    const api::DescribeRouteTablesRequest& in) {
  OUTCOME_ASSIGN(const auto tables, Translated(vpc::List<vpc::RouteTable>(options.network.store)));
  OUTCOME_ASSIGN(const auto vpcs, Translated(vpc::List<vpc::Vpc>(options.network.store)));
  std::map<vpc::VpcId, std::string> ranges;
  for (const vpc::Vpc& vpc : vpcs) ranges[vpc.id] = vpc.cidr.ToString();
  std::vector<Routed> routed;
  for (const vpc::RouteTable& table : tables)
    routed.push_back({table.id, table, ranges[table.vpc]});
  OUTCOME_ASSIGN(const auto page, Select<Routed>(std::move(routed), in.route_table_ids, in,
                                                 kRouteFilters, [&](const Routed& one) {
                                                   return AttributesOf(one, context.account_id);
                                                 }));
  api::DescribeRouteTablesResult out;
  for (const Routed& one : page.records) out.route_tables.push_back(Write(one, context.account_id));
  out.next_token = page.next_token;
  return out;
}

}  // namespace

void RegisterTables(aws::Service& service, const Ec2Options& options) {
  service.Register<api::DescribeNetworkAcls>([options](const auto& context, const auto& in) {
    return DescribeNetworkAcls(options, context, in);
  });
  service.Register<api::DescribeRouteTables>([options](const auto& context, const auto& in) {
    return DescribeRouteTables(options, context, in);
  });
}

}  // namespace howdah::services::ec2
