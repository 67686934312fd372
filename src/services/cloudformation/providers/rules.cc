// Rules: one authorize call a rule, so that its answer names exactly one id.
#include "services/cloudformation/providers/rules.h"

#include <algorithm>

namespace howdah::cfn {

namespace {

std::optional<std::int64_t> Port(const json::object& rule, std::string_view name) {
  const json::value* port = rule.if_contains(name);
  if (port == nullptr || !port->is_int64()) return std::nullopt;
  return port->get_int64();
}

std::optional<std::string> Text(const json::object& rule, std::string_view name) {
  const std::string text = TextOf(rule, name);
  return text.empty() ? std::nullopt : std::optional(text);
}

// The group at the other end.
std::optional<std::string> PeerOf(const json::object& rule) {
  auto peer = Text(rule, "SourceSecurityGroupId");
  return peer ? peer : Text(rule, "DestinationSecurityGroupId");
}

// "6" and "tcp" are the same protocol.
std::string Protocol(std::string text) {
  std::ranges::transform(text, text.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  if (text == "6") return "tcp";
  if (text == "17") return "udp";
  if (text == "1") return "icmp";
  if (text == "all") return "-1";
  return text;
}

}  // namespace

ec2::IpPermission PermissionOf(const json::object& rule) {
  ec2::IpPermission permission;
  permission.ip_protocol = TextOf(rule, "IpProtocol");
  permission.from_port = Port(rule, "FromPort");
  permission.to_port = Port(rule, "ToPort");
  const auto description = Text(rule, "Description");
  if (auto cidr = Text(rule, "CidrIp")) {
    permission.ip_ranges.push_back({.description = description, .cidr_ip = cidr});
  }
  if (auto cidr = Text(rule, "CidrIpv6")) {
    permission.ipv6_ranges.push_back({.description = description, .cidr_ipv6 = cidr});
  }
  if (auto peer = PeerOf(rule)) {
    ec2::UserIdGroupPair pair;
    pair.description = description;
    pair.group_id = peer;
    permission.user_id_group_pairs.push_back(pair);
  }
  return permission;
}

bool SameRule(const ec2::SecurityGroupRule& existing, const json::object& rule) {
  const std::string protocol = Protocol(TextOf(rule, "IpProtocol"));
  if (Protocol(existing.ip_protocol.value_or("")) != protocol) return false;
  if (protocol != "-1" && (existing.from_port.value_or(-1) != Port(rule, "FromPort").value_or(-1) ||
                           existing.to_port.value_or(-1) != Port(rule, "ToPort").value_or(-1))) {
    return false;
  }
  const auto& group = existing.referenced_group_info;
  return existing.cidr_ipv4.value_or("") == TextOf(rule, "CidrIp") &&
         existing.cidr_ipv6.value_or("") == TextOf(rule, "CidrIpv6") &&
         (group ? group->group_id.value_or("") : "") == PeerOf(rule).value_or("");
}

json::object ShowRule(const ec2::SecurityGroupRule& rule) {
  json::object made{{"IpProtocol", rule.ip_protocol.value_or("")}};
  if (rule.ip_protocol != "-1") {
    if (rule.from_port) made.emplace("FromPort", *rule.from_port);
    if (rule.to_port) made.emplace("ToPort", *rule.to_port);
  }
  if (rule.cidr_ipv4) made.emplace("CidrIp", *rule.cidr_ipv4);
  if (rule.cidr_ipv6) made.emplace("CidrIpv6", *rule.cidr_ipv6);
  if (rule.referenced_group_info && rule.referenced_group_info->group_id) {
    made.emplace(
        rule.is_egress.value_or(false) ? "DestinationSecurityGroupId" : "SourceSecurityGroupId",
        *rule.referenced_group_info->group_id);
  }
  if (rule.description && !rule.description->empty()) {
    made.emplace("Description", *rule.description);
  }
  return made;
}

aws::Outcome<std::vector<ec2::SecurityGroupRule>> RulesOf(const Services& services,
                                                          const aws::RequestContext& context,
                                                          const std::string& group, bool egress) {
  ec2::DescribeSecurityGroupRulesRequest request;
  request.filters = {ec2::Filter{.name = "group-id", .values = {group}}};
  OUTCOME_ASSIGN(const auto found,
                 Invoke<ec2::DescribeSecurityGroupRules>(services.ec2, context, request));
  std::vector<ec2::SecurityGroupRule> rules;
  for (const ec2::SecurityGroupRule& rule : found.security_group_rules) {
    if (rule.is_egress.value_or(false) == egress) rules.push_back(rule);
  }
  return rules;
}

aws::Outcome<std::string> Authorize(const Services& services, const aws::RequestContext& context,
                                    const std::string& group, bool egress, const json::object& rule,
                                    const aws::List<ec2::TagSpecification>& tags) {
  aws::List<ec2::SecurityGroupRule> made;
  if (egress) {
    ec2::AuthorizeSecurityGroupEgressRequest request;
    request.group_id = group;
    request.ip_permissions = {PermissionOf(rule)};
    request.tag_specifications = tags;
    OUTCOME_ASSIGN(const auto answer,
                   Invoke<ec2::AuthorizeSecurityGroupEgress>(services.ec2, context, request));
    made = answer.security_group_rules;
  } else {
    ec2::AuthorizeSecurityGroupIngressRequest request;
    request.group_id = group;
    request.ip_permissions = {PermissionOf(rule)};
    request.tag_specifications = tags;
    OUTCOME_ASSIGN(const auto answer,
                   Invoke<ec2::AuthorizeSecurityGroupIngress>(services.ec2, context, request));
    made = answer.security_group_rules;
  }
  if (made.empty()) return aws::Refuse("InternalError", "the rule has no id", 500);
  return made[0].security_group_rule_id.value_or("");
}

aws::Outcome<void> Revoke(const Services& services, const aws::RequestContext& context,
                          const std::string& group, bool egress,
                          const std::vector<std::string>& rule_ids) {
  if (rule_ids.empty()) return {};
  if (egress) {
    ec2::RevokeSecurityGroupEgressRequest request;
    request.group_id = group;
    request.security_group_rule_ids = aws::List<std::string>(rule_ids);
    OUTCOME_TRY(Invoke<ec2::RevokeSecurityGroupEgress>(services.ec2, context, request));
  } else {
    ec2::RevokeSecurityGroupIngressRequest request;
    request.group_id = group;
    request.security_group_rule_ids = aws::List<std::string>(rule_ids);
    OUTCOME_TRY(Invoke<ec2::RevokeSecurityGroupIngress>(services.ec2, context, request));
  }
  return {};
}

}  // namespace howdah::cfn
