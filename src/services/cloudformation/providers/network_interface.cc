// AWS::EC2::NetworkInterface.
#include "services/cloudformation/providers/ec2_tags.h"

namespace howdah::cfn {

namespace {

class NetworkInterfaceProvider : public Provider {
 public:
  using Provider::Provider;

  aws::Outcome<std::optional<std::string>> Find(const Subject& subject,
                                                const json::object&) const override {
    OUTCOME_ASSIGN(const auto found,
                   Invoke<ec2::DescribeNetworkInterfaces>(services_.ec2, subject.context,
                                                          {.filters = MadeBy(subject)}));
    if (found.network_interfaces.empty()) return std::nullopt;
    return found.network_interfaces[0].network_interface_id;
  }

  aws::Outcome<std::string> Create(const Subject& subject,
                                   const json::object& properties) const override {
    json::object known = WithoutTags(properties);
    if (const json::value* groups = properties.if_contains("GroupSet")) {
      known.erase("GroupSet");
      known.emplace("Groups", *groups);
    }
    OUTCOME_ASSIGN(auto request, RequestFrom<ec2::CreateNetworkInterface>(known));
    request.tag_specifications = TagsOnCreate(subject, properties, "network-interface");
    OUTCOME_ASSIGN(const auto made,
                   Invoke<ec2::CreateNetworkInterface>(services_.ec2, subject.context, request));
    return made.network_interface->network_interface_id.value_or("");
  }

  aws::Outcome<void> Update(const Subject& subject, const json::object& before,
                            const json::object& after,
                            const std::vector<std::string>& changed) const override {
    // One attribute a call, as the API wants it. Without a list it keeps the groups that it has.
    if (Mentions(changed, "Description")) {
      ec2::ModifyNetworkInterfaceAttributeRequest request;
      request.network_interface_id = subject.id();
      request.description = ec2::AttributeValue{TextOf(after, "Description")};
      OUTCOME_TRY(
          Invoke<ec2::ModifyNetworkInterfaceAttribute>(services_.ec2, subject.context, request));
    }
    if (Mentions(changed, "GroupSet") && after.contains("GroupSet")) {
      ec2::ModifyNetworkInterfaceAttributeRequest request;
      request.network_interface_id = subject.id();
      request.groups = aws::List<std::string>(JsonStrings(after, "GroupSet"));
      OUTCOME_TRY(
          Invoke<ec2::ModifyNetworkInterfaceAttribute>(services_.ec2, subject.context, request));
    }
    return UpdateTags(services_, subject, before, after);
  }

  aws::Outcome<std::optional<json::object>> Read(const Subject& subject,
                                                 const json::object& expected) const override {
    OUTCOME_ASSIGN(const auto found,
                   Invoke<ec2::DescribeNetworkInterfaces>(
                       services_.ec2, subject.context, {.network_interface_ids = {subject.id()}}));
    if (found.network_interfaces.empty()) return std::nullopt;
    const auto& interface = found.network_interfaces[0];
    json::object actual =
        ReadMembers(ItemShape(ec2::DescribeNetworkInterfaces::Desc(), "NetworkInterfaces"),
                    &interface, expected);
    if (expected.contains("GroupSet")) {
      json::array groups;
      for (const auto& group : interface.groups) groups.push_back(TextValue(group.group_id));
      actual.emplace("GroupSet", std::move(groups));
    }
    if (expected.contains("Tags")) {
      actual.emplace("Tags", OwnTags(subject, TagsOf(interface.tag_set), expected));
    }
    return actual;
  }

  aws::Outcome<bool> Delete(const Subject& subject) const override {
    OUTCOME_TRY(Invoke<ec2::DeleteNetworkInterface>(services_.ec2, subject.context,
                                                    {.network_interface_id = subject.id()}));
    return true;
  }

  aws::Outcome<json::value> Attribute(const Subject& subject,
                                      std::string_view name) const override {
    if (name == "Id") return TextValue(subject.id());
    OUTCOME_ASSIGN(const auto found,
                   Invoke<ec2::DescribeNetworkInterfaces>(
                       services_.ec2, subject.context, {.network_interface_ids = {subject.id()}}));
    if (found.network_interfaces.empty()) {
      return aws::Refuse("InvalidNetworkInterfaceID.NotFound", "the network interface is gone");
    }
    const ec2::NetworkInterface& interface = found.network_interfaces[0];
    return TextValue(name == "VpcId" ? interface.vpc_id : interface.private_ip_address);
  }
};

}  // namespace

std::unique_ptr<Provider> MakeNetworkInterfaceProvider(const Services& services) {
  return std::make_unique<NetworkInterfaceProvider>(services);
}

}  // namespace howdah::cfn
