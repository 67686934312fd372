// What the providers share.
#include "services/cloudformation/provider.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/check.h"

namespace howdah::cfn {

namespace {

constexpr std::string_view kNameAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
constexpr std::size_t kSuffixLength = 12;
constexpr std::size_t kMaxPlainName = 255;
constexpr std::size_t kMaxInstanceName = 63;

std::string Lower(std::string text) {
  std::ranges::transform(text, text.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  return text;
}

}  // namespace

aws::Outcome<void> Provider::Update(const Subject& subject, const json::object&,
                                    const json::object&, const std::vector<std::string>&) const {
  return aws::Refuse(
      aws::ValidationError("Updates of " + subject.record.type + " are not supported"));
}

Providers::Providers(const Services& services) {
  by_type_["AWS::EC2::VPC"] = MakeVpcProvider(services);
  by_type_["AWS::EC2::Subnet"] = MakeSubnetProvider(services);
  by_type_["AWS::EC2::SecurityGroup"] = MakeSecurityGroupProvider(services);
  by_type_["AWS::EC2::SecurityGroupIngress"] = MakeRuleProvider(services, false);
  by_type_["AWS::EC2::SecurityGroupEgress"] = MakeRuleProvider(services, true);
  by_type_["AWS::EC2::NetworkInterface"] = MakeNetworkInterfaceProvider(services);
  by_type_["AWS::EC2::InternetGateway"] = MakeInternetGatewayProvider(services);
  by_type_["AWS::EC2::VPCGatewayAttachment"] = MakeGatewayAttachmentProvider(services);
  by_type_["AWS::EC2::EIP"] = MakeAddressProvider(services);
  by_type_["AWS::EC2::NatGateway"] = MakeNatGatewayProvider(services);
  by_type_["AWS::EC2::RouteTable"] = MakeRouteTableProvider(services);
  by_type_["AWS::EC2::Route"] = MakeRouteProvider(services);
  by_type_["AWS::EC2::SubnetRouteTableAssociation"] = MakeRouteTableAssociationProvider(services);
  by_type_["AWS::RDS::DBSubnetGroup"] = MakeDBSubnetGroupProvider(services);
  by_type_["AWS::RDS::DBInstance"] = MakeDBInstanceProvider(services);
  by_type_["AWS::SecretsManager::Secret"] = MakeSecretProvider(services);
  by_type_["AWS::SecretsManager::SecretTargetAttachment"] = MakeSecretAttachmentProvider(services);
}

const Provider& Providers::Of(std::string_view type) const {
  const auto found = by_type_.find(type);
  Check(found != by_type_.end(), "every resource type has a provider");
  return *found->second;
}

std::string PhysicalName(const Stack& stack, std::string_view logical_id, std::string_view type,
                         system::Entropy& entropy) {
  const std::string suffix = system::RandomText(entropy, kSuffixLength, kNameAlphabet);
  std::string prefix = fmt::format("{}-{}", stack.name, logical_id);
  const bool instance = type == "AWS::RDS::DBInstance";
  const std::size_t limit = (instance ? kMaxInstanceName : kMaxPlainName) - kSuffixLength - 1;
  if (prefix.size() > limit) prefix.resize(limit);
  // An identifier of RDS may not have two hyphens in a row.
  while (prefix.ends_with('-')) prefix.pop_back();
  std::string name = prefix + "-" + suffix;
  if (!type.starts_with("AWS::RDS::")) return name;
  name = Lower(std::move(name));
  for (std::size_t at = name.find("--"); at != std::string::npos; at = name.find("--")) {
    name.erase(at, 1);
  }
  return name;
}

Tags AllTags(const Subject& subject, const json::object& properties) {
  Tags tags = subject.tags;
  const json::value* own = properties.if_contains("Tags");
  if (own == nullptr || !own->is_array()) return tags;
  for (const json::value& tag : own->get_array()) {
    tags[JsonString(tag.get_object(), "Key")] = JsonString(tag.get_object(), "Value");
  }
  return tags;
}

json::array OwnTags(const Subject& subject, const Tags& all, const json::object& expected) {
  std::map<std::string, bool> wanted;
  if (const json::value* own = expected.if_contains("Tags"); own != nullptr && own->is_array()) {
    for (const json::value& tag : own->get_array()) {
      wanted[JsonString(tag.get_object(), "Key")] = true;
    }
  }
  json::array tags;
  for (const auto& [key, value] : all) {
    if (subject.tags.contains(key) && !wanted.contains(key)) continue;
    tags.push_back(json::object{{"Key", key}, {"Value", value}});
  }
  return tags;
}

std::string TextOf(const json::object& properties, std::string_view name,
                   std::string_view fallback) {
  return JsonString(properties, name, fallback);
}

json::value TextValue(const std::optional<std::string>& text) {
  return json::value(json::string(text.value_or("")));
}

bool Mentions(const std::vector<std::string>& names, std::string_view name) {
  return std::ranges::find(names, name) != names.end();
}

bool IsNotFound(const aws::Fault& fault) {
  return fault.code.find("NotFound") != std::string::npos;
}

}  // namespace howdah::cfn
