// What a VPC can have on AWS and never has here: DHCP options, prefix lists, endpoints of services.
// Lists of them are empty, ids of them unknown, and making one is refused: with AWS's own answer
// for a service that does not exist, since none of Amazon's is reachable through an endpoint here.
#include <fmt/format.h>

#include "services/ec2/handlers.h"
#include "services/ec2/selection.h"
#include "services/ec2/serve.h"

namespace howdah::services::ec2 {
namespace {

// There are no rows; only the filters' names matter.
struct Row {
  std::string id;
  vpc::Tags tags;
};

constexpr Column<Row> kDhcpColumns[] = {
    {"dhcp-options-id", nullptr}, {"key", nullptr}, {"value", nullptr}, {"owner-id", nullptr}};
constexpr Column<Row> kPrefixListColumns[] = {{"prefix-list-id", nullptr},
                                              {"prefix-list-name", nullptr}};
constexpr Column<Row> kManagedPrefixListColumns[] = {
    {"owner-id", nullptr}, {"prefix-list-id", nullptr}, {"prefix-list-name", nullptr}};
constexpr Column<Row> kEndpointColumns[] = {
    {"ip-address-type", nullptr},  {"service-name", nullptr},    {"service-region", nullptr},
    {"vpc-id", nullptr},           {"vpc-endpoint-id", nullptr}, {"vpc-endpoint-state", nullptr},
    {"vpc-endpoint-type", nullptr}};
constexpr Column<Row> kServiceColumns[] = {{"owner", nullptr},
                                           {"service-name", nullptr},
                                           {"service-region", nullptr},
                                           {"service-type", nullptr},
                                           {"supported-ip-address-types", nullptr}};

constexpr Resource<Row> Describe(std::string_view ids, std::span<const Column<Row>> columns) {
  return {.ids = ids,
          .columns = columns,
          .key = [](const Row& row) { return row.id; },
          .tags = [](const Row& row) { return &row.tags; }};
}

aws::Fault Unknown(std::string_view code, std::string_view noun, std::string_view id) {
  return {std::string(code), 400, fmt::format("The {} '{}' does not exist", noun, id), true};
}

aws::Fault NoDhcpOptions(std::string_view id) {
  return Unknown("InvalidDhcpOptionID.NotFound", "dhcpOption ID", id);
}
aws::Fault NoEndpoint(std::string_view id) {
  return Unknown("InvalidVpcEndpointId.NotFound", "Vpc Endpoint Id", id);
}
aws::Fault NoService(std::string_view name) {
  return Unknown("InvalidServiceName", "Vpc Endpoint Service", name);
}

// An empty list, if the request is a good one.
template <typename Output, typename Input>
aws::Outcome<Output> Nothing(const Resource<Row>& resource, const aws::List<std::string>& ids,
                             aws::Fault (*unknown)(std::string_view id), const Input& in) {
  OUTCOME_TRY(Select(resource, {}, in, !ids.empty()));
  if (!ids.empty()) return aws::Refuse(unknown(ids.front()));
  return Output{};
}

aws::Fault NoPrefixListOf(std::string_view id) {
  return Unknown("InvalidPrefixListID.NotFound", "prefix list ID", id);
}

aws::Outcome<aws::Empty> AssociateDhcpOptions(const Ec2Options& options, const aws::RequestContext&,
                                              const api::AssociateDhcpOptionsRequest& in) {
  OUTCOME_TRY(Find<vpc::Vpc>(options.network.store, *in.vpc_id));
  // "default" is what every VPC has: none.
  if (*in.dhcp_options_id != "default") return aws::Refuse(NoDhcpOptions(*in.dhcp_options_id));
  return aws::Empty{};
}

aws::Outcome<api::CreateVpcEndpointResult> CreateVpcEndpoint(
    const Ec2Options& options, const aws::RequestContext&,
    const api::CreateVpcEndpointRequest& in) {
  OUTCOME_TRY(Find<vpc::Vpc>(options.network.store, *in.vpc_id));
  if (!in.service_name)
    return aws::Refuse(aws::MissingParameter("The request must contain the parameter ServiceName"));
  aws::Fault fault = NoService(*in.service_name);
  fault.message +=
      ". Howdah has no VPC endpoints: its API and its databases are reached without one, and no "
      "other service of AWS is behind it. Leave the endpoint out.";
  return aws::Refuse(std::move(fault));
}

aws::Outcome<api::DeleteVpcEndpointsResult> DeleteVpcEndpoints(
    const Ec2Options&, const aws::RequestContext&, const api::DeleteVpcEndpointsRequest& in) {
  api::DeleteVpcEndpointsResult out;
  for (const std::string& id : in.vpc_endpoint_ids) {
    const aws::Fault fault = NoEndpoint(id);
    out.unsuccessful.push_back(
        {.error = api::UnsuccessfulItemError{.code = fault.code, .message = fault.message},
         .resource_id = id});
  }
  return out;
}

}  // namespace

void RegisterAbsent(aws::Service& service, const Ec2Options& options) {
  Serve<api::DescribeDhcpOptions>(
      service, options, [](const auto&, const auto&, const api::DescribeDhcpOptionsRequest& in) {
        return Nothing<api::DescribeDhcpOptionsResult>(Describe("dhcpOptionsIds", kDhcpColumns),
                                                       in.dhcp_options_ids, NoDhcpOptions, in);
      });
  Serve<api::DescribePrefixLists>(
      service, options, [](const auto&, const auto&, const api::DescribePrefixListsRequest& in) {
        return Nothing<api::DescribePrefixListsResult>(
            Describe("prefixListIds", kPrefixListColumns), in.prefix_list_ids, NoPrefixListOf, in);
      });
  Serve<api::DescribeManagedPrefixLists>(
      service, options,
      [](const auto&, const auto&, const api::DescribeManagedPrefixListsRequest& in) {
        return Nothing<api::DescribeManagedPrefixListsResult>(
            Describe("prefixListIds", kManagedPrefixListColumns), in.prefix_list_ids,
            NoPrefixListOf, in);
      });
  Serve<api::DescribeVpcEndpoints>(
      service, options, [](const auto&, const auto&, const api::DescribeVpcEndpointsRequest& in) {
        return Nothing<api::DescribeVpcEndpointsResult>(
            Describe("vpcEndpointIds", kEndpointColumns), in.vpc_endpoint_ids, NoEndpoint, in);
      });
  Serve<api::DescribeVpcEndpointServices>(
      service, options,
      [](const auto&, const auto&, const api::DescribeVpcEndpointServicesRequest& in) {
        return Nothing<api::DescribeVpcEndpointServicesResult>(
            Describe("serviceNames", kServiceColumns), in.service_names, NoService, in);
      });
  Serve<api::AssociateDhcpOptions>(service, options, AssociateDhcpOptions);
  Serve<api::CreateVpcEndpoint>(service, options, CreateVpcEndpoint);
  Serve<api::DeleteVpcEndpoints>(service, options, DeleteVpcEndpoints);
}

}  // namespace howdah::services::ec2
