// Security group operations.
#include "vpc/groups.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "services/ec2/handlers.h"
#include "services/ec2/permissions.h"
#include "services/ec2/rule_requests.h"
#include "services/ec2/selection.h"
#include "services/ec2/serve.h"
#include "services/ec2/tags.h"

namespace howdah::services::ec2 {
namespace {

// A group with its rules.
struct Row {
  vpc::SecurityGroup group;
  std::vector<vpc::Rule> rules;
  std::string account;
  const std::map<vpc::GroupId, std::string>* names;  // of all groups that rules may name
};

// What the rules of one direction say.
template <vpc::Direction direction, typename F>
std::vector<std::string> OfRules(const Row& row, F tell) {
  std::vector<std::string> texts;
  for (const vpc::Rule& rule : row.rules) {
    if (rule.direction != direction) continue;
    const std::optional<std::string> text = tell(row, rule);
    if (text) texts.push_back(*text);
  }
  return texts;
}

using Said = std::optional<std::string>;

Said TellRange(const Row&, const vpc::Rule& rule) {
  return rule.source.empty() && !rule.cidr6 ? Said(rule.Peer()) : std::nullopt;
}
Said TellRange6(const Row&, const vpc::Rule& rule) {
  return rule.cidr6 ? Said(rule.Peer()) : std::nullopt;
}
Said TellProtocol(const Row&, const vpc::Rule& rule) {
  return rule.protocol;
}
Said TellFrom(const Row&, const vpc::Rule& rule) {
  return std::to_string(rule.from_port);
}
Said TellTo(const Row&, const vpc::Rule& rule) {
  return std::to_string(rule.to_port);
}
Said TellGroup(const Row&, const vpc::Rule& rule) {
  return rule.source.empty() ? std::nullopt : Said(rule.source.str());
}
Said TellGroupName(const Row& row, const vpc::Rule& rule) {
  const auto found = row.names->find(rule.source);
  return found == row.names->end() ? std::nullopt : Said(found->second);
}
Said TellUser(const Row& row, const vpc::Rule& rule) {
  return rule.source.empty() ? std::nullopt : Said(row.account);
}

// A column of a filter about rules: what `tell` says of each rule of one direction.
template <vpc::Direction direction, auto tell>
constexpr auto kOfRules = [](const Row& row) { return OfRules<direction>(row, tell); };

constexpr auto kIn = vpc::Direction::kIngress;
constexpr auto kOut = vpc::Direction::kEgress;

constexpr Column<Row> kColumns[] = {
    {"description", [](const Row& row) { return row.group.description; }},
    {"egress.ip-permission.cidr", kOfRules<kOut, TellRange>},
    {"egress.ip-permission.from-port", kOfRules<kOut, TellFrom>},
    {"egress.ip-permission.group-id", kOfRules<kOut, TellGroup>},
    {"egress.ip-permission.group-name", kOfRules<kOut, TellGroupName>},
    {"egress.ip-permission.ipv6-cidr", kOfRules<kOut, TellRange6>},
    {"egress.ip-permission.prefix-list-id", nullptr},
    {"egress.ip-permission.protocol", kOfRules<kOut, TellProtocol>},
    {"egress.ip-permission.to-port", kOfRules<kOut, TellTo>},
    {"egress.ip-permission.user-id", kOfRules<kOut, TellUser>},
    {"group-id", [](const Row& row) { return row.group.id.str(); }},
    {"group-name", [](const Row& row) { return row.group.name; }},
    {"ip-permission.cidr", kOfRules<kIn, TellRange>},
    {"ip-permission.from-port", kOfRules<kIn, TellFrom>},
    {"ip-permission.group-id", kOfRules<kIn, TellGroup>},
    {"ip-permission.group-name", kOfRules<kIn, TellGroupName>},
    {"ip-permission.ipv6-cidr", kOfRules<kIn, TellRange6>},
    {"ip-permission.prefix-list-id", nullptr},
    {"ip-permission.protocol", kOfRules<kIn, TellProtocol>},
    {"ip-permission.to-port", kOfRules<kIn, TellTo>},
    {"ip-permission.user-id", kOfRules<kIn, TellUser>},
    {"owner-id", [](const Row& row) { return row.account; }},
    {"vpc-id", [](const Row& row) { return row.group.vpc.str(); }}};

constexpr Resource<Row> kGroups = {.ids = "groupIds",
                                   .columns = kColumns,
                                   .key = [](const Row& row) { return row.group.id.str(); },
                                   .tags = [](const Row& row) { return &row.group.tags; }};

std::string ArnOf(const vpc::GroupId& id, const aws::RequestContext& context) {
  return fmt::format("arn:aws:ec2:{}:{}:security-group/{}", context.region, context.account_id,
                     id.str());
}

api::SecurityGroup Write(const Row& row, const aws::RequestContext& context) {
  api::SecurityGroup out;
  out.group_id = row.group.id.str();
  out.group_name = row.group.name;
  out.description = row.group.description;
  out.vpc_id = row.group.vpc.str();
  out.owner_id = context.account_id;
  out.security_group_arn = ArnOf(row.group.id, context);
  out.ip_permissions = WritePermissions(row.rules, vpc::Direction::kIngress, context.account_id);
  out.ip_permissions_egress =
      WritePermissions(row.rules, vpc::Direction::kEgress, context.account_id);
  out.tags = WriteTags(row.group.tags);
  return out;
}

using Names = std::map<vpc::GroupId, std::string>;

// Few groups are read one by one; of all groups, all rules at once.
aws::Outcome<std::vector<Row>> RowsOf(store::Store& store, const std::string& account,
                                      std::vector<vpc::SecurityGroup> groups, bool all,
                                      const Names& names) {
  std::map<vpc::GroupId, std::vector<vpc::Rule>> by_group;
  if (all) {
    OUTCOME_ASSIGN(auto rules, Translated(vpc::List<vpc::Rule>(store)));
    for (vpc::Rule& rule : rules) by_group[rule.group].push_back(std::move(rule));
  }
  std::vector<Row> rows;
  for (vpc::SecurityGroup& group : groups) {
    std::vector<vpc::Rule> rules = std::move(by_group[group.id]);
    if (!all) {
      OUTCOME_ASSIGN(rules, Translated(vpc::RulesOf(store, group.id)));
    }
    rows.push_back({std::move(group), std::move(rules), account, &names});
  }
  return rows;
}

aws::Outcome<api::CreateSecurityGroupResult> CreateSecurityGroup(
    const Ec2Options& options, const aws::RequestContext& context,
    const api::CreateSecurityGroupRequest& in) {
  OUTCOME_ASSIGN(const vpc::Tags tags,
                 ReadTagSpecifications(in.tag_specifications, "security-group"));
  if (*in.group_name == "default") {
    return aws::Refuse(
        aws::Fault{"InvalidGroup.Reserved", 400, "The security group name 'default' is reserved."});
  }
  vpc::SecurityGroup made;
  OUTCOME_TRY(
      Change(options.network.store, [&](store::Transaction& transaction) -> aws::Outcome<void> {
        store::Store& store = options.network.store;
        OUTCOME_ASSIGN(const vpc::Vpc vpc,
                       in.vpc_id ? Find<vpc::Vpc>(store, *in.vpc_id) : FindDefaultVpc(store));
        OUTCOME_ASSIGN(made, Translated(vpc::CreateSecurityGroup(options.network, transaction,
                                                                 {.vpc = vpc.id,
                                                                  .name = *in.group_name,
                                                                  .description = *in.description,
                                                                  .tags = tags}),
                                        {{Code::kAlreadyExists, "InvalidGroup.Duplicate"}}));
        return {};
      }));
  return api::CreateSecurityGroupResult{.group_id = made.id.str(),
                                        .tags = WriteTags(made.tags),
                                        .security_group_arn = ArnOf(made.id, context)};
}

aws::Outcome<api::DeleteSecurityGroupResult> DeleteSecurityGroup(
    const Ec2Options& options, const aws::RequestContext&,
    const api::DeleteSecurityGroupRequest& in) {
  api::DeleteSecurityGroupResult out{.return_ = true};
  OUTCOME_TRY(
      Change(options.network.store, [&](store::Transaction& transaction) -> aws::Outcome<void> {
        OUTCOME_ASSIGN(const vpc::SecurityGroup group,
                       FindGroup(options.network.store, in.group_id, in.group_name));
        out.group_id = group.id.str();
        return Translated(vpc::DeleteSecurityGroup(options.network, transaction, group.id),
                          {{Code::kPermission, "CannotDelete"},
                           {Code::kInUse, "DependencyViolation",
                            fmt::format("resource {} has a dependent object", group.id.str())}});
      }));
  return out;
}

// GroupNames are of the default VPC only, as on AWS.
aws::Outcome<aws::List<std::string>> WantedIds(store::Store& store,
                                               const api::DescribeSecurityGroupsRequest& in) {
  aws::List<std::string> ids = in.group_ids;
  if (in.group_names.empty()) return ids;
  OUTCOME_ASSIGN(const vpc::Vpc vpc, FindDefaultVpc(store));
  for (const std::string& name : in.group_names) {
    OUTCOME_ASSIGN(const vpc::SecurityGroup group,
                   Translated(vpc::FindGroup(store, vpc.id, name),
                              {{Code::kNotFound, "InvalidGroup.NotFound",
                                fmt::format("The security group '{}' does not exist", name)}}));
    ids.push_back(group.id.str());
  }
  return ids;
}

// The names of all groups, where a filter asks for them.
aws::Outcome<Names> NamesFor(store::Store& store, const aws::List<api::Filter>& filters) {
  Names names;
  const bool asked = std::ranges::any_of(filters, [](const api::Filter& filter) {
    return filter.name.value_or("").ends_with("ip-permission.group-name");
  });
  if (!asked) return names;
  OUTCOME_ASSIGN(const auto groups, Translated(vpc::List<vpc::SecurityGroup>(store)));
  for (const vpc::SecurityGroup& group : groups) names[group.id] = group.name;
  return names;
}

aws::Outcome<api::DescribeSecurityGroupsResult> DescribeSecurityGroups(
    const Ec2Options& options, const aws::RequestContext& context,
    const api::DescribeSecurityGroupsRequest& in) {
  store::Store& store = options.network.store;
  OUTCOME_ASSIGN(const auto ids, WantedIds(store, in));
  OUTCOME_ASSIGN(auto groups, Load<vpc::SecurityGroup>(store, ids));
  OUTCOME_ASSIGN(const Names names, NamesFor(store, in.filters));
  OUTCOME_ASSIGN(auto rows,
                 RowsOf(store, context.account_id, std::move(groups), ids.empty(), names));
  OUTCOME_ASSIGN(const auto page, Select(kGroups, std::move(rows), in, !ids.empty()));
  api::DescribeSecurityGroupsResult out;
  for (const Row& row : page.records) out.security_groups.push_back(Write(row, context));
  out.next_token = page.next_token;
  return out;
}

}  // namespace

void RegisterGroups(aws::Service& service, const Ec2Options& options) {
  Serve<api::CreateSecurityGroup>(service, options, CreateSecurityGroup);
  Serve<api::DeleteSecurityGroup>(service, options, DeleteSecurityGroup);
  Serve<api::DescribeSecurityGroups>(service, options, DescribeSecurityGroups);
}

}  // namespace howdah::services::ec2
