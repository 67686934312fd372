// Network interface operations. An interface that a service made (each database node has one) can
// be seen here and not deleted.
#include "vpc/interfaces.h"

#include <fmt/format.h>

#include <algorithm>

#include "services/ec2/handlers.h"
#include "services/ec2/selection.h"
#include "services/ec2/tags.h"

namespace howdah::services::ec2 {
namespace {

constexpr std::size_t kMaxClientToken = 64;

constexpr std::string_view kFilters[] = {"addresses.primary",
                                         "addresses.private-ip-address",
                                         "attachment.attachment-id",
                                         "attachment.instance-id",
                                         "attachment.instance-owner-id",
                                         "attachment.status",
                                         "availability-zone",
                                         "availability-zone-id",
                                         "description",
                                         "group-id",
                                         "group-name",
                                         "interface-type",
                                         "mac-address",
                                         "network-interface-id",
                                         "owner-id",
                                         "private-ip-address",
                                         "requester-id",
                                         "requester-managed",
                                         "source-dest-check",
                                         "status",
                                         "subnet-id",
                                         "vpc-id"};

using GroupNames = std::map<vpc::GroupId, std::string>;

aws::Outcome<GroupNames> ListGroupNames(store::Store& store) {
  OUTCOME_ASSIGN(const auto groups, Translated(vpc::List<vpc::SecurityGroup>(store)));
  GroupNames names;
  for (const vpc::SecurityGroup& group : groups) names[group.id] = group.name;
  return names;
}

std::string NameOf(const GroupNames& names, const vpc::GroupId& id) {
  const auto found = names.find(id);
  return found == names.end() ? "" : found->second;
}

std::string StatusOf(const vpc::Interface& interface) {
  return interface.requester_managed ? "in-use" : "available";
}

std::string AttachmentOf(const vpc::Interface& interface) {
  return "ela-attach-" + interface.id.str().substr(vpc::kInterfacePrefix.size());
}

Attributes AttributesOf(const vpc::Interface& interface, const GroupNames& names,
                        const vpc::Region& region, const std::string& account) {
  Attributes attributes;
  attributes.Add("addresses.primary", true);
  attributes.Add("addresses.private-ip-address", interface.address.ToString());
  attributes.Add("private-ip-address", interface.address.ToString());
  if (interface.requester_managed) {
    attributes.Add("attachment.attachment-id", AttachmentOf(interface));
    attributes.Add("attachment.instance-owner-id", interface.requester_id);
    attributes.Add("attachment.status", "attached");
  }
  attributes.Add("availability-zone", interface.zone);
  if (const vpc::Zone* zone = region.Find(interface.zone))
    attributes.Add("availability-zone-id", zone->id);
  attributes.Add("description", interface.description);
  for (const vpc::GroupId& group : interface.groups) {
    attributes.Add("group-id", group.str());
    attributes.Add("group-name", NameOf(names, group));
  }
  attributes.Add("interface-type", "interface");
  attributes.Add("mac-address", interface.mac_address);
  attributes.Add("network-interface-id", interface.id.str());
  attributes.Add("owner-id", account);
  attributes.Add("requester-id", interface.requester_id);
  attributes.Add("requester-managed", interface.requester_managed);
  attributes.Add("source-dest-check", true);
  attributes.Add("status", StatusOf(interface));
  attributes.Add("subnet-id", interface.subnet.str());
  attributes.Add("vpc-id", interface.vpc.str());
  attributes.AddTags(interface.tags);
  return attributes;
}

api::NetworkInterface Write(const vpc::Interface& interface, const GroupNames& names,
                            const vpc::Region& region, const std::string& account) {
  api::NetworkInterface out;
  out.network_interface_id = interface.id.str();
  out.vpc_id = interface.vpc.str();
  out.subnet_id = interface.subnet.str();
  out.availability_zone = interface.zone;
  if (const vpc::Zone* zone = region.Find(interface.zone)) out.availability_zone_id = zone->id;
  out.description = interface.description;
  out.owner_id = account;
  out.interface_type = "interface";
  out.mac_address = interface.mac_address;
  out.private_ip_address = interface.address.ToString();
  out.private_ip_addresses.push_back(
      {.primary = true, .private_ip_address = interface.address.ToString()});
  out.requester_managed = interface.requester_managed;
  if (!interface.requester_id.empty()) out.requester_id = interface.requester_id;
  out.source_dest_check = true;
  out.status = StatusOf(interface);
  for (const vpc::GroupId& group : interface.groups)
    out.groups.push_back({.group_id = group.str(), .group_name = NameOf(names, group)});
  out.tag_set = WriteTags(interface.tags);
  if (interface.requester_managed) {
    api::NetworkInterfaceAttachment attachment;
    attachment.attachment_id = AttachmentOf(interface);
    attachment.attach_time = interface.created;
    attachment.delete_on_termination = false;
    attachment.device_index = 1;
    attachment.instance_owner_id = interface.requester_id;
    attachment.status = "attached";
    out.attachment = attachment;
  }
  return out;
}

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
  if (in.client_token.value_or("").size() > kMaxClientToken)
    return aws::Refuse(InvalidValue("…", "clientToken", "It is longer than 64 characters."));
  return {};
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
aws::Outcome<std::optional<vpc::Interface>> FindByToken(store::Store& store,
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
  if (!same)
    return aws::Refuse("IdempotentParameterMismatch",
                       "The client token was used before with other parameters.");
  return std::optional(std::move(interface));
}

aws::Outcome<vpc::Interface> Reserve(const Ec2Options& options, store::Transaction& transaction,
                                     const vpc::NewInterface& wish) {
  store::Store& store = options.network.store;
  OUTCOME_ASSIGN(const vpc::Subnet subnet, FindSubnet(store, wish.subnet.str()));
  for (const vpc::GroupId& id : wish.groups) {
    OUTCOME_ASSIGN(const vpc::SecurityGroup group, FindGroup(store, id.str()));
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
    OUTCOME_ASSIGN(const auto before, FindByToken(store, wish));
    if (before) {
      made = *before;
      return {};
    }
    OUTCOME_ASSIGN(made, Reserve(options, transaction, wish));
    return {};
  }));
  OUTCOME_ASSIGN(const GroupNames names, ListGroupNames(store));
  api::CreateNetworkInterfaceResult out;
  out.network_interface = Write(made, names, options.network.region, context.account_id);
  out.client_token = in.client_token;
  return out;
}

aws::Outcome<api::DescribeNetworkInterfacesResult> DescribeNetworkInterfaces(
    const Ec2Options& options, const aws::RequestContext& context,
    const api::DescribeNetworkInterfacesRequest& in) {
  store::Store& store = options.network.store;
  for (const std::string& id : in.network_interface_ids) OUTCOME_TRY(FindInterface(store, id));
  OUTCOME_ASSIGN(auto interfaces, Translated(vpc::List<vpc::Interface>(store)));
  OUTCOME_ASSIGN(const GroupNames names, ListGroupNames(store));
  const vpc::Region& region = options.network.region;
  OUTCOME_ASSIGN(const auto page,
                 Select<vpc::Interface>(std::move(interfaces), in.network_interface_ids, in,
                                        kFilters, [&](const vpc::Interface& interface) {
                                          return AttributesOf(interface, names, region,
                                                              context.account_id);
                                        }));
  api::DescribeNetworkInterfacesResult out;
  for (const vpc::Interface& interface : page.records)
    out.network_interfaces.push_back(Write(interface, names, region, context.account_id));
  out.next_token = page.next_token;
  return out;
}

aws::Outcome<aws::Empty> DeleteNetworkInterface(const Ec2Options& options,
                                                const api::DeleteNetworkInterfaceRequest& in) {
  store::Store& store = options.network.store;
  OUTCOME_TRY(Change(store, [&](store::Transaction& transaction) -> aws::Outcome<void> {
    OUTCOME_ASSIGN(const vpc::Interface interface, FindInterface(store, *in.network_interface_id));
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
  service.Register<api::CreateNetworkInterface>([options](const auto& context, const auto& in) {
    return CreateNetworkInterface(options, context, in);
  });
  service.Register<api::DescribeNetworkInterfaces>([options](const auto& context, const auto& in) {
    return DescribeNetworkInterfaces(options, context, in);
  });
  service.Register<api::DeleteNetworkInterface>(
      [options](const auto&, const auto& in) { return DeleteNetworkInterface(options, in); });
}

}  // namespace howdah::services::ec2
