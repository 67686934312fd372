// AWS::EC2::Subnet.
#include "services/cloudformation/providers/ec2_tags.h"

namespace howdah::cfn {

namespace {

class SubnetProvider : public Provider {
 public:
  using Provider::Provider;

  aws::Outcome<std::optional<std::string>> Find(const Subject& subject,
                                                const json::object&) const override {
    OUTCOME_ASSIGN(const auto found, Invoke<ec2::DescribeSubnets>(services_.ec2, subject.context,
                                                                  {.filters = MadeBy(subject)}));
    if (found.subnets.empty()) return std::nullopt;
    return found.subnets[0].subnet_id;
  }

  aws::Outcome<std::string> Create(const Subject& subject,
                                   const json::object& properties) const override {
    json::object known = WithoutTags(properties);
    known.erase("MapPublicIpOnLaunch");
    OUTCOME_ASSIGN(auto request, RequestFrom<ec2::CreateSubnet>(known));
    request.tag_specifications = TagsOnCreate(subject, properties, "subnet");
    OUTCOME_ASSIGN(const auto made,
                   Invoke<ec2::CreateSubnet>(services_.ec2, subject.context, request));
    return made.subnet->subnet_id.value_or("");
  }

  aws::Outcome<void> Configure(const Subject& subject,
                               const json::object& properties) const override {
    if (!properties.contains("MapPublicIpOnLaunch")) return {};
    ec2::ModifySubnetAttributeRequest request;
    request.subnet_id = subject.id();
    request.map_public_ip_on_launch =
        ec2::AttributeBooleanValue{JsonBool(properties, "MapPublicIpOnLaunch")};
    OUTCOME_TRY(Invoke<ec2::ModifySubnetAttribute>(services_.ec2, subject.context, request));
    return {};
  }

  aws::Outcome<void> Update(const Subject& subject, const json::object& before,
                            const json::object& after,
                            const std::vector<std::string>& changed) const override {
    json::object wanted = after;
    if (Mentions(changed, "MapPublicIpOnLaunch")) wanted.emplace("MapPublicIpOnLaunch", false);
    OUTCOME_TRY(Configure(subject, wanted));
    return UpdateTags(services_, subject, before, after);
  }

  aws::Outcome<std::optional<json::object>> Read(const Subject& subject,
                                                 const json::object& expected) const override {
    OUTCOME_ASSIGN(const auto found, Invoke<ec2::DescribeSubnets>(services_.ec2, subject.context,
                                                                  {.subnet_ids = {subject.id()}}));
    if (found.subnets.empty()) return std::nullopt;
    const auto& subnet = found.subnets[0];
    json::object actual =
        ReadMembers(ItemShape(ec2::DescribeSubnets::Desc(), "Subnets"), &subnet, expected);
    if (expected.contains("Tags")) {
      actual.emplace("Tags", OwnTags(subject, TagsOf(subnet.tags), expected));
    }
    return actual;
  }

  aws::Outcome<bool> Delete(const Subject& subject) const override {
    OUTCOME_TRY(
        Invoke<ec2::DeleteSubnet>(services_.ec2, subject.context, {.subnet_id = subject.id()}));
    return true;
  }

  aws::Outcome<json::value> Attribute(const Subject& subject,
                                      std::string_view name) const override {
    if (name == "SubnetId") return TextValue(subject.id());
    OUTCOME_ASSIGN(const auto found, Invoke<ec2::DescribeSubnets>(services_.ec2, subject.context,
                                                                  {.subnet_ids = {subject.id()}}));
    if (found.subnets.empty()) return aws::Refuse("InvalidSubnetID.NotFound", "the subnet is gone");
    const ec2::Subnet& subnet = found.subnets[0];
    if (name == "AvailabilityZone") return TextValue(subnet.availability_zone);
    return TextValue(name == "VpcId" ? subnet.vpc_id : subnet.cidr_block);
  }
};

}  // namespace

std::unique_ptr<Provider> MakeSubnetProvider(const Services& services) {
  return std::make_unique<SubnetProvider>(services);
}

}  // namespace howdah::cfn
