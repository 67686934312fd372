// From records to the gateway's types. Interfaces are listed where they can matter: an interface in
// a group that a rule names, and, since a range is matched against the private address of whoever
// is identified, every interface of the VPC as soon as a rule names a range.
#include "vpc/admission.h"

#include <algorithm>
#include <set>

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

Result<AdmissionSources> LoadAdmissionSources(store::Store& store) {
  AdmissionSources sources;
  TRY_ASSIGN(sources.rules, List<Rule>(store));
  TRY_ASSIGN(const std::vector<SecurityGroup> groups, List<SecurityGroup>(store));
  for (const SecurityGroup& group : groups) sources.groups.emplace(group.id, group.vpc);
  TRY_ASSIGN(sources.interfaces, List<Interface>(store));
  return sources;
}

Admission ResolveAdmission(const AdmissionSources& from, const std::vector<GroupId>& groups) {
  Admission admission;
  std::set<GroupId> sources;
  std::set<VpcId> ranged;
  for (const Rule& rule : from.rules) {
    const bool ours = std::ranges::find(groups, rule.group) != groups.end();
    if (!ours || !ConcernsTcpOverIpv4(rule)) continue;
    const auto group = from.groups.find(rule.group);
    if (group == from.groups.end()) continue;  // deleted between the listings
    admission.rules.push_back(ToAdmission(rule));
    if (rule.source.empty()) {
      ranged.insert(group->second);
    } else {
      sources.insert(rule.source);
    }
  }
  for (const Interface& interface : from.interfaces) {
    if (interface.kind == InterfaceKind::kNatGateway) continue;  // nobody speaks for it
    const bool member = std::ranges::any_of(
        interface.groups, [&](const GroupId& group) { return sources.contains(group); });
    if (member || ranged.contains(interface.vpc))
      admission.interfaces.push_back(ToNetwork(interface));
  }
  return admission;
}

Result<Admission> ResolveAdmission(store::Store& store, const std::vector<GroupId>& groups) {
  TRY_ASSIGN(const AdmissionSources sources, LoadAdmissionSources(store));
  return ResolveAdmission(sources, groups);
}

}  // namespace howdah::vpc
