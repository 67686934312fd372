// EC2's codes, texts and statuses; the retry loop of every change.
#include "services/ec2/faults.h"

#include <fmt/format.h>

namespace howdah::services::ec2 {
namespace {

constexpr int kMaxAttempts = 20;
constexpr std::string_view kChanged = "OperationAborted";  // FaultOf's word for kConflict

struct Words {
  std::string_view prefix;
  std::string_view code;       // of an id that does not exist
  std::string_view text;       // with the id in the place of {}
  std::string_view malformed;  // code of an id that is none, where AWS tells the two apart
};

constexpr Words kWords[] = {
    {vpc::kVpcPrefix, "InvalidVpcID.NotFound", "The vpc ID '{}' does not exist", ""},
    {vpc::kSubnetPrefix, "InvalidSubnetID.NotFound", "The subnet ID '{}' does not exist", ""},
    {vpc::kGroupPrefix, "InvalidGroup.NotFound", "The security group '{}' does not exist",
     "InvalidGroupId.Malformed"},
    {vpc::kRulePrefix, "InvalidSecurityGroupRuleId.NotFound",
     "The security group rule ID '{}' does not exist", "InvalidSecurityGroupRuleId.Malformed"},
    {vpc::kInterfacePrefix, "InvalidNetworkInterfaceID.NotFound",
     "The networkInterface ID '{}' does not exist", "InvalidNetworkInterfaceId.Malformed"},
    {vpc::kAclPrefix, "InvalidNetworkAclID.NotFound", "The networkAcl ID '{}' does not exist", ""},
    {vpc::kRouteTablePrefix, "InvalidRouteTableID.NotFound",
     "The routeTable ID '{}' does not exist", ""},
    {vpc::kInternetGatewayPrefix, "InvalidInternetGatewayID.NotFound",
     "The internetGateway ID '{}' does not exist", ""},
    {vpc::kNatGatewayPrefix, "NatGatewayNotFound", "NatGateway {} was not found", ""},
    {vpc::kAllocationPrefix, "InvalidAllocationID.NotFound",
     "The allocation ID '{}' does not exist", ""},
};

aws::Fault Missing(const Words& words, std::string_view id) {
  return {std::string(words.code), 400, fmt::format(fmt::runtime(words.text), id), true};
}

const Words& WordsOf(std::string_view prefix) {
  for (const Words& words : kWords)
    if (words.prefix == prefix) return words;
  return kWords[0];
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

aws::Outcome<void> CheckId(std::string_view prefix, const std::string& id) {
  const Words& words = WordsOf(prefix);
  if (!words.malformed.empty() && !vpc::IsWellFormed(id, prefix))
    return aws::Refuse(std::string(words.malformed),
                       fmt::format("Invalid id: \"{}\" (expecting \"{}...\")", id, prefix));
  if (id.empty() || id.find('/') != std::string::npos) return aws::Refuse(Missing(words, id));
  return {};
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
