// Security groups and rules. A rule that names another group counts as a use of that group, so that
// it cannot be deleted under the rule; a group's own rules never keep it from being deleted.
#include "vpc/groups.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "vpc/draft.h"

namespace howdah::vpc {
namespace {

constexpr std::size_t kMaxText = 255;
constexpr int kMaxPort = 65535;

// AWS's set for names and descriptions of groups in a VPC.
bool IsLegalText(std::string_view text) {
  constexpr std::string_view kMarks = " ._-:/()#,@[]+=&;{}!$*";
  return text.size() <= kMaxText && std::ranges::all_of(text, [&](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                  kMarks.find(c) != std::string_view::npos;
         });
}

// After any change of its rules: what they are, and that they have changed.
void SaveRules(Draft& draft, SecurityGroup& group, const std::vector<Rule>& rules) {
  group.rule_ids.emplace();
  for (const Rule& rule : rules) group.rule_ids->push_back(rule.id);
  ++group.rules;
  draft.Save(group);
}

Result<SecurityGroup> FindGroup(const std::vector<SecurityGroup>& groups, const VpcId& vpc,
                                std::string_view name) {
  for (const SecurityGroup& group : groups)
    if (group.vpc == vpc && group.name == name) return group;
  return Fail(Code::kNotFound, fmt::format("{} has no group {}", vpc.str(), name));
}

// A rule of `group` begins (+1) or ceases (-1) to name its source group.
Result<> CountSource(Draft& draft, const Rule& rule, int by) {
  if (rule.source.empty() || rule.source == rule.group) return {};
  TRY_ASSIGN(SecurityGroup source, draft.Load<SecurityGroup>(rule.source));
  source.uses += by;
  draft.Save(source);
  return {};
}

Result<> CheckSource(Draft& draft, const SecurityGroup& group, const Rule& rule) {
  if (rule.source.empty()) return {};
  auto source = draft.Load<SecurityGroup>(rule.source);
  if (!source) return Fail(source.error());
  if (source->vpc != group.vpc)
    return Fail(Code::kInvalid,
                "You have specified two resources that belong to different "
                "networks.");
  return {};
}

Result<> CheckNew(const std::vector<Rule>& present, const Rule& rule) {
  if (std::ranges::any_of(present, [&](const Rule& other) { return other.SameAs(rule); })) {
    return Fail(Code::kAlreadyExists,
                fmt::format("the group has the rule {} {} {}-{} already", rule.Peer(),
                            rule.protocol, rule.from_port, rule.to_port));
  }
  const auto count = std::ranges::count(present, rule.direction, &Rule::direction);
  if (count >= kMaxRulesPerGroup)
    return Fail(Code::kExhausted,
                "The maximum number of rules per security group has been reached.");
  return {};
}

Result<> CheckPorts(const Rule& rule) {
  if (rule.protocol == "tcp" || rule.protocol == "udp") {
    if (rule.from_port < 0 || rule.to_port < 0 || rule.from_port > kMaxPort ||
        rule.to_port > kMaxPort)
      return Fail(Code::kInvalid,
                  "Invalid value for portRange. Must specify both from and to ports with "
                  "TCP/UDP, between 0 and 65535.");
    if (rule.from_port > rule.to_port)
      return Fail(Code::kInvalid,
                  fmt::format("Invalid TCP/UDP port range ({}:{})", rule.from_port, rule.to_port));
    return {};
  }
  if (rule.from_port < -1 || rule.from_port > 255 || rule.to_port < -1 || rule.to_port > 255)
    return Fail(Code::kInvalid, fmt::format("ICMP type ({}) or code ({}) out of range",
                                            rule.from_port, rule.to_port));
  return {};
}

}  // namespace

// A group knows its rules since it has `rule_ids`; before, they were looked for among all rules.
Result<std::vector<Rule>> RulesOf(Draft& draft, const SecurityGroup& group) {
  std::vector<Rule> rules;
  if (!group.rule_ids) {
    TRY_ASSIGN(rules, draft.LoadAll<Rule>());
    std::erase_if(rules, [&](const Rule& rule) { return rule.group != group.id; });
    return rules;
  }
  for (const RuleId& id : *group.rule_ids) {
    TRY_ASSIGN(Rule rule, draft.Load<Rule>(id));
    rules.push_back(std::move(rule));
  }
  return rules;
}

Result<> Normalize(Rule& rule) {
  int number = -1;
  std::string& protocol = rule.protocol;
  std::ranges::transform(protocol, protocol.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  const auto parsed = std::from_chars(protocol.data(), protocol.data() + protocol.size(), number);
  const bool is_number =
      parsed.ec == std::errc() && parsed.ptr == protocol.data() + protocol.size();
  if (protocol == "all") protocol = "-1";
  if (is_number) protocol = std::to_string(number);
  if (protocol == "6") protocol = "tcp";
  if (protocol == "17") protocol = "udp";
  if (protocol == "1") protocol = "icmp";
  if (protocol == "58") protocol = "icmpv6";
  if (protocol == "tcp" || protocol == "udp" || protocol == "icmp" || protocol == "icmpv6")
    return CheckPorts(rule);
  rule.from_port = rule.to_port = -1;  // all others have no ports
  if (protocol == "-1" || (is_number && number >= 0 && number <= 255)) return {};
  return Fail(Code::kInvalid,
              fmt::format("Invalid value '{}' for IP protocol. Unknown protocol.", protocol));
}

Result<SecurityGroup> CreateSecurityGroup(const Context& context, store::Transaction& transaction,
                                          const NewGroup& wish) {
  if (wish.name.empty() || !IsLegalText(wish.name) || wish.name.starts_with("sg-"))
    return Fail(Code::kInvalid,
                fmt::format("Value ({}) for parameter GroupName is invalid.", wish.name));
  if (wish.description.empty() || !IsLegalText(wish.description))
    return Fail(Code::kInvalid,
                "Value for parameter GroupDescription is invalid. Character sets beyond ASCII are "
                "not supported.");
  Draft draft(context.store, transaction);
  TRY_ASSIGN(Vpc vpc, draft.Load<Vpc>(wish.vpc));
  TRY_ASSIGN(const std::vector<SecurityGroup> groups, draft.LoadAll<SecurityGroup>());
  if (FindGroup(groups, vpc.id, wish.name))
    return Fail(Code::kAlreadyExists,
                fmt::format("The security group '{}' already exists for VPC '{}'", wish.name,
                            vpc.id.str()));
  SecurityGroup group;
  group.id = GroupId(NewId(context.entropy, kGroupPrefix));
  group.vpc = vpc.id;
  group.name = wish.name;
  group.description = wish.description;
  group.rules = 1;
  group.tags = wish.tags;
  Rule out;
  out.id = RuleId(NewId(context.entropy, kRulePrefix));
  out.group = group.id;
  out.direction = Direction::kEgress;
  out.protocol = "-1";
  group.rule_ids = {out.id};
  ++vpc.uses;
  draft.Save(vpc);
  TRY(draft.Add(group));
  TRY(draft.Add(out));
  return group;
}

Result<> DeleteSecurityGroup(const Context& context, store::Transaction& transaction,
                             const GroupId& id) {
  Draft draft(context.store, transaction);
  TRY_ASSIGN(const SecurityGroup group, draft.Load<SecurityGroup>(id));
  if (group.is_default)
    return Fail(Code::kPermission,
                fmt::format("the specified group: \"{}\" name: \"default\" cannot be deleted by a "
                            "user",
                            id.str()));
  if (group.uses > 0) return Fail(Code::kInUse, fmt::format("{} is in use", id.str()));
  TRY_ASSIGN(const std::vector<Rule> rules, RulesOf(draft, group));
  for (const Rule& rule : rules) {
    TRY(CountSource(draft, rule, -1));
    draft.Remove(rule);
  }
  TRY_ASSIGN(Vpc vpc, draft.Load<Vpc>(group.vpc));
  --vpc.uses;
  draft.Save(vpc);
  draft.Remove(group);
  return {};
}

Result<std::vector<Rule>> AddRules(const Context& context, store::Transaction& transaction,
                                   const GroupId& id, std::vector<Rule> rules) {
  Draft draft(context.store, transaction);
  TRY_ASSIGN(SecurityGroup group, draft.Load<SecurityGroup>(id));
  TRY_ASSIGN(std::vector<Rule> present, RulesOf(draft, group));
  for (Rule& rule : rules) {
    rule.group = id;
    TRY(Normalize(rule));
    TRY(CheckSource(draft, group, rule));
    TRY(CheckNew(present, rule));
    rule.id = RuleId(NewId(context.entropy, kRulePrefix));
    TRY(CountSource(draft, rule, +1));
    TRY(draft.Add(rule));
    present.push_back(rule);
  }
  // Loaded before the sources were counted: a source is never the group itself there.
  SaveRules(draft, group, present);
  return rules;
}

Result<std::vector<Rule>> RemoveRules(const Context& context, store::Transaction& transaction,
                                      const GroupId& id, const std::vector<RuleId>& rules) {
  Draft draft(context.store, transaction);
  TRY_ASSIGN(SecurityGroup group, draft.Load<SecurityGroup>(id));
  TRY_ASSIGN(std::vector<Rule> present, RulesOf(draft, group));
  std::vector<Rule> removed;
  for (const RuleId& rule_id : rules) {
    TRY_ASSIGN(Rule rule, draft.Load<Rule>(rule_id));
    if (rule.group != id)
      return Fail(Code::kNotFound, fmt::format("{} is no rule of {}", rule_id.str(), id.str()));
    TRY(CountSource(draft, rule, -1));
    draft.Remove(rule);
    std::erase_if(present, [&](const Rule& other) { return other.id == rule.id; });
    removed.push_back(std::move(rule));
  }
  SaveRules(draft, group, present);
  return removed;
}

Result<> ReplaceRule(const Context& context, store::Transaction& transaction, Rule rule) {
  Draft draft(context.store, transaction);
  TRY_ASSIGN(const Rule before, draft.Load<Rule>(rule.id));
  TRY_ASSIGN(SecurityGroup group, draft.Load<SecurityGroup>(before.group));
  rule.group = before.group;
  rule.direction = before.direction;
  rule.tags = before.tags;
  TRY(Normalize(rule));
  TRY(CheckSource(draft, group, rule));
  TRY_ASSIGN(std::vector<Rule> present, RulesOf(draft, group));
  std::erase_if(present, [&](const Rule& other) { return other.id == rule.id; });
  TRY(CheckNew(present, rule));
  TRY(CountSource(draft, before, -1));
  TRY(CountSource(draft, rule, +1));
  draft.Save(rule);
  ++group.rules;
  draft.Save(group);
  return {};
}

Result<> DescribeRule(const Context& context, store::Transaction& transaction, const RuleId& id,
                      std::string description) {
  Draft draft(context.store, transaction);
  TRY_ASSIGN(Rule rule, draft.Load<Rule>(id));
  rule.description = std::move(description);
  draft.Save(rule);
  return {};
}

Result<std::vector<Rule>> RulesOf(store::Store& store, const GroupId& group) {
  const auto found = Get<SecurityGroup>(store, group);
  if (!found && found.error().code() == Code::kNotFound) return std::vector<Rule>();
  if (!found) return Fail(found.error());
  std::vector<Rule> rules;
  if (!found->rule_ids) {
    TRY_ASSIGN(rules, List<Rule>(store));
    std::erase_if(rules, [&](const Rule& rule) { return rule.group != group; });
    return rules;
  }
  for (const RuleId& id : *found->rule_ids) {
    auto rule = Get<Rule>(store, id);
    if (!rule && rule.error().code() == Code::kNotFound) continue;  // revoked since
    if (!rule) return Fail(rule.error());
    rules.push_back(*std::move(rule));
  }
  return rules;
}

Result<SecurityGroup> FindGroup(store::Store& store, const VpcId& vpc, std::string_view name) {
  TRY_ASSIGN(const std::vector<SecurityGroup> groups, List<SecurityGroup>(store));
  return FindGroup(groups, vpc, name);
}

}  // namespace howdah::vpc
