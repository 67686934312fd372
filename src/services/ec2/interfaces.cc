// Network interface operations. An interface that a service made (each database node has one) can
// be seen here and not deleted.
#include "vpc/interfaces.h"

#include <fmt/format.h>

#include "services/ec2/client_tokens.h"
#include "services/ec2/handlers.h"
#include "services/ec2/interface_view.h"
#include "services/ec2/serve.h"
#include "services/ec2/tags.h"

namespace howdah::services::ec2 {
namespace {

aws::Outcome<void> CheckServed(const api::CreateNetworkInterfaceRequest& in) {
  if (!in.ipv6_addresses.empty() || in.ipv6_address_count.value_or(0) > 0 ||
      !in.ipv6_prefixes.empty() || in.ipv6_prefix_count || in.enable_primary_ipv6.value_or(false))
    return aws::Refuse(Unsupported("Ipv6Addresses", "a VPC has IPv4 only."));
  if (!in.ipv4_prefixes.empty() || in.ipv4_prefix_count.value_or(0) > 0)
    return aws::Refuse(Unsupported("Ipv4Prefixes", "an interface has one address."));
  if (in.secondary_private_ip_address_count.value_or(0) > 0 || in.private_ip_addresses.size() > 1)
    return aws::Refuse(
        Unsupported("SecondaryPrivateIpAddressCount", "an interface has one address."));
  if (in.interface_type.value_or("interface") != "interface")
    return aws::Refuse(Unsupported("InterfaceType", "only 'interface' is served."));
  if (in.connection_tracking_specification)
    return aws::Refuse(Unsupported("ConnectionTrackingSpecification",
                                   "connections are not tracked: they are decided on accept."));
  if (in.operator_) return aws::Refuse(Unsupported("Operator", "there are no operators."));
  return CheckClientToken(in.client_token);
}

aws::Outcome<vpc::NewInterface> ReadWish(const Ec2Options& options,
                                         const aws::RequestContext& context,
                                         const api::CreateNetworkInterfaceRequest& in) {
  OUTCOME_TRY(CheckServed(in));
  vpc::NewInterface wish;
  wish.subnet = vpc::SubnetId(*in.subnet_id);
  for (const std::string& group : in.groups) wish.groups.emplace_back(group);
  std::optional<std::string> address = in.private_ip_address;
  if (!in.private_ip_addresses.empty()) {
    if (address)
      return aws::Refuse(aws::InvalidParameterCombination(
          "PrivateIpAddress and PrivateIpAddresses cannot be used together."));
    address = in.private_ip_addresses.front().private_ip_address;
  }
  if (address) {
    const auto parsed = network::Ipv4::Parse(*address);
    if (!parsed)
      return aws::Refuse(InvalidValue(*address, "privateIpAddress", "Not an IPv4 address."));
    wish.address = *parsed;
  }
  wish.owner = {.requester_managed = false,
                .requester_id = "",
                .description = in.description.value_or(""),
                .owner = "",
                .uid = options.interface_owner};
  wish.now = context.now;
  wish.client_token = in.client_token.value_or("");
  OUTCOME_ASSIGN(wish.tags, ReadTagSpecifications(in.tag_specifications, "network-interface"));
  return wish;
}

// The interface that this client token has made before; the request must say the same again.
aws::Outcome<std::optional<vpc::Interface>> FindMadeBefore(store::Store& store,
                                                           const vpc::NewInterface& wish) {
  if (wish.client_token.empty()) return std::nullopt;
  const auto document = store.Get(vpc::TokenKey(wish.client_token));
  if (!document && document.error().code() == Code::kNotFound) return std::nullopt;
  if (!document) return aws::Refuse(aws::FaultOf(document.error()));
  OUTCOME_ASSIGN(const json::object token, Translated(ParseJsonObject(document->value)));
  OUTCOME_ASSIGN(vpc::Interface interface,
                 Translated(vpc::Get<vpc::Interface>(
                     store, vpc::InterfaceId(JsonString(token, "interface")))));
  const bool same = interface.subnet == wish.subnet &&
                    interface.description == wish.owner.description &&
                    (wish.groups.empty() || interface.groups == wish.groups) &&
                    (!wish.address || interface.address == *wish.address);
  if (!same) return aws::Refuse(TokenMismatch());
  return std::optional(std::move(interface));
}

aws::Outcome<vpc::Interface> Reserve(const Ec2Options& options, store::Transaction& transaction,
                                     const vpc::NewInterface& wish) {
  store::Store& store = options.network.store;
  OUTCOME_ASSIGN(const vpc::Subnet subnet, Find<vpc::Subnet>(store, wish.subnet.str()));
  for (const vpc::GroupId& id : wish.groups) {
    OUTCOME_ASSIGN(const vpc::SecurityGroup group, Find<vpc::SecurityGroup>(store, id.str()));
    if (group.vpc != subnet.vpc)
      return aws::Refuse(aws::InvalidParameterValue(
          "You have specified two resources that belong to different networks."));
  }
  if (wish.groups.size() > vpc::kMaxGroupsPerInterface)
    return aws::Refuse("SecurityGroupsPerInterfaceLimitExceeded",
                       "The maximum number of security groups per interface has been reached.");
  auto interface = vpc::ReserveInterface(options.network, transaction, wish);
  // Without a wished address only a client token can exist already: look again.
  if (!interface && interface.error().code() == Code::kAlreadyExists && !wish.address)
    return aws::Refuse(aws::FaultOf(Error(Code::kConflict, interface.error().what())));
  return Translated(std::move(interface),
                    {{Code::kAlreadyExists, "InvalidIPAddress.InUse"},
                     {Code::kExhausted, "InsufficientFreeAddressesInSubnet",
                      fmt::format("The specified subnet does not have enough free addresses: '{}'.",
                                  wish.subnet.str())}});
}

aws::Outcome<api::CreateNetworkInterfaceResult> CreateNetworkInterface(
    const Ec2Options& options, const aws::RequestContext& context,
    const api::CreateNetworkInterfaceRequest& in) {
  store::Store& store = options.network.store;
  OUTCOME_ASSIGN(const vpc::NewInterface wish, ReadWish(options, context, in));
  vpc::Interface made;
  OUTCOME_TRY(Change(store, [&](store::Transaction& transaction) -> aws::Outcome<void> {
    OUTCOME_ASSIGN(const auto before, FindMadeBefore(store, wish));
    if (before) {
      made = *before;
      return {};
    }
    OUTCOME_ASSIGN(made, Reserve(options, transaction, wish));
    return {};
  }));
  OUTCOME_ASSIGN(const auto rows, RowsOf(options.network, context.account_id, {made}));
  api::CreateNetworkInterfaceResult out;
  out.network_interface = Write(rows.front());
  out.client_token = in.client_token;
  return out;
}

aws::Outcome<api::DescribeNetworkInterfacesResult> DescribeNetworkInterfaces(
    const Ec2Options& options, const aws::RequestContext& context,
    const api::DescribeNetworkInterfacesRequest& in) {
  store::Store& store = options.network.store;
  const auto& ids = in.network_interface_ids;
  OUTCOME_ASSIGN(const auto interfaces, Load<vpc::Interface>(store, ids));
  OUTCOME_ASSIGN(auto rows, RowsOf(options.network, context.account_id, interfaces));
  OUTCOME_ASSIGN(const auto page, Select(kInterfaces, std::move(rows), in, !ids.empty()));
  api::DescribeNetworkInterfacesResult out;
  for (const InterfaceRow& row : page.records) out.network_interfaces.push_back(Write(row));
  out.next_token = page.next_token;
  return out;
}

aws::Outcome<aws::Empty> DeleteNetworkInterface(const Ec2Options& options,
                                                const aws::RequestContext&,
                                                const api::DeleteNetworkInterfaceRequest& in) {
  store::Store& store = options.network.store;
  OUTCOME_TRY(Change(store, [&](store::Transaction& transaction) -> aws::Outcome<void> {
    OUTCOME_ASSIGN(const vpc::Interface interface,
                   Find<vpc::Interface>(store, *in.network_interface_id));
    if (interface.requester_managed)
      return aws::Refuse("OperationNotPermitted",
                         fmt::format("The network interface '{}' is managed by {}: it goes "
                                     "when what it belongs to is deleted.",
                                     interface.id.str(), interface.requester_id));
    return Translated(vpc::ReleaseInterface(options.network, transaction, interface.id));
  }));
  return aws::Empty{};
}

}  // namespace

void RegisterInterfaces(aws::Service& service, const Ec2Options& options) {
  Serve<api::CreateNetworkInterface>(service, options, CreateNetworkInterface);
  Serve<api::DescribeNetworkInterfaces>(service, options, DescribeNetworkInterfaces);
  Serve<api::DeleteNetworkInterface>(service, options, DeleteNetworkInterface);
}

}  // namespace howdah::services::ec2
