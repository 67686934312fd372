// AWS::EC2::InternetGateway, AWS::EC2::VPCGatewayAttachment, AWS::EC2::EIP, AWS::EC2::NatGateway.
// They are records: Howdah routes nothing.
#include "services/cloudformation/providers/ec2_tags.h"

namespace howdah::cfn {

namespace {

class InternetGatewayProvider : public Provider {
 public:
  using Provider::Provider;

  aws::Outcome<std::optional<std::string>> Find(const Subject& subject,
                                                const json::object&) const override {
    OUTCOME_ASSIGN(const auto found,
                   Invoke<ec2::DescribeInternetGateways>(services_.ec2, subject.context,
                                                         {.filters = MadeBy(subject)}));
    if (found.internet_gateways.empty()) return std::nullopt;
    return found.internet_gateways[0].internet_gateway_id;
  }

  aws::Outcome<std::string> Create(const Subject& subject,
                                   const json::object& properties) const override {
    ec2::CreateInternetGatewayRequest request;
    request.tag_specifications = TagsOnCreate(subject, properties, "internet-gateway");
    OUTCOME_ASSIGN(const auto made,
                   Invoke<ec2::CreateInternetGateway>(services_.ec2, subject.context, request));
    return made.internet_gateway->internet_gateway_id.value_or("");
  }

  aws::Outcome<void> Update(const Subject& subject, const json::object& before,
                            const json::object& after,
                            const std::vector<std::string>&) const override {
    return UpdateTags(services_, subject, before, after);
  }

  aws::Outcome<std::optional<json::object>> Read(const Subject& subject,
                                                 const json::object& expected) const override {
    OUTCOME_ASSIGN(const auto found,
                   Invoke<ec2::DescribeInternetGateways>(services_.ec2, subject.context,
                                                         {.internet_gateway_ids = {subject.id()}}));
    if (found.internet_gateways.empty()) return std::nullopt;
    json::object actual;
    actual.emplace("Tags", OwnTags(subject, TagsOf(found.internet_gateways[0].tags), expected));
    return actual;
  }

  aws::Outcome<bool> Delete(const Subject& subject) const override {
    OUTCOME_TRY(Invoke<ec2::DeleteInternetGateway>(services_.ec2, subject.context,
                                                   {.internet_gateway_id = subject.id()}));
    return true;
  }

  aws::Outcome<json::value> Attribute(const Subject& subject, std::string_view) const override {
    return TextValue(subject.id());
  }
};

// Its physical id is "IGW|vpc-1", as on AWS.
class GatewayAttachmentProvider : public Provider {
 public:
  using Provider::Provider;

  aws::Outcome<std::optional<std::string>> Find(const Subject& subject,
                                                const json::object& properties) const override {
    OUTCOME_ASSIGN(const std::string gateway, GatewayOf(subject, TextOf(properties, "VpcId")));
    if (gateway.empty() || gateway != TextOf(properties, "InternetGatewayId")) return std::nullopt;
    return IdOf(properties);
  }

  aws::Outcome<std::string> Create(const Subject& subject,
                                   const json::object& properties) const override {
    OUTCOME_TRY(Invoke<ec2::AttachInternetGateway>(
        services_.ec2, subject.context,
        {.internet_gateway_id = TextOf(properties, "InternetGatewayId"),
         .vpc_id = TextOf(properties, "VpcId")}));
    return IdOf(properties);
  }

  // A VPC has one gateway: the old one must go first.
  aws::Outcome<void> Update(const Subject& subject, const json::object&, const json::object& after,
                            const std::vector<std::string>&) const override {
    OUTCOME_ASSIGN(const std::string gateway, GatewayOf(subject, VpcOf(subject)));
    if (gateway == TextOf(after, "InternetGatewayId")) return {};
    if (!gateway.empty()) {
      OUTCOME_TRY(Invoke<ec2::DetachInternetGateway>(
          services_.ec2, subject.context,
          {.internet_gateway_id = gateway, .vpc_id = VpcOf(subject)}));
    }
    OUTCOME_TRY(Create(subject, after));
    return {};
  }

  aws::Outcome<std::optional<json::object>> Read(const Subject& subject,
                                                 const json::object& expected) const override {
    OUTCOME_ASSIGN(const std::string gateway, GatewayOf(subject, VpcOf(subject)));
    if (gateway.empty()) return std::nullopt;
    json::object actual = expected;
    actual.insert_or_assign("InternetGatewayId", gateway);
    return actual;
  }

  aws::Outcome<bool> Delete(const Subject& subject) const override {
    OUTCOME_ASSIGN(const std::string gateway, GatewayOf(subject, VpcOf(subject)));
    if (gateway.empty()) return true;
    OUTCOME_TRY(Invoke<ec2::DetachInternetGateway>(
        services_.ec2, subject.context,
        {.internet_gateway_id = gateway, .vpc_id = VpcOf(subject)}));
    return true;
  }

  aws::Outcome<json::value> Attribute(const Subject&, std::string_view) const override {
    return TextValue("IGW");
  }

 private:
  static std::string IdOf(const json::object& properties) {
    return "IGW|" + TextOf(properties, "VpcId");
  }
  static std::string VpcOf(const Subject& subject) {
    return subject.id().substr(subject.id().find('|') + 1);
  }
  // The gateway that is attached to the VPC; empty: none.
  aws::Outcome<std::string> GatewayOf(const Subject& subject, const std::string& vpc) const {
    ec2::DescribeInternetGatewaysRequest request;
    request.filters = {ec2::Filter{.name = "attachment.vpc-id", .values = {vpc}}};
    OUTCOME_ASSIGN(const auto found,
                   Invoke<ec2::DescribeInternetGateways>(services_.ec2, subject.context, request));
    if (found.internet_gateways.empty()) return std::string();
    return found.internet_gateways[0].internet_gateway_id.value_or("");
  }
};

// Ref gives the address, and so that is its physical id.
class AddressProvider : public Provider {
 public:
  using Provider::Provider;

  aws::Outcome<std::optional<std::string>> Find(const Subject& subject,
                                                const json::object&) const override {
    OUTCOME_ASSIGN(const auto found, Invoke<ec2::DescribeAddresses>(services_.ec2, subject.context,
                                                                    {.filters = MadeBy(subject)}));
    if (found.addresses.empty()) return std::nullopt;
    return found.addresses[0].public_ip;
  }

  aws::Outcome<std::string> Create(const Subject& subject,
                                   const json::object& properties) const override {
    ec2::AllocateAddressRequest request;
    if (properties.contains("Domain")) request.domain = TextOf(properties, "Domain");
    request.tag_specifications = TagsOnCreate(subject, properties, "elastic-ip");
    OUTCOME_ASSIGN(const auto made,
                   Invoke<ec2::AllocateAddress>(services_.ec2, subject.context, request));
    return made.public_ip.value_or("");
  }

  aws::Outcome<void> Update(const Subject& subject, const json::object& before,
                            const json::object& after,
                            const std::vector<std::string>&) const override {
    OUTCOME_ASSIGN(const ec2::Address address, Describe(subject));
    return UpdateTagsOf(services_, subject, address.allocation_id.value_or(""), before, after);
  }

  aws::Outcome<std::optional<json::object>> Read(const Subject& subject,
                                                 const json::object& expected) const override {
    const auto address = Describe(subject);
    if (!address && IsNotFound(address.error())) return std::nullopt;
    if (!address) return std::unexpected(address.error());
    json::object actual =
        ReadMembers(ItemShape(ec2::DescribeAddresses::Desc(), "Addresses"), &*address, expected);
    actual.emplace("Tags", OwnTags(subject, TagsOf(address->tags), expected));
    return actual;
  }

  aws::Outcome<bool> Delete(const Subject& subject) const override {
    OUTCOME_ASSIGN(const ec2::Address address, Describe(subject));
    OUTCOME_TRY(Invoke<ec2::ReleaseAddress>(services_.ec2, subject.context,
                                            {.allocation_id = address.allocation_id}));
    return true;
  }

  aws::Outcome<json::value> Attribute(const Subject& subject,
                                      std::string_view name) const override {
    if (name == "PublicIp") return TextValue(subject.id());
    OUTCOME_ASSIGN(const ec2::Address address, Describe(subject));
    return TextValue(address.allocation_id);
  }

 private:
  aws::Outcome<ec2::Address> Describe(const Subject& subject) const {
    OUTCOME_ASSIGN(const auto found,
                   Invoke<ec2::DescribeAddresses>(services_.ec2, subject.context,
                                                  {.public_ips = {subject.id()}}));
    if (found.addresses.empty()) {
      return aws::Refuse("InvalidAddress.NotFound", "the address is gone");
    }
    return found.addresses[0];
  }
};

class NatGatewayProvider : public Provider {
 public:
  using Provider::Provider;

  aws::Outcome<std::optional<std::string>> Find(const Subject& subject,
                                                const json::object&) const override {
    ec2::DescribeNatGatewaysRequest request;
    request.filter = MadeBy(subject);
    OUTCOME_ASSIGN(const auto found,
                   Invoke<ec2::DescribeNatGateways>(services_.ec2, subject.context, request));
    for (const ec2::NatGateway& gateway : found.nat_gateways) {
      if (IsThere(gateway)) return gateway.nat_gateway_id;
    }
    return std::nullopt;
  }

  aws::Outcome<std::string> Create(const Subject& subject,
                                   const json::object& properties) const override {
    OUTCOME_ASSIGN(auto request, RequestFrom<ec2::CreateNatGateway>(WithoutTags(properties)));
    request.tag_specifications = TagsOnCreate(subject, properties, "natgateway");
    OUTCOME_ASSIGN(const auto made,
                   Invoke<ec2::CreateNatGateway>(services_.ec2, subject.context, request));
    return made.nat_gateway->nat_gateway_id.value_or("");
  }

  aws::Outcome<bool> IsStable(const Subject& subject) const override {
    OUTCOME_ASSIGN(const ec2::NatGateway gateway, Describe(subject));
    if (gateway.state == "failed") {
      return aws::Refuse("NotStabilized", gateway.failure_message.value_or("the gateway failed"));
    }
    return gateway.state == "available";
  }

  aws::Outcome<void> Update(const Subject& subject, const json::object& before,
                            const json::object& after,
                            const std::vector<std::string>&) const override {
    return UpdateTags(services_, subject, before, after);
  }

  aws::Outcome<std::optional<json::object>> Read(const Subject& subject,
                                                 const json::object& expected) const override {
    const auto gateway = Describe(subject);
    if (!gateway && IsNotFound(gateway.error())) return std::nullopt;
    if (!gateway) return std::unexpected(gateway.error());
    json::object actual = ReadMembers(ItemShape(ec2::DescribeNatGateways::Desc(), "NatGateways"),
                                      &*gateway, expected);
    actual.emplace("Tags", OwnTags(subject, TagsOf(gateway->tags), expected));
    return actual;
  }

  aws::Outcome<bool> Delete(const Subject& subject) const override {
    const auto gateway = Describe(subject);
    if (!gateway && IsNotFound(gateway.error())) return true;
    if (!gateway) return std::unexpected(gateway.error());
    if (gateway->state == "deleting") return false;
    OUTCOME_TRY(Invoke<ec2::DeleteNatGateway>(services_.ec2, subject.context,
                                              {.nat_gateway_id = subject.id()}));
    return false;
  }

  aws::Outcome<json::value> Attribute(const Subject& subject, std::string_view) const override {
    return TextValue(subject.id());
  }

 private:
  static bool IsThere(const ec2::NatGateway& gateway) { return gateway.state != "deleted"; }

  aws::Outcome<ec2::NatGateway> Describe(const Subject& subject) const {
    OUTCOME_ASSIGN(const auto found,
                   Invoke<ec2::DescribeNatGateways>(services_.ec2, subject.context,
                                                    {.nat_gateway_ids = {subject.id()}}));
    if (found.nat_gateways.empty() || !IsThere(found.nat_gateways[0])) {
      return aws::Refuse("NatGatewayNotFound", "the NAT gateway is gone");
    }
    return found.nat_gateways[0];
  }
};

}  // namespace

std::unique_ptr<Provider> MakeInternetGatewayProvider(const Services& services) {
  return std::make_unique<InternetGatewayProvider>(services);
}
std::unique_ptr<Provider> MakeGatewayAttachmentProvider(const Services& services) {
  return std::make_unique<GatewayAttachmentProvider>(services);
}
std::unique_ptr<Provider> MakeAddressProvider(const Services& services) {
  return std::make_unique<AddressProvider>(services);
}
std::unique_ptr<Provider> MakeNatGatewayProvider(const Services& services) {
  return std::make_unique<NatGatewayProvider>(services);
}

}  // namespace howdah::cfn
