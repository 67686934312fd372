// From records to the gateway's types. Interfaces are listed where they can matter: an interface in
// a group that a rule names, and, since a range is matched against the private address of whoever
// is identified, every interface of the VPC as soon as a rule names a range.
#include "vpc/admission.h"

#include <algorithm>
#include <set>

#include "vpc/groups.h"

namespace howdah::vpc {
namespace {

constexpr std::uint16_t kLastPort = 65535;

network::AdmissionRule ToAdmission(const Rule& rule) {
  network::AdmissionRule admission;
  if (rule.source.empty()) {
    admission.source = rule.cidr;
  } else {
    admission.source = network::GroupId{rule.source.str()};
  }
  const bool all = rule.protocol == "-1";
  admission.from_port = all ? std::uint16_t{0} : static_cast<std::uint16_t>(rule.from_port);
  admission.to_port = all ? kLastPort : static_cast<std::uint16_t>(rule.to_port);
  return admission;
}

bool ConcernsTcpOverIpv4(const Rule& rule) {
  return rule.direction == Direction::kIngress && !rule.cidr6 &&
         (rule.protocol == "tcp" || rule.protocol == "-1");
}

network::Interface ToNetwork(const Interface& interface) {
  network::Interface result;
  result.id = interface.id.str();
  result.host_address = interface.host_address;
  result.private_address = interface.address;
  result.owner = interface.owner_uid;
  for (const GroupId& group : interface.groups) result.groups.push_back(group.str());
  return result;
}

}  // namespace

Result<Admission> ResolveAdmission(store::Store& store, const std::vector<GroupId>& groups) {
  Admission admission;
  std::set<GroupId> sources;
  std::set<VpcId> ranged;
  for (const GroupId& id : groups) {
    auto group = Get<SecurityGroup>(store, id);
    if (!group && group.error().code() == Code::kNotFound) continue;
    if (!group) return Fail(group.error());
    TRY_ASSIGN(const std::vector<Rule> rules, RulesOf(store, id));
    for (const Rule& rule : rules) {
      if (!ConcernsTcpOverIpv4(rule)) continue;
      admission.rules.push_back(ToAdmission(rule));
      if (rule.source.empty()) {
        ranged.insert(group->vpc);
      } else {
        sources.insert(rule.source);
      }
    }
  }
  TRY_ASSIGN(const std::vector<Interface> interfaces, List<Interface>(store));
  for (const Interface& interface : interfaces) {
    if (interface.kind == InterfaceKind::kNatGateway) continue;  // nobody speaks for it
    const bool member = std::ranges::any_of(
        interface.groups, [&](const GroupId& group) { return sources.contains(group); });
    if (member || ranged.contains(interface.vpc))
      admission.interfaces.push_back(ToNetwork(interface));
  }
  return admission;
}

}  // namespace howdah::vpc
