// Internet gateway operations. Records: nothing passes through one.
#include "services/ec2/handlers.h"
#include "services/ec2/selection.h"
#include "services/ec2/serve.h"
#include "services/ec2/tags.h"
#include "vpc/gateways.h"

namespace howdah::services::ec2 {
namespace {

struct Row {
  vpc::InternetGateway gateway;
  std::string account;
  bool IsAttached() const { return !gateway.vpc.empty(); }
};

constexpr Column<Row> kColumns[] = {
    {"attachment.state",
     [](const Row& row) { return row.IsAttached() ? Values("available") : Values(); }},
    {"attachment.vpc-id",
     [](const Row& row) { return row.IsAttached() ? Values(row.gateway.vpc.str()) : Values(); }},
    {"internet-gateway-id", [](const Row& row) { return row.gateway.id.str(); }},
    {"owner-id", [](const Row& row) { return row.account; }}};

constexpr Resource<Row> kGateways = {.ids = "internetGatewayIds",
                                     .columns = kColumns,
                                     .key = [](const Row& row) { return row.gateway.id.str(); },
                                     .tags = [](const Row& row) { return &row.gateway.tags; }};

api::InternetGateway Write(const Row& row) {
  api::InternetGateway out;
  out.internet_gateway_id = row.gateway.id.str();
  out.owner_id = row.account;
  if (row.IsAttached())
    out.attachments.push_back({.state = "available", .vpc_id = row.gateway.vpc.str()});
  out.tags = WriteTags(row.gateway.tags);
  return out;
}

aws::Outcome<api::CreateInternetGatewayResult> CreateInternetGateway(
    const Ec2Options& options, const aws::RequestContext& context,
    const api::CreateInternetGatewayRequest& in) {
  OUTCOME_ASSIGN(const vpc::Tags tags,
                 ReadTagSpecifications(in.tag_specifications, "internet-gateway"));
  vpc::InternetGateway made;
  OUTCOME_TRY(
      Change(options.network.store, [&](store::Transaction& transaction) -> aws::Outcome<void> {
        OUTCOME_ASSIGN(made,
                       Translated(vpc::CreateInternetGateway(options.network, transaction, tags)));
        return {};
      }));
  return api::CreateInternetGatewayResult{.internet_gateway = Write({made, context.account_id})};
}

aws::Outcome<api::DescribeInternetGatewaysResult> DescribeInternetGateways(
    const Ec2Options& options, const aws::RequestContext& context,
    const api::DescribeInternetGatewaysRequest& in) {
  const auto& ids = in.internet_gateway_ids;
  OUTCOME_ASSIGN(const auto gateways, Load<vpc::InternetGateway>(options.network.store, ids));
  std::vector<Row> rows;
  for (const vpc::InternetGateway& gateway : gateways)
    rows.push_back({gateway, context.account_id});
  OUTCOME_ASSIGN(const auto page, Select(kGateways, std::move(rows), in, !ids.empty()));
  api::DescribeInternetGatewaysResult out;
  for (const Row& row : page.records) out.internet_gateways.push_back(Write(row));
  out.next_token = page.next_token;
  return out;
}

aws::Outcome<aws::Empty> AttachInternetGateway(const Ec2Options& options,
                                               const aws::RequestContext&,
                                               const api::AttachInternetGatewayRequest& in) {
  store::Store& store = options.network.store;
  OUTCOME_TRY(Change(store, [&](store::Transaction& transaction) -> aws::Outcome<void> {
    OUTCOME_ASSIGN(const auto gateway, Find<vpc::InternetGateway>(store, *in.internet_gateway_id));
    OUTCOME_ASSIGN(const vpc::Vpc vpc, Find<vpc::Vpc>(store, *in.vpc_id));
    return Translated(vpc::AttachInternetGateway(options.network, transaction, gateway.id, vpc.id),
                      {{Code::kAlreadyExists, "Resource.AlreadyAssociated"}});
  }));
  return aws::Empty{};
}

aws::Outcome<aws::Empty> DetachInternetGateway(const Ec2Options& options,
                                               const aws::RequestContext&,
                                               const api::DetachInternetGatewayRequest& in) {
  store::Store& store = options.network.store;
  OUTCOME_TRY(Change(store, [&](store::Transaction& transaction) -> aws::Outcome<void> {
    OUTCOME_ASSIGN(const auto gateway, Find<vpc::InternetGateway>(store, *in.internet_gateway_id));
    OUTCOME_ASSIGN(const vpc::Vpc vpc, Find<vpc::Vpc>(store, *in.vpc_id));
    return Translated(vpc::DetachInternetGateway(options.network, transaction, gateway.id, vpc.id),
                      {{Code::kFailedState, "Gateway.NotAttached"}});
  }));
  return aws::Empty{};
}

aws::Outcome<aws::Empty> DeleteInternetGateway(const Ec2Options& options,
                                               const aws::RequestContext&,
                                               const api::DeleteInternetGatewayRequest& in) {
  store::Store& store = options.network.store;
  OUTCOME_TRY(Change(store, [&](store::Transaction& transaction) -> aws::Outcome<void> {
    OUTCOME_ASSIGN(const auto gateway, Find<vpc::InternetGateway>(store, *in.internet_gateway_id));
    return Translated(vpc::DeleteInternetGateway(options.network, transaction, gateway.id));
  }));
  return aws::Empty{};
}

}  // namespace

void RegisterInternetGateways(aws::Service& service, const Ec2Options& options) {
  Serve<api::CreateInternetGateway>(service, options, CreateInternetGateway);
  Serve<api::DescribeInternetGateways>(service, options, DescribeInternetGateways);
  Serve<api::AttachInternetGateway>(service, options, AttachInternetGateway);
  Serve<api::DetachInternetGateway>(service, options, DetachInternetGateway);
  Serve<api::DeleteInternetGateway>(service, options, DeleteInternetGateway);
}

}  // namespace howdah::services::ec2
