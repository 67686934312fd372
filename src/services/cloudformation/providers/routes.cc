// AWS::EC2::RouteTable, AWS::EC2::Route, AWS::EC2::SubnetRouteTableAssociation.
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "services/cloudformation/providers/ec2_tags.h"

namespace howdah::cfn {

namespace {

aws::Outcome<ec2::RouteTable> DescribeTable(const Services& services, const Subject& subject,
                                            const std::string& id) {
  OUTCOME_ASSIGN(const auto found, Invoke<ec2::DescribeRouteTables>(services.ec2, subject.context,
                                                                    {.route_table_ids = {id}}));
  if (found.route_tables.empty()) {
    return aws::Refuse("InvalidRouteTableID.NotFound", "the route table is gone");
  }
  return found.route_tables[0];
}

class RouteTableProvider : public Provider {
 public:
  using Provider::Provider;

  aws::Outcome<std::optional<std::string>> Find(const Subject& subject,
                                                const json::object&) const override {
    OUTCOME_ASSIGN(const auto found,
                   Invoke<ec2::DescribeRouteTables>(services_.ec2, subject.context,
                                                    {.filters = MadeBy(subject)}));
    if (found.route_tables.empty()) return std::nullopt;
    return found.route_tables[0].route_table_id;
  }

  aws::Outcome<std::string> Create(const Subject& subject,
                                   const json::object& properties) const override {
    ec2::CreateRouteTableRequest request;
    request.vpc_id = TextOf(properties, "VpcId");
    request.tag_specifications = TagsOnCreate(subject, properties, "route-table");
    OUTCOME_ASSIGN(const auto made,
                   Invoke<ec2::CreateRouteTable>(services_.ec2, subject.context, request));
    return made.route_table->route_table_id.value_or("");
  }

  aws::Outcome<void> Update(const Subject& subject, const json::object& before,
                            const json::object& after,
                            const std::vector<std::string>&) const override {
    return UpdateTags(services_, subject, before, after);
  }

  aws::Outcome<std::optional<json::object>> Read(const Subject& subject,
                                                 const json::object& expected) const override {
    const auto table = DescribeTable(services_, subject, subject.id());
    if (!table && IsNotFound(table.error())) return std::nullopt;
    if (!table) return std::unexpected(table.error());
    json::object actual{{"VpcId", table->vpc_id.value_or("")}};
    actual.emplace("Tags", OwnTags(subject, TagsOf(table->tags), expected));
    return actual;
  }

  aws::Outcome<bool> Delete(const Subject& subject) const override {
    OUTCOME_TRY(Invoke<ec2::DeleteRouteTable>(services_.ec2, subject.context,
                                              {.route_table_id = subject.id()}));
    return true;
  }

  aws::Outcome<json::value> Attribute(const Subject& subject, std::string_view) const override {
    return TextValue(subject.id());
  }
};

// Its physical id is "rtb-1|0.0.0.0/0", as on AWS. A route has no tags: it is ours when it is what
// the template says.
class RouteProvider : public Provider {
 public:
  using Provider::Provider;

  aws::Outcome<std::optional<std::string>> Find(const Subject& subject,
                                                const json::object& properties) const override {
    OUTCOME_ASSIGN(const auto route, Describe(subject, IdOf(properties)));
    if (!route) return std::nullopt;
    const json::object actual = Show(*route, properties);
    for (const char* name : kTargets) {
      if (TextOf(properties, name) != TextOf(actual, name)) return std::nullopt;
    }
    return IdOf(properties);
  }

  aws::Outcome<std::string> Create(const Subject& subject,
                                   const json::object& properties) const override {
    OUTCOME_ASSIGN(const auto request, RequestFrom<ec2::CreateRoute>(properties));
    OUTCOME_TRY(Invoke<ec2::CreateRoute>(services_.ec2, subject.context, request));
    return IdOf(properties);
  }

  aws::Outcome<void> Update(const Subject& subject, const json::object&, const json::object& after,
                            const std::vector<std::string>&) const override {
    OUTCOME_ASSIGN(const auto request, RequestFrom<ec2::ReplaceRoute>(after));
    OUTCOME_TRY(Invoke<ec2::ReplaceRoute>(services_.ec2, subject.context, request));
    return {};
  }

  aws::Outcome<std::optional<json::object>> Read(const Subject& subject,
                                                 const json::object& expected) const override {
    const auto route = Describe(subject, subject.id());
    if (!route && IsNotFound(route.error())) return std::nullopt;
    if (!route) return std::unexpected(route.error());
    if (!*route) return std::nullopt;
    return Show(**route, expected);
  }

  aws::Outcome<bool> Delete(const Subject& subject) const override {
    OUTCOME_ASSIGN(const auto route, Describe(subject, subject.id()));
    if (!route) return true;
    ec2::DeleteRouteRequest request;
    request.route_table_id = TableOf(subject.id());
    request.destination_cidr_block = route->destination_cidr_block;
    request.destination_ipv6_cidr_block = route->destination_ipv6_cidr_block;
    OUTCOME_TRY(Invoke<ec2::DeleteRoute>(services_.ec2, subject.context, request));
    return true;
  }

  aws::Outcome<json::value> Attribute(const Subject& subject, std::string_view) const override {
    return TextValue(subject.id().substr(subject.id().find('|') + 1));
  }

 private:
  static constexpr std::array<const char*, 3> kTargets = {"GatewayId", "NatGatewayId",
                                                          "NetworkInterfaceId"};

  static std::string IdOf(const json::object& properties) {
    return fmt::format(
        "{}|{}", TextOf(properties, "RouteTableId"),
        TextOf(properties, "DestinationCidrBlock", TextOf(properties, "DestinationIpv6CidrBlock")));
  }
  static std::string TableOf(const std::string& id) { return id.substr(0, id.find('|')); }

  static json::object Show(const ec2::Route& route, const json::object& expected) {
    const auto& item = ItemShape(ec2::DescribeRouteTables::Desc(), "RouteTables");
    const auto routes = std::ranges::find(item.members, "Routes", &aws::MemberDesc::name);
    json::object actual = ReadMembers(*routes->shape->element, &route, expected);
    for (const char* name : kTargets) {  // one that is gone is told, not passed over
      if (expected.contains(name) && !actual.contains(name)) actual.emplace(name, "");
    }
    return actual;
  }

  aws::Outcome<std::optional<ec2::Route>> Describe(const Subject& subject,
                                                   const std::string& id) const {
    OUTCOME_ASSIGN(const ec2::RouteTable table, DescribeTable(services_, subject, TableOf(id)));
    const std::string destination = id.substr(id.find('|') + 1);
    for (const ec2::Route& route : table.routes) {
      if (route.destination_cidr_block == destination ||
          route.destination_ipv6_cidr_block == destination) {
        return route;
      }
    }
    return std::nullopt;
  }
};

class AssociationProvider : public Provider {
 public:
  using Provider::Provider;

  aws::Outcome<std::optional<std::string>> Find(const Subject& subject,
                                                const json::object& properties) const override {
    OUTCOME_ASSIGN(const auto association,
                   Describe(subject, "association.subnet-id", TextOf(properties, "SubnetId")));
    if (!association) return std::nullopt;
    const bool same = association->subnet_id == TextOf(properties, "SubnetId") &&
                      association->route_table_id == TextOf(properties, "RouteTableId");
    return same ? association->route_table_association_id : std::nullopt;
  }

  aws::Outcome<std::string> Create(const Subject& subject,
                                   const json::object& properties) const override {
    OUTCOME_ASSIGN(const auto request, RequestFrom<ec2::AssociateRouteTable>(properties));
    OUTCOME_ASSIGN(const auto made,
                   Invoke<ec2::AssociateRouteTable>(services_.ec2, subject.context, request));
    return made.association_id.value_or("");
  }

  // Another table makes it another association, with another id.
  aws::Outcome<void> Update(const Subject& subject, const json::object&, const json::object& after,
                            const std::vector<std::string>&) const override {
    const std::string table = TextOf(after, "RouteTableId");
    OUTCOME_ASSIGN(const auto association,
                   Describe(subject, "association.subnet-id", TextOf(after, "SubnetId")));
    if (!association) return std::unexpected(NotThere());
    if (association->route_table_id == table) return {};
    OUTCOME_TRY(Invoke<ec2::ReplaceRouteTableAssociation>(
        services_.ec2, subject.context,
        {.association_id = association->route_table_association_id, .route_table_id = table}));
    return {};
  }

  aws::Outcome<std::string> IdAfterUpdate(const Subject& subject,
                                          const json::object& after) const override {
    OUTCOME_ASSIGN(const auto id, Find(subject, after));
    if (!id) return std::unexpected(NotThere());
    return *id;
  }

  aws::Outcome<std::optional<json::object>> Read(const Subject& subject,
                                                 const json::object&) const override {
    OUTCOME_ASSIGN(const auto association, Mine(subject));
    if (!association) return std::nullopt;
    return json::object{{"RouteTableId", association->route_table_id.value_or("")},
                        {"SubnetId", association->subnet_id.value_or("")}};
  }

  aws::Outcome<bool> Delete(const Subject& subject) const override {
    OUTCOME_ASSIGN(const auto association, Mine(subject));
    if (!association) return true;
    OUTCOME_TRY(Invoke<ec2::DisassociateRouteTable>(services_.ec2, subject.context,
                                                    {.association_id = subject.id()}));
    return true;
  }

  aws::Outcome<json::value> Attribute(const Subject& subject, std::string_view) const override {
    return TextValue(subject.id());
  }

 private:
  static aws::Fault NotThere() {
    return {.code = "InvalidAssociationID.NotFound", .message = "the association is gone"};
  }

  aws::Outcome<std::optional<ec2::RouteTableAssociation>> Mine(const Subject& subject) const {
    return Describe(subject, "association.route-table-association-id", subject.id());
  }

  // The association of a route table for which the filter holds.
  aws::Outcome<std::optional<ec2::RouteTableAssociation>> Describe(const Subject& subject,
                                                                   std::string filter,
                                                                   const std::string& value) const {
    ec2::DescribeRouteTablesRequest request;
    request.filters = {ec2::Filter{.name = std::move(filter), .values = {value}}};
    OUTCOME_ASSIGN(const auto found,
                   Invoke<ec2::DescribeRouteTables>(services_.ec2, subject.context, request));
    for (const ec2::RouteTable& table : found.route_tables) {
      for (const ec2::RouteTableAssociation& one : table.associations) {
        if (one.route_table_association_id == value || one.subnet_id == value) return one;
      }
    }
    return std::nullopt;
  }
};

}  // namespace

std::unique_ptr<Provider> MakeRouteTableProvider(const Services& services) {
  return std::make_unique<RouteTableProvider>(services);
}
std::unique_ptr<Provider> MakeRouteProvider(const Services& services) {
  return std::make_unique<RouteProvider>(services);
}
std::unique_ptr<Provider> MakeRouteTableAssociationProvider(const Services& services) {
  return std::make_unique<AssociationProvider>(services);
}

}  // namespace howdah::cfn
