// Attributes of network interfaces, and attaching them: there are no EC2 instances, so an interface
// is attached only where a service has made it for something of its own.
#include <fmt/format.h>

#include <algorithm>

#include "services/ec2/handlers.h"
#include "services/ec2/interface_view.h"
#include "services/ec2/serve.h"
#include "vpc/interfaces.h"

namespace howdah::services::ec2 {
namespace {

aws::Fault Managed(const vpc::Interface& interface) {
  return {"OperationNotPermitted", 400,
          fmt::format("The network interface '{}' is managed by {}: it follows what it belongs to.",
                      interface.id.str(), interface.requester_id),
          true};
}

aws::Outcome<void> CheckServed(const api::ModifyNetworkInterfaceAttributeRequest& in) {
  if (in.ena_srd_specification) return aws::Refuse(Unsupported("EnaSrdSpecification", "no ENA."));
  if (in.enable_primary_ipv6)
    return aws::Refuse(Unsupported("EnablePrimaryIpv6", "a VPC has IPv4 only."));
  if (in.connection_tracking_specification)
    return aws::Refuse(Unsupported("ConnectionTrackingSpecification",
                                   "connections are not tracked: they are decided on accept."));
  if (in.associate_public_ip_address)
    return aws::Refuse(Unsupported("AssociatePublicIpAddress", "there are no instances."));
  if (in.associated_subnet_ids.present())
    return aws::Refuse(Unsupported("AssociatedSubnetIds", "an interface is in one subnet."));
  if (in.attachment)
    return aws::Refuse("InvalidAttachmentID.NotFound",
                       fmt::format("The attachment '{}' does not exist",
                                   in.attachment->attachment_id.value_or("")));
  const int given = int{in.description.has_value()} + int{in.source_dest_check.has_value()} +
                    int{!in.groups.empty()};
  if (given == 0)
    return aws::Refuse(aws::MissingParameter("The request must contain an attribute to modify"));
  if (given > 1)
    return aws::Refuse(aws::InvalidParameterCombination(
        "Fields for multiple attribute types specified: one attribute a request"));
  return {};
}

aws::Outcome<std::vector<vpc::GroupId>> ReadGroups(store::Store& store,
                                                   const vpc::Interface& interface,
                                                   const aws::List<std::string>& ids) {
  std::vector<vpc::GroupId> groups;
  for (const std::string& id : ids) {
    OUTCOME_ASSIGN(const auto group, Find<vpc::SecurityGroup>(store, id));
    if (group.vpc != interface.vpc)
      return aws::Refuse(aws::InvalidParameterValue(
          "You have specified two resources that belong to different networks."));
    groups.push_back(group.id);
  }
  return groups;
}

aws::Outcome<aws::Empty> ModifyNetworkInterfaceAttribute(
    const Ec2Options& options, const aws::RequestContext&,
    const api::ModifyNetworkInterfaceAttributeRequest& in) {
  OUTCOME_TRY(CheckServed(in));
  store::Store& store = options.network.store;
  vpc::InterfaceChange change;
  if (in.description) change.description = in.description->value.value_or("");
  if (in.source_dest_check) change.source_dest_check = in.source_dest_check->value;
  OUTCOME_TRY(Change(store, [&](store::Transaction& transaction) -> aws::Outcome<void> {
    OUTCOME_ASSIGN(const auto interface, Find<vpc::Interface>(store, *in.network_interface_id));
    if (interface.requester_managed) return aws::Refuse(Managed(interface));
    if (in.groups.empty())
      return Translated(vpc::ModifyInterface(options.network, transaction, interface.id, change));
    OUTCOME_ASSIGN(const auto groups, ReadGroups(store, interface, in.groups));
    return Translated(vpc::SetInterfaceGroups(options.network, transaction, interface.id, groups),
                      {{Code::kExhausted, "SecurityGroupsPerInterfaceLimitExceeded"}});
  }));
  return aws::Empty{};
}

aws::Outcome<api::DescribeNetworkInterfaceAttributeResult> DescribeNetworkInterfaceAttribute(
    const Ec2Options& options, const aws::RequestContext& context,
    const api::DescribeNetworkInterfaceAttributeRequest& in) {
  if (!in.attribute)
    return aws::Refuse(aws::MissingParameter("The request must contain the parameter attribute"));
  OUTCOME_ASSIGN(const auto interface,
                 Find<vpc::Interface>(options.network.store, *in.network_interface_id));
  OUTCOME_ASSIGN(const auto rows, RowsOf(options.network, context.account_id, {interface}));
  api::DescribeNetworkInterfaceAttributeResult out;
  out.network_interface_id = interface.id.str();
  if (*in.attribute == "description")
    out.description = api::AttributeValue{.value = interface.description};
  if (*in.attribute == "groupSet") out.groups = WriteGroups(rows.front());
  if (*in.attribute == "sourceDestCheck")
    out.source_dest_check = api::AttributeBooleanValue{.value = interface.source_dest_check};
  if (*in.attribute == "attachment") out.attachment = WriteAttachment(interface);
  if (*in.attribute == "associatePublicIpAddress") out.associate_public_ip_address = false;
  return out;
}

aws::Outcome<api::AttachNetworkInterfaceResult> AttachNetworkInterface(
    const Ec2Options& options, const aws::RequestContext&,
    const api::AttachNetworkInterfaceRequest& in) {
  OUTCOME_TRY(Find<vpc::Interface>(options.network.store, *in.network_interface_id));
  return aws::Refuse("InvalidInstanceID.NotFound",
                     fmt::format("The instance ID '{}' does not exist", *in.instance_id));
}

aws::Outcome<aws::Empty> DetachNetworkInterface(const Ec2Options& options,
                                                const aws::RequestContext&,
                                                const api::DetachNetworkInterfaceRequest& in) {
  OUTCOME_ASSIGN(const auto interfaces,
                 Translated(vpc::List<vpc::Interface>(options.network.store)));
  for (const vpc::Interface& interface : interfaces) {
    const auto attachment = WriteAttachment(interface);
    if (attachment && attachment->attachment_id == in.attachment_id)
      return aws::Refuse("OperationNotPermitted",
                         "You are not allowed to manage 'ela-attach' attachments.");
  }
  return aws::Refuse("InvalidAttachmentID.NotFound",
                     fmt::format("The attachment '{}' does not exist", *in.attachment_id));
}

}  // namespace

void RegisterInterfaceAttributes(aws::Service& service, const Ec2Options& options) {
  Serve<api::ModifyNetworkInterfaceAttribute>(service, options, ModifyNetworkInterfaceAttribute);
  Serve<api::DescribeNetworkInterfaceAttribute>(service, options,
                                                DescribeNetworkInterfaceAttribute);
  Serve<api::AttachNetworkInterface>(service, options, AttachNetworkInterface);
  Serve<api::DetachNetworkInterface>(service, options, DetachNetworkInterface);
}

}  // namespace howdah::services::ec2
