// Network ACLs: every VPC has one, whose entries clients may keep as their configuration says. A
// record: it filters nothing, and an entry that denies is refused.
#include "vpc/acls.h"

#include <fmt/format.h>

#include <map>

#include "services/ec2/handlers.h"
#include "services/ec2/selection.h"
#include "services/ec2/serve.h"
#include "services/ec2/tags.h"

namespace howdah::services::ec2 {
namespace {

// An ACL with the subnets of its VPC, which are all associated with it.
struct Row {
  vpc::NetworkAcl acl;
  std::vector<vpc::Subnet> subnets;
  std::string account;
};

// What the entries say, and AWS's last rule, which denies what no other allows.
using Said = std::optional<std::string>;

template <Said (*tell)(const vpc::AclEntry& entry)>
constexpr auto kOfEntries = [](const Row& row) {
  std::vector<std::string> texts;
  for (const vpc::AclEntry& entry : row.acl.entries)
    if (const Said text = tell(entry)) texts.push_back(*text);
  return texts;
};

template <typename Tell>
constexpr auto OfSubnets(Tell) {
  return [](const Row& row) {
    std::vector<std::string> texts;
    for (const vpc::Subnet& subnet : row.subnets) texts.push_back(Tell{}(row, subnet));
    return texts;
  };
}

bool IsIcmp(const vpc::AclEntry& entry) {
  return entry.protocol == "1" || entry.protocol == "58";
}
bool HasPorts(const vpc::AclEntry& entry) {
  return entry.protocol == "6" || entry.protocol == "17";
}
bool IsIpv6(const vpc::AclEntry& entry) {
  return entry.range.find(':') != std::string::npos;
}
Said If(bool is, const std::string& text) {
  return is ? Said(text) : std::nullopt;
}
Said TellEgress(const vpc::AclEntry& entry) {
  return entry.egress ? "true" : "false";
}
Said TellRange(const vpc::AclEntry& entry) {
  return If(!IsIpv6(entry), entry.range);
}
Said TellRange6(const vpc::AclEntry& entry) {
  return If(IsIpv6(entry), entry.range);
}
Said TellIcmpType(const vpc::AclEntry& entry) {
  return If(IsIcmp(entry), std::to_string(entry.from_port));
}
Said TellIcmpCode(const vpc::AclEntry& entry) {
  return If(IsIcmp(entry), std::to_string(entry.to_port));
}
Said TellFrom(const vpc::AclEntry& entry) {
  return If(HasPorts(entry), std::to_string(entry.from_port));
}
Said TellTo(const vpc::AclEntry& entry) {
  return If(HasPorts(entry), std::to_string(entry.to_port));
}
Said TellProtocol(const vpc::AclEntry& entry) {
  if (entry.protocol == "6") return "tcp";
  if (entry.protocol == "17") return "udp";
  if (entry.protocol == "1") return "icmp";
  return entry.protocol;
}

constexpr Column<Row> kColumns[] = {
    {"association.association-id",
     OfSubnets([](const Row&, const vpc::Subnet& subnet) { return subnet.acl_association; })},
    {"association.network-acl-id",
     OfSubnets([](const Row& row, const vpc::Subnet&) { return row.acl.id.str(); })},
    {"association.subnet-id",
     OfSubnets([](const Row&, const vpc::Subnet& subnet) { return subnet.id.str(); })},
    {"default", [](const Row&) { return true; }},
    {"entry.cidr", kOfEntries<TellRange>},
    {"entry.egress", kOfEntries<TellEgress>},
    {"entry.icmp.code", kOfEntries<TellIcmpCode>},
    {"entry.icmp.type", kOfEntries<TellIcmpType>},
    {"entry.ipv6-cidr", kOfEntries<TellRange6>},
    {"entry.port-range.from", kOfEntries<TellFrom>},
    {"entry.port-range.to", kOfEntries<TellTo>},
    {"entry.protocol", kOfEntries<TellProtocol>},
    {"entry.rule-action",
     [](const Row& row) {
       std::vector<std::string> actions = {"deny"};
       if (!row.acl.entries.empty()) actions.push_back("allow");
       return actions;
     }},
    {"entry.rule-number",
     [](const Row& row) {
       std::vector<std::string> numbers = {std::to_string(vpc::kLastAclRule)};
       for (const vpc::AclEntry& entry : row.acl.entries)
         numbers.push_back(std::to_string(entry.number));
       return numbers;
     }},
    {"network-acl-id", [](const Row& row) { return row.acl.id.str(); }},
    {"owner-id", [](const Row& row) { return row.account; }},
    {"vpc-id", [](const Row& row) { return row.acl.vpc.str(); }}};

constexpr Resource<Row> kAcls = {.ids = "networkAclIds",
                                 .columns = kColumns,
                                 .key = [](const Row& row) { return row.acl.id.str(); },
                                 .tags = [](const Row& row) { return &row.acl.tags; }};

api::NetworkAclEntry Write(const vpc::AclEntry& entry) {
  api::NetworkAclEntry out;
  out.rule_number = entry.number;
  out.egress = entry.egress;
  out.protocol = entry.protocol;
  out.rule_action = "allow";
  out.cidr_block = TellRange(entry);
  out.ipv6_cidr_block = TellRange6(entry);
  if (HasPorts(entry))
    out.port_range = api::PortRange{.from = entry.from_port, .to = entry.to_port};
  if (IsIcmp(entry))
    out.icmp_type_code = api::IcmpTypeCode{.code = entry.to_port, .type = entry.from_port};
  return out;
}

api::NetworkAcl Write(const Row& row) {
  api::NetworkAcl out;
  out.network_acl_id = row.acl.id.str();
  out.vpc_id = row.acl.vpc.str();
  out.owner_id = row.account;
  out.is_default = true;
  out.tags = WriteTags(row.acl.tags);
  for (const vpc::AclEntry& entry : row.acl.entries) out.entries.push_back(Write(entry));
  for (const bool egress : {true, false})
    out.entries.push_back({.cidr_block = "0.0.0.0/0",
                           .egress = egress,
                           .protocol = "-1",
                           .rule_action = "deny",
                           .rule_number = vpc::kLastAclRule});
  for (const vpc::Subnet& subnet : row.subnets)
    out.associations.push_back({.network_acl_association_id = subnet.acl_association,
                                .network_acl_id = row.acl.id.str(),
                                .subnet_id = subnet.id.str()});
  return out;
}

aws::Outcome<api::DescribeNetworkAclsResult> DescribeNetworkAcls(
    const Ec2Options& options, const aws::RequestContext& context,
    const api::DescribeNetworkAclsRequest& in) {
  store::Store& store = options.network.store;
  OUTCOME_ASSIGN(const auto acls, Load<vpc::NetworkAcl>(store, in.network_acl_ids));
  OUTCOME_ASSIGN(const auto subnets, Translated(vpc::List<vpc::Subnet>(store)));
  std::map<vpc::VpcId, std::vector<vpc::Subnet>> by_vpc;
  for (const vpc::Subnet& subnet : subnets) by_vpc[subnet.vpc].push_back(subnet);
  std::vector<Row> rows;
  for (const vpc::NetworkAcl& acl : acls)
    rows.push_back({acl, by_vpc[acl.vpc], context.account_id});
  OUTCOME_ASSIGN(const auto page, Select(kAcls, std::move(rows), in, !in.network_acl_ids.empty()));
  api::DescribeNetworkAclsResult out;
  for (const Row& row : page.records) out.network_acls.push_back(Write(row));
  out.next_token = page.next_token;
  return out;
}

// The same members in requests to create and to replace an entry.
template <typename Input>
aws::Outcome<vpc::AclEntry> ReadEntry(const Input& in) {
  if (*in.rule_action == "deny")
    return aws::Refuse(Unsupported("RuleAction",
                                   "network ACLs are records that filter nothing, so 'deny' would "
                                   "deny nothing. Who may connect to a database, its security "
                                   "groups say."));
  if (in.cidr_block.has_value() == in.ipv6_cidr_block.has_value())
    return aws::Refuse(aws::MissingParameter(
        "The request must contain exactly one of cidrBlock and ipv6CidrBlock"));
  const auto limit = [](const std::optional<std::int64_t>& number) {
    return static_cast<int>(std::clamp<std::int64_t>(number.value_or(-1), -1, 1'000'000));
  };
  vpc::AclEntry entry;
  entry.number = limit(in.rule_number);
  entry.egress = *in.egress;
  entry.protocol = *in.protocol;
  entry.range = in.cidr_block ? *in.cidr_block : *in.ipv6_cidr_block;
  const bool is_icmp =
      entry.protocol == "1" || entry.protocol == "58" || entry.protocol.starts_with("icmp");
  if (is_icmp && in.icmp_type_code) {
    entry.from_port = limit(in.icmp_type_code->type);
    entry.to_port = limit(in.icmp_type_code->code);
  } else if (!is_icmp && in.port_range) {
    entry.from_port = limit(in.port_range->from);
    entry.to_port = limit(in.port_range->to);
  }
  OUTCOME_TRY(Translated(vpc::Normalize(entry)));
  return entry;
}

aws::Outcome<aws::Empty> CreateEntry(const Ec2Options& options, const aws::RequestContext&,
                                     const api::CreateNetworkAclEntryRequest& in) {
  OUTCOME_ASSIGN(const vpc::AclEntry entry, ReadEntry(in));
  store::Store& store = options.network.store;
  OUTCOME_TRY(Change(store, [&](store::Transaction& transaction) -> aws::Outcome<void> {
    OUTCOME_ASSIGN(const auto acl, Find<vpc::NetworkAcl>(store, *in.network_acl_id));
    return Translated(vpc::AddAclEntry(options.network, transaction, acl.id, entry),
                      {{Code::kAlreadyExists, "NetworkAclEntryAlreadyExists"},
                       {Code::kExhausted, "NetworkAclEntryLimitExceeded"}});
  }));
  return aws::Empty{};
}

aws::Outcome<aws::Empty> ReplaceEntry(const Ec2Options& options, const aws::RequestContext&,
                                      const api::ReplaceNetworkAclEntryRequest& in) {
  OUTCOME_ASSIGN(const vpc::AclEntry entry, ReadEntry(in));
  store::Store& store = options.network.store;
  OUTCOME_TRY(Change(store, [&](store::Transaction& transaction) -> aws::Outcome<void> {
    OUTCOME_ASSIGN(const auto acl, Find<vpc::NetworkAcl>(store, *in.network_acl_id));
    return Translated(vpc::ReplaceAclEntry(options.network, transaction, acl.id, entry),
                      {{Code::kNotFound, "InvalidNetworkAclEntry.NotFound"}});
  }));
  return aws::Empty{};
}

aws::Outcome<aws::Empty> DeleteEntry(const Ec2Options& options, const aws::RequestContext&,
                                     const api::DeleteNetworkAclEntryRequest& in) {
  store::Store& store = options.network.store;
  const auto number =
      static_cast<int>(std::clamp<std::int64_t>(*in.rule_number, 0, vpc::kLastAclRule));
  OUTCOME_TRY(Change(store, [&](store::Transaction& transaction) -> aws::Outcome<void> {
    OUTCOME_ASSIGN(const auto acl, Find<vpc::NetworkAcl>(store, *in.network_acl_id));
    return Translated(vpc::RemoveAclEntry(options.network, transaction, acl.id, number, *in.egress),
                      {{Code::kNotFound, "InvalidNetworkAclEntry.NotFound"}});
  }));
  return aws::Empty{};
}

}  // namespace

void RegisterAcls(aws::Service& service, const Ec2Options& options) {
  Serve<api::DescribeNetworkAcls>(service, options, DescribeNetworkAcls);
  Serve<api::CreateNetworkAclEntry>(service, options, CreateEntry);
  Serve<api::ReplaceNetworkAclEntry>(service, options, ReplaceEntry);
  Serve<api::DeleteNetworkAclEntry>(service, options, DeleteEntry);
}

}  // namespace howdah::services::ec2
