// AWS::EC2::VPC.
#include "services/cloudformation/providers/ec2_tags.h"

namespace howdah::cfn {

namespace {

class VpcProvider : public Provider {
 public:
  using Provider::Provider;

  aws::Outcome<std::optional<std::string>> Find(const Subject& subject,
                                                const json::object&) const override {
    OUTCOME_ASSIGN(const auto found, Invoke<ec2::DescribeVpcs>(services_.ec2, subject.context,
                                                               {.filters = MadeBy(subject)}));
    if (found.vpcs.empty()) return std::nullopt;
    return found.vpcs[0].vpc_id;
  }

  aws::Outcome<std::string> Create(const Subject& subject,
                                   const json::object& properties) const override {
    json::object known = WithoutTags(properties);
    known.erase("EnableDnsSupport");
    known.erase("EnableDnsHostnames");
    OUTCOME_ASSIGN(auto request, RequestFrom<ec2::CreateVpc>(known));
    request.tag_specifications = TagsOnCreate(subject, properties, "vpc");
    OUTCOME_ASSIGN(const auto made,
                   Invoke<ec2::CreateVpc>(services_.ec2, subject.context, request));
    return made.vpc->vpc_id.value_or("");
  }

  // One attribute a call, as the API wants it.
  aws::Outcome<void> Configure(const Subject& subject,
                               const json::object& properties) const override {
    if (properties.contains("EnableDnsSupport")) {
      OUTCOME_TRY(Modify(subject, {.enable_dns_support = ec2::AttributeBooleanValue{
                                       JsonBool(properties, "EnableDnsSupport")}}));
    }
    if (properties.contains("EnableDnsHostnames")) {
      OUTCOME_TRY(Modify(subject, {.enable_dns_hostnames = ec2::AttributeBooleanValue{
                                       JsonBool(properties, "EnableDnsHostnames")}}));
    }
    return {};
  }

  aws::Outcome<void> Update(const Subject& subject, const json::object& before,
                            const json::object& after,
                            const std::vector<std::string>& changed) const override {
    json::object wanted = after;  // a property that went away has its default again
    if (Mentions(changed, "EnableDnsSupport")) wanted.emplace("EnableDnsSupport", true);
    if (Mentions(changed, "EnableDnsHostnames")) wanted.emplace("EnableDnsHostnames", false);
    OUTCOME_TRY(Configure(subject, wanted));
    return UpdateTags(services_, subject, before, after);
  }

  aws::Outcome<std::optional<json::object>> Read(const Subject& subject,
                                                 const json::object& expected) const override {
    OUTCOME_ASSIGN(const auto found, Invoke<ec2::DescribeVpcs>(services_.ec2, subject.context,
                                                               {.vpc_ids = {subject.id()}}));
    if (found.vpcs.empty()) return std::nullopt;
    const auto& vpc = found.vpcs[0];
    json::object actual = ReadMembers(ItemShape(ec2::DescribeVpcs::Desc(), "Vpcs"), &vpc, expected);
    for (const char* name : {"EnableDnsSupport", "EnableDnsHostnames"}) {
      if (!expected.contains(name)) continue;
      OUTCOME_ASSIGN(const bool value, Flag(subject, std::string(name)));
      actual.emplace(name, value);
    }
    if (expected.contains("Tags")) {
      actual.emplace("Tags", OwnTags(subject, TagsOf(vpc.tags), expected));
    }
    return actual;
  }

  aws::Outcome<bool> Delete(const Subject& subject) const override {
    OUTCOME_TRY(Invoke<ec2::DeleteVpc>(services_.ec2, subject.context, {.vpc_id = subject.id()}));
    return true;
  }

  aws::Outcome<json::value> Attribute(const Subject& subject,
                                      std::string_view name) const override {
    if (name == "VpcId") return TextValue(subject.id());
    if (name == "DefaultSecurityGroup") return DefaultGroup(subject);
    OUTCOME_ASSIGN(const auto found, Invoke<ec2::DescribeVpcs>(services_.ec2, subject.context,
                                                               {.vpc_ids = {subject.id()}}));
    if (found.vpcs.empty()) return aws::Refuse("InvalidVpcID.NotFound", "the VPC is gone");
    return TextValue(found.vpcs[0].cidr_block);
  }

 private:
  // By the property's name; the API's begins with a small letter.
  aws::Outcome<bool> Flag(const Subject& subject, std::string name) const {
    name[0] = 'e';
    ec2::DescribeVpcAttributeRequest request;
    request.attribute = name;
    request.vpc_id = subject.id();
    OUTCOME_ASSIGN(const auto found,
                   Invoke<ec2::DescribeVpcAttribute>(services_.ec2, subject.context, request));
    const auto& value =
        name == "enableDnsSupport" ? found.enable_dns_support : found.enable_dns_hostnames;
    return value && value->value.value_or(false);
  }

  aws::Outcome<void> Modify(const Subject& subject, ec2::ModifyVpcAttributeRequest request) const {
    request.vpc_id = subject.id();
    OUTCOME_TRY(Invoke<ec2::ModifyVpcAttribute>(services_.ec2, subject.context, request));
    return {};
  }

  aws::Outcome<json::value> DefaultGroup(const Subject& subject) const {
    ec2::DescribeSecurityGroupsRequest request;
    request.filters = {ec2::Filter{.name = "vpc-id", .values = {subject.id()}},
                       ec2::Filter{.name = "group-name", .values = {"default"}}};
    OUTCOME_ASSIGN(const auto found,
                   Invoke<ec2::DescribeSecurityGroups>(services_.ec2, subject.context, request));
    if (found.security_groups.empty()) {
      return aws::Refuse("InvalidGroup.NotFound", "the VPC has no default group");
    }
    return TextValue(found.security_groups[0].group_id);
  }
};

}  // namespace

std::unique_ptr<Provider> MakeVpcProvider(const Services& services) {
  return std::make_unique<VpcProvider>(services);
}

}  // namespace howdah::cfn
