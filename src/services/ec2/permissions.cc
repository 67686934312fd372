// Reading and writing permissions.
#include "services/ec2/permissions.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <map>
#include <tuple>

#include "services/ec2/faults.h"
#include "services/ec2/tags.h"
#include "vpc/groups.h"

namespace howdah::services::ec2 {
namespace {

namespace api = aws::ec2;

constexpr std::size_t kMaxDescription = 255;
constexpr std::string_view kDescriptionMarks = " ._-:/()#,@[]+=&;{}!$*";

aws::Outcome<int> ReadPort(const std::optional<std::int64_t>& port) {
  const std::int64_t value = port.value_or(-1);
  if (value < -1 || value > 65535)
    return aws::Refuse(
        aws::InvalidParameterValue(fmt::format("Invalid value '{}' for port.", value)));
  return static_cast<int>(value);
}

// The group that a pair names: by id, or by name in the VPC of the rule's group.
aws::Outcome<vpc::GroupId> ReadSource(store::Store& store, const vpc::SecurityGroup& group,
                                      const std::string& account,
                                      const api::UserIdGroupPair& pair) {
  const std::string name = pair.group_id.value_or(pair.group_name.value_or(""));
  if (name.empty()) return aws::Refuse(aws::MissingParameter("Source group ID missing."));
  const aws::Fault unknown{"InvalidGroup.NotFound", 400,
                           fmt::format("The security group '{}' does not exist", name), true};
  if (pair.vpc_peering_connection_id)
    return aws::Refuse(Unsupported("VpcPeeringConnectionId", "VPCs are not peered."));
  if (pair.user_id && *pair.user_id != account) return aws::Refuse(unknown);
  if (!pair.group_id) {
    OUTCOME_ASSIGN(const vpc::SecurityGroup named,
                   Translated(vpc::FindGroup(store, group.vpc, name),
                              {{Code::kNotFound, unknown.code, unknown.message}}));
    return named.id;
  }
  OUTCOME_ASSIGN(const vpc::SecurityGroup source, Find<vpc::SecurityGroup>(store, name));
  if (source.vpc != group.vpc)
    return aws::Refuse(aws::InvalidParameterValue(
        "You have specified two resources that belong to different networks."));
  return source.id;
}

struct Reader {
  store::Store& store;
  const vpc::SecurityGroup& group;
  vpc::Direction direction;
  const std::string& account;
  std::vector<vpc::Rule> rules = {};

  aws::Outcome<void> Add(vpc::Rule rule, const std::optional<std::string>& description) {
    OUTCOME_TRY(CheckDescription(description));
    rule.description = description.value_or("");
    OUTCOME_TRY(Translated(vpc::Normalize(rule), {{Code::kInvalid, "InvalidParameterValue"}}));
    const bool twice =
        std::ranges::any_of(rules, [&](const vpc::Rule& other) { return other.SameAs(rule); });
    if (twice)
      return aws::Refuse(
          aws::InvalidParameterValue("The same permission must not appear multiple times"));
    rules.push_back(std::move(rule));
    return {};
  }

  aws::Outcome<vpc::Rule> Start(const std::optional<std::string>& protocol,
                                const std::optional<std::int64_t>& from,
                                const std::optional<std::int64_t>& to) {
    if (!protocol)
      return aws::Refuse(
          aws::MissingParameter("The request must contain the parameter ipProtocol"));
    vpc::Rule rule;
    rule.group = group.id;
    rule.direction = direction;
    rule.protocol = *protocol;
    OUTCOME_ASSIGN(rule.from_port, ReadPort(from));
    OUTCOME_ASSIGN(rule.to_port, ReadPort(to));
    return rule;
  }

  aws::Outcome<void> Read(const api::IpPermission& permission) {
    if (!permission.prefix_list_ids.empty())
      return aws::Refuse(
          NoPrefixList(permission.prefix_list_ids.front().prefix_list_id.value_or("")));
    OUTCOME_ASSIGN(const vpc::Rule start,
                   Start(permission.ip_protocol, permission.from_port, permission.to_port));
    if (permission.ip_ranges.empty() && permission.ipv6_ranges.empty() &&
        permission.user_id_group_pairs.empty())
      return aws::Refuse(
          aws::MissingParameter("The request must contain a range or a group for each permission"));
    for (const api::IpRange& range : permission.ip_ranges) {
      vpc::Rule rule = start;
      OUTCOME_ASSIGN(rule.cidr, ReadCidr(range.cidr_ip.value_or("")));
      OUTCOME_TRY(Add(std::move(rule), range.description));
    }
    for (const api::Ipv6Range& range : permission.ipv6_ranges) {
      vpc::Rule rule = start;
      OUTCOME_ASSIGN(rule.cidr6, ReadCidr6(range.cidr_ipv6.value_or("")));
      OUTCOME_TRY(Add(std::move(rule), range.description));
    }
    for (const api::UserIdGroupPair& pair : permission.user_id_group_pairs) {
      vpc::Rule rule = start;
      OUTCOME_ASSIGN(rule.source, ReadSource(store, group, account, pair));
      OUTCOME_TRY(Add(std::move(rule), pair.description));
    }
    return {};
  }
};

bool HasPorts(const vpc::Rule& rule) {
  return rule.protocol == "tcp" || rule.protocol == "udp" || rule.protocol == "icmp" ||
         rule.protocol == "icmpv6";
}

template <typename T>
std::optional<T> IfGiven(const T& text) {
  return text.empty() ? std::nullopt : std::optional<T>(text);
}

}  // namespace

aws::Fault NoPrefixList(std::string_view id) {
  return {"InvalidPrefixListID.NotFound", 400,
          fmt::format("The prefix list ID '{}' does not exist", id), true};
}

aws::Outcome<network::Cidr> ReadCidr(const std::string& text) {
  auto cidr = network::Cidr::Parse(text);
  if (!cidr)
    return aws::Refuse(aws::InvalidParameterValue(fmt::format("CIDR block {} is malformed", text)));
  return *cidr;
}

aws::Outcome<network::Cidr6> ReadCidr6(const std::string& text) {
  auto cidr = network::Cidr6::Parse(text);
  if (!cidr)
    return aws::Refuse(aws::InvalidParameterValue(fmt::format("CIDR block {} is malformed", text)));
  return *cidr;
}

aws::Outcome<void> CheckDescription(const std::optional<std::string>& description) {
  const std::string text = description.value_or("");
  const bool legal = text.size() <= kMaxDescription && std::ranges::all_of(text, [](char c) {
                       return std::isalnum(static_cast<unsigned char>(c)) != 0 ||
                              kDescriptionMarks.find(c) != std::string_view::npos;
                     });
  if (legal) return {};
  return aws::Refuse(aws::InvalidParameterValue(
      "Invalid rule description. Valid descriptions are strings less than 256 characters from the "
      "following set: a-zA-Z0-9. _-:/()#,@[]+=&;{}!$*"));
}

aws::Outcome<std::vector<vpc::Rule>> ReadPermissions(store::Store& store,
                                                     const vpc::SecurityGroup& group,
                                                     vpc::Direction direction,
                                                     const std::string& account,
                                                     const PermissionRequest& request) {
  Reader reader{store, group, direction, account};
  if (request.source_group_name)
    return aws::Refuse(aws::InvalidParameterCombination(
        "SourceSecurityGroupName is for EC2-Classic: name the group in IpPermissions."));
  const bool short_form = request.protocol || request.cidr || request.from_port || request.to_port;
  if (short_form && !request.permissions.empty())
    return aws::Refuse(aws::InvalidParameterCombination(
        "Give either IpPermissions or IpProtocol, FromPort, ToPort and CidrIp, not both."));
  if (short_form) {
    OUTCOME_ASSIGN(vpc::Rule rule,
                   reader.Start(request.protocol, request.from_port, request.to_port));
    if (!request.cidr)
      return aws::Refuse(aws::MissingParameter("The request must contain the parameter cidrIp"));
    OUTCOME_ASSIGN(rule.cidr, ReadCidr(*request.cidr));
    OUTCOME_TRY(reader.Add(std::move(rule), std::nullopt));
  }
  for (const api::IpPermission& permission : request.permissions)
    OUTCOME_TRY(reader.Read(permission));
  if (reader.rules.empty())
    return aws::Refuse(
        aws::MissingParameter("The request must contain the parameter ipPermissions"));
  return std::move(reader.rules);
}

aws::List<api::IpPermission> WritePermissions(const std::vector<vpc::Rule>& rules,
                                              vpc::Direction direction,
                                              const std::string& account) {
  std::map<std::tuple<std::string, int, int>, api::IpPermission> bundles;
  for (const vpc::Rule& rule : rules) {
    if (rule.direction != direction) continue;
    api::IpPermission& bundle = bundles[{rule.protocol, rule.from_port, rule.to_port}];
    bundle.ip_protocol = rule.protocol;
    if (HasPorts(rule)) {
      bundle.from_port = rule.from_port;
      bundle.to_port = rule.to_port;
    }
    if (rule.cidr6) {
      bundle.ipv6_ranges.push_back(
          {.description = IfGiven(rule.description), .cidr_ipv6 = rule.Peer()});
    } else if (rule.source.empty()) {
      bundle.ip_ranges.push_back(
          {.description = IfGiven(rule.description), .cidr_ip = rule.cidr.ToString()});
    } else {
      bundle.user_id_group_pairs.push_back({.description = IfGiven(rule.description),
                                            .user_id = account,
                                            .group_id = rule.source.str()});
    }
  }
  aws::List<api::IpPermission> result;
  for (auto& [key, bundle] : bundles) result.push_back(std::move(bundle));
  return result;
}

api::SecurityGroupRule WriteRule(const vpc::Rule& rule, const vpc::SecurityGroup& group,
                                 const aws::RequestContext& context) {
  api::SecurityGroupRule out;
  out.security_group_rule_id = rule.id.str();
  out.security_group_rule_arn = fmt::format("arn:aws:ec2:{}:{}:security-group-rule/{}",
                                            context.region, context.account_id, rule.id.str());
  out.group_id = rule.group.str();
  out.group_owner_id = context.account_id;
  out.is_egress = rule.direction == vpc::Direction::kEgress;
  out.ip_protocol = rule.protocol;
  out.from_port = rule.from_port;
  out.to_port = rule.to_port;
  if (rule.source.empty()) {
    (rule.cidr6 ? out.cidr_ipv6 : out.cidr_ipv4) = rule.Peer();
  } else {
    out.referenced_group_info = api::ReferencedSecurityGroup{
        .group_id = rule.source.str(), .user_id = context.account_id, .vpc_id = group.vpc.str()};
  }
  out.description = IfGiven(rule.description);
  out.tags = WriteTags(rule.tags);
  return out;
}

std::string NameRule(const vpc::Rule& rule) {
  const std::string peer = rule.Peer();
  if (!HasPorts(rule)) return fmt::format("peer: {}, ALL, ALLOW", peer);
  std::string protocol = rule.protocol;
  std::ranges::transform(protocol, protocol.begin(), [](char c) {
    return static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  });
  return fmt::format("peer: {}, {}, from port: {}, to port: {}, ALLOW", peer, protocol,
                     rule.from_port, rule.to_port);
}

}  // namespace howdah::services::ec2
