// Elastic IP address operations. Records: no packet reaches a public address.
#include "vpc/addresses.h"

#include <fmt/format.h>

#include <algorithm>

#include "services/ec2/handlers.h"
#include "services/ec2/selection.h"
#include "services/ec2/serve.h"
#include "services/ec2/tags.h"

namespace howdah::services::ec2 {
namespace {

constexpr const char* kPool = "amazon";

struct Row {
  vpc::ElasticAddress address;
  std::string account;
  std::string region;
  bool IsAssociated() const { return !address.association.empty(); }
};

// What only an associated address says.
template <typename Tell>
constexpr auto IfAssociated(Tell) {
  return [](const Row& row) { return row.IsAssociated() ? Values(Tell{}(row)) : Values(); };
}

constexpr Column<Row> kColumns[] = {
    {"allocation-id", [](const Row& row) { return row.address.id.str(); }},
    {"association-id", IfAssociated([](const Row& row) { return row.address.association; })},
    {"domain", [](const Row&) { return "vpc"; }},
    {"instance-id", nullptr},
    {"network-border-group", [](const Row& row) { return row.region; }},
    {"network-interface-id",
     IfAssociated([](const Row& row) { return row.address.interface.str(); })},
    {"network-interface-owner-id", IfAssociated([](const Row& row) { return row.account; })},
    {"private-ip-address",
     IfAssociated([](const Row& row) { return row.address.private_address.ToString(); })},
    {"public-ip", [](const Row& row) { return row.address.address.ToString(); }}};

constexpr Resource<Row> kAddresses = {.ids = "allocationIds",
                                      .columns = kColumns,
                                      .key = [](const Row& row) { return row.address.id.str(); },
                                      .tags = [](const Row& row) { return &row.address.tags; }};

api::Address Write(const Row& row) {
  const vpc::ElasticAddress& address = row.address;
  api::Address out;
  out.allocation_id = address.id.str();
  out.domain = "vpc";
  out.public_ip = address.address.ToString();
  out.public_ipv4_pool = kPool;
  out.network_border_group = row.region;
  if (row.IsAssociated()) {
    out.association_id = address.association;
    out.network_interface_id = address.interface.str();
    out.network_interface_owner_id = row.account;
    out.private_ip_address = address.private_address.ToString();
  }
  out.tags = WriteTags(address.tags);
  return out;
}

// By allocation id or by public address: AWS takes either.
aws::Outcome<vpc::ElasticAddress> FindAddress(store::Store& store,
                                              const std::optional<std::string>& id,
                                              const std::optional<std::string>& public_ip) {
  if (id) return Find<vpc::ElasticAddress>(store, *id);
  if (!public_ip)
    return aws::Refuse(
        aws::MissingParameter("Either public IP or allocation id must be specified"));
  const auto parsed = network::Ipv4::Parse(*public_ip);
  if (!parsed)
    return aws::Refuse(aws::InvalidParameterValue(
        fmt::format("Invalid value '{}' for publicIp. Not an IPv4 address.", *public_ip)));
  const auto taken = store.Get(vpc::PublicAddressKey(*parsed));
  if (!taken && taken.error().code() == Code::kNotFound)
    return aws::Refuse("InvalidAddress.NotFound",
                       fmt::format("Address '{}' not found.", *public_ip));
  if (!taken) return aws::Refuse(aws::FaultOf(taken.error()));
  OUTCOME_ASSIGN(const json::object document, Translated(ParseJsonObject(taken->value)));
  return Find<vpc::ElasticAddress>(store, JsonString(document, "allocation"));
}

aws::Outcome<vpc::NewAddress> ReadWish(const Ec2Options& options,
                                       const api::AllocateAddressRequest& in) {
  if (in.domain.value_or("vpc") != "vpc")
    return aws::Refuse(InvalidValue(*in.domain, "domain", "EC2-Classic is no more."));
  if (in.customer_owned_ipv4_pool)
    return aws::Refuse(Unsupported("CustomerOwnedIpv4Pool", "there are no Outposts."));
  if (in.ipam_pool_id) return aws::Refuse(Unsupported("IpamPoolId", "there are no IPAM pools."));
  if (in.public_ipv4_pool.value_or(kPool) != kPool)
    return aws::Refuse("InvalidPublicIpv4PoolID.NotFound",
                       fmt::format("The pool ID '{}' does not exist", *in.public_ipv4_pool));
  const std::string& region = options.network.region.name;
  if (in.network_border_group.value_or(region) != region)
    return aws::Refuse(InvalidValue(*in.network_border_group, "networkBorderGroup",
                                    fmt::format("There is only {}.", region)));
  vpc::NewAddress wish;
  if (in.address) {
    const auto parsed = network::Ipv4::Parse(*in.address);
    if (!parsed) return aws::Refuse(InvalidValue(*in.address, "address", "Not an IPv4 address."));
    wish.address = *parsed;
  }
  OUTCOME_ASSIGN(wish.tags, ReadTagSpecifications(in.tag_specifications, "elastic-ip"));
  return wish;
}

aws::Outcome<api::AllocateAddressResult> AllocateAddress(const Ec2Options& options,
                                                         const aws::RequestContext&,
                                                         const api::AllocateAddressRequest& in) {
  OUTCOME_ASSIGN(const vpc::NewAddress wish, ReadWish(options, in));
  vpc::ElasticAddress made;
  OUTCOME_TRY(
      Change(options.network.store, [&](store::Transaction& transaction) -> aws::Outcome<void> {
        OUTCOME_ASSIGN(
            made, Translated(vpc::AllocateAddress(options.network, transaction, wish),
                             {{Code::kExhausted, "AddressLimitExceeded"},
                              {Code::kAlreadyExists, "InvalidAddress.InUse",
                               fmt::format("Address {} is in use.", in.address.value_or(""))}}));
        return {};
      }));
  api::AllocateAddressResult out;
  out.allocation_id = made.id.str();
  out.public_ip = made.address.ToString();
  out.public_ipv4_pool = kPool;
  out.network_border_group = options.network.region.name;
  out.domain = "vpc";
  return out;
}

aws::Outcome<aws::Empty> ReleaseAddress(const Ec2Options& options, const aws::RequestContext&,
                                        const api::ReleaseAddressRequest& in) {
  store::Store& store = options.network.store;
  OUTCOME_TRY(Change(store, [&](store::Transaction& transaction) -> aws::Outcome<void> {
    OUTCOME_ASSIGN(const auto address, FindAddress(store, in.allocation_id, in.public_ip));
    return Translated(vpc::ReleaseAddress(options.network, transaction, address.id),
                      {{Code::kInUse, "InvalidIPAddress.InUse"}});
  }));
  return aws::Empty{};
}

aws::Outcome<api::DescribeAddressesResult> DescribeAddresses(
    const Ec2Options& options, const aws::RequestContext& context,
    const api::DescribeAddressesRequest& in) {
  store::Store& store = options.network.store;
  std::vector<std::string> ids = in.allocation_ids;
  for (const std::string& public_ip : in.public_ips) {
    OUTCOME_ASSIGN(const auto address, FindAddress(store, std::nullopt, public_ip));
    ids.push_back(address.id.str());
  }
  OUTCOME_ASSIGN(const auto addresses, Load<vpc::ElasticAddress>(store, ids));
  std::vector<Row> rows;
  for (const vpc::ElasticAddress& address : addresses)
    rows.push_back({address, context.account_id, options.network.region.name});
  OUTCOME_TRY(Filter(kAddresses, in.filters, rows));
  api::DescribeAddressesResult out;
  for (const Row& row : rows) out.addresses.push_back(Write(row));
  return out;
}

// There is no DNS: an address has no domain name, and so says only what it is.
aws::Outcome<api::DescribeAddressesAttributeResult> DescribeAddressesAttribute(
    const Ec2Options& options, const aws::RequestContext& context,
    const api::DescribeAddressesAttributeRequest& in) {
  OUTCOME_ASSIGN(const auto addresses,
                 Load<vpc::ElasticAddress>(options.network.store, in.allocation_ids));
  std::vector<Row> rows;
  for (const vpc::ElasticAddress& address : addresses)
    rows.push_back({address, context.account_id, options.network.region.name});
  OUTCOME_ASSIGN(const auto page,
                 TakePage(kAddresses, std::move(rows), in.max_results, in.next_token));
  api::DescribeAddressesAttributeResult out;
  for (const Row& row : page.records)
    out.addresses.push_back(
        {.public_ip = row.address.address.ToString(), .allocation_id = row.address.id.str()});
  out.next_token = page.next_token;
  return out;
}

aws::Outcome<vpc::Interface> FindTarget(store::Store& store,
                                        const api::AssociateAddressRequest& in) {
  if (in.instance_id)
    return aws::Refuse("InvalidInstanceID.NotFound",
                       fmt::format("The instance ID '{}' does not exist", *in.instance_id));
  if (!in.network_interface_id)
    return aws::Refuse(
        aws::MissingParameter("Either 'instanceId' or 'networkInterfaceId' must be specified"));
  OUTCOME_ASSIGN(vpc::Interface interface, Find<vpc::Interface>(store, *in.network_interface_id));
  if (in.private_ip_address.value_or(interface.address.ToString()) != interface.address.ToString())
    return aws::Refuse(aws::InvalidParameterValue(fmt::format(
        "{} is not assigned to interface {}", *in.private_ip_address, interface.id.str())));
  return interface;
}

aws::Outcome<api::AssociateAddressResult> AssociateAddress(const Ec2Options& options,
                                                           const aws::RequestContext&,
                                                           const api::AssociateAddressRequest& in) {
  store::Store& store = options.network.store;
  vpc::ElasticAddress associated;
  OUTCOME_TRY(Change(store, [&](store::Transaction& transaction) -> aws::Outcome<void> {
    OUTCOME_ASSIGN(const auto address, FindAddress(store, in.allocation_id, in.public_ip));
    OUTCOME_ASSIGN(const vpc::Interface interface, FindTarget(store, in));
    OUTCOME_ASSIGN(associated, Translated(vpc::AssociateAddress(
                                              options.network, transaction,
                                              {.address = address.id,
                                               .interface = interface.id,
                                               .take_over = in.allow_reassociation.value_or(true)}),
                                          {{Code::kAlreadyExists, "Resource.AlreadyAssociated"},
                                           {Code::kFailedState, "Gateway.NotAttached"},
                                           {Code::kPermission, "OperationNotPermitted"}}));
    return {};
  }));
  return api::AssociateAddressResult{.association_id = associated.association};
}

aws::Outcome<vpc::ElasticAddress> FindAssociated(store::Store& store,
                                                 const api::DisassociateAddressRequest& in) {
  if (!in.association_id) return FindAddress(store, std::nullopt, in.public_ip);
  OUTCOME_ASSIGN(auto addresses, Translated(vpc::List<vpc::ElasticAddress>(store)));
  const auto found =
      std::ranges::find(addresses, *in.association_id, &vpc::ElasticAddress::association);
  if (in.association_id->empty() || found == addresses.end())
    return aws::Refuse("InvalidAssociationID.NotFound",
                       fmt::format("The association ID '{}' does not exist", *in.association_id));
  return std::move(*found);
}

aws::Outcome<aws::Empty> DisassociateAddress(const Ec2Options& options, const aws::RequestContext&,
                                             const api::DisassociateAddressRequest& in) {
  store::Store& store = options.network.store;
  OUTCOME_TRY(Change(store, [&](store::Transaction& transaction) -> aws::Outcome<void> {
    OUTCOME_ASSIGN(const auto address, FindAssociated(store, in));
    return Translated(vpc::DisassociateAddress(options.network, transaction, address.id),
                      {{Code::kPermission, "OperationNotPermitted"}});
  }));
  return aws::Empty{};
}

}  // namespace

void RegisterAddresses(aws::Service& service, const Ec2Options& options) {
  Serve<api::AllocateAddress>(service, options, AllocateAddress);
  Serve<api::ReleaseAddress>(service, options, ReleaseAddress);
  Serve<api::DescribeAddresses>(service, options, DescribeAddresses);
  Serve<api::DescribeAddressesAttribute>(service, options, DescribeAddressesAttribute);
  Serve<api::AssociateAddress>(service, options, AssociateAddress);
  Serve<api::DisassociateAddress>(service, options, DisassociateAddress);
}

}  // namespace howdah::services::ec2
