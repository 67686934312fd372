// EC2's codes, texts and statuses; the retry loop of every change.
#include "services/ec2/faults.h"

#include <fmt/format.h>

namespace howdah::services::ec2 {
namespace {

constexpr int kMaxAttempts = 20;
constexpr std::string_view kChanged = "OperationAborted";  // FaultOf's word for kConflict

struct Words {
  std::string_view prefix;
  std::string_view code;  // before ".NotFound" and ".Malformed"
  std::string_view noun;
};

constexpr Words kWords[] = {
    {vpc::kVpcPrefix, "InvalidVpcID", "vpc ID"},
    {vpc::kSubnetPrefix, "InvalidSubnetID", "subnet ID"},
    {vpc::kGroupPrefix, "InvalidGroup", "security group"},
    {vpc::kRulePrefix, "InvalidSecurityGroupRuleId", "security group rule ID"},
    {vpc::kInterfacePrefix, "InvalidNetworkInterfaceID", "networkInterface ID"},
    {vpc::kAclPrefix, "InvalidNetworkAclID", "networkAcl ID"},
    {vpc::kRouteTablePrefix, "InvalidRouteTableID", "routeTable ID"},
};

aws::Fault Missing(const Words& words, std::string_view id) {
  return {fmt::format("{}.NotFound", words.code), 400,
          fmt::format("The {} '{}' does not exist", words.noun, id), true};
}

const Words& WordsOf(std::string_view prefix) {
  for (const Words& words : kWords)
    if (words.prefix == prefix) return words;
  return kWords[0];
}

// AWS tells malformed ids of groups, rules and interfaces from unknown ones, those of others not.
template <typename T>
aws::Outcome<T> Find(store::Store& store, const std::string& id, std::string_view malformed = {}) {
  if (!malformed.empty() && !vpc::IsWellFormed(id, T::kPrefix))
    return aws::Refuse(std::string(malformed),
                       fmt::format("Invalid id: \"{}\" (expecting \"{}...\")", id, T::kPrefix));
  if (id.find('/') != std::string::npos) return aws::Refuse(Missing(WordsOf(T::kPrefix), id));
  auto record = vpc::Get<T>(store, typename T::IdType(id));
  if (record) return std::move(*record);
  if (record.error().code() == Code::kNotFound)
    return aws::Refuse(Missing(WordsOf(T::kPrefix), id));
  return aws::Refuse(aws::FaultOf(record.error()));
}

}  // namespace

aws::Fault NotFound(std::string_view id) {
  for (const Words& words : kWords)
    if (id.starts_with(words.prefix)) return Missing(words, id);
  return {"InvalidID", 400, fmt::format("The ID '{}' is not valid", id), true};
}

aws::Fault NotFoundAs(std::string_view prefix, std::string_view id) {
  return Missing(WordsOf(prefix), id);
}

aws::Fault Unsupported(std::string_view parameter, std::string_view why) {
  return {"UnsupportedOperation", 400,
          fmt::format("The parameter {} is not supported: {}", parameter, why), true};
}

aws::Fault InvalidValue(std::string_view value, std::string_view parameter, std::string_view why) {
  return aws::InvalidParameterValue(
      fmt::format("Value ({}) for parameter {} is invalid. {}", value, parameter, why));
}

aws::Outcome<vpc::Vpc> FindVpc(store::Store& store, const std::string& id) {
  return Find<vpc::Vpc>(store, id);
}

aws::Outcome<vpc::Subnet> FindSubnet(store::Store& store, const std::string& id) {
  return Find<vpc::Subnet>(store, id);
}

aws::Outcome<vpc::SecurityGroup> FindGroup(store::Store& store, const std::string& id) {
  return Find<vpc::SecurityGroup>(store, id, "InvalidGroupId.Malformed");
}

aws::Outcome<vpc::Interface> FindInterface(store::Store& store, const std::string& id) {
  return Find<vpc::Interface>(store, id, "InvalidNetworkInterfaceId.Malformed");
}

aws::Outcome<vpc::Rule> FindRule(store::Store& store, const std::string& id) {
  return Find<vpc::Rule>(store, id, "InvalidSecurityGroupRuleId.Malformed");
}

aws::Outcome<vpc::Vpc> FindDefaultVpc(store::Store& store) {
  OUTCOME_ASSIGN(std::vector<vpc::Vpc> vpcs, Translated(vpc::List<vpc::Vpc>(store)));
  for (vpc::Vpc& vpc : vpcs)
    if (vpc.is_default) return std::move(vpc);
  return aws::Refuse("VPCIdNotSpecified", "No default VPC for this user: give the ID of a VPC.");
}

aws::Fault Translate(const Error& error, std::initializer_list<Wire> wires) {
  for (const Wire& wire : wires) {
    if (wire.code != error.code()) continue;
    return {std::string(wire.wire), 400, wire.text.empty() ? error.what() : wire.text, true};
  }
  if (error.code() == Code::kNotFound) return aws::FaultOf(Error(Code::kConflict, error.what()));
  return aws::FaultOf(error);
}

aws::Outcome<void> Change(store::Store& store,
                          const std::function<aws::Outcome<void>(store::Transaction&)>& build) {
  for (int attempt = 1;; ++attempt) {
    store::Transaction transaction;
    aws::Outcome<void> outcome = build(transaction);
    if (outcome) {
      if (transaction.puts.empty() && transaction.deletes.empty()) return {};
      const auto committed = store.Commit(transaction);
      if (committed) return {};
      outcome = aws::Refuse(aws::FaultOf(committed.error()));
    }
    if (outcome.error().code != kChanged || attempt == kMaxAttempts) return outcome;
  }
}

}  // namespace howdah::services::ec2
