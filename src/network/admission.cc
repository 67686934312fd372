// The security-group decision; see admission.h.
#include "network/admission.h"

#include <fmt/format.h>

#include <algorithm>

namespace howdah::network {
namespace {

const Interface* Identify(const Source& source, const std::vector<Interface>& interfaces,
                          Proof proof) {
  for (const Interface& candidate : interfaces) {
    if (candidate.host_address != source.host_address) continue;
    if (proof == Proof::kAddress || source.peer_uid == candidate.owner) return &candidate;
  }
  return nullptr;
}

bool Matches(const AdmissionRule& rule, Ipv4 address, const Interface* member) {
  if (const auto* block = std::get_if<Cidr>(&rule.source)) return block->Contains(address);
  return member != nullptr &&
         std::ranges::find(member->groups, std::get<GroupId>(rule.source).id) !=
             member->groups.end();
}

std::string RuleName(const AdmissionRule& rule) {
  if (const auto* block = std::get_if<Cidr>(&rule.source)) return block->ToString();
  return std::get<GroupId>(rule.source).id;
}

}  // namespace

bool NeedsPeerOwner(Ipv4 source, const std::vector<Interface>& interfaces, Proof proof) {
  return proof == Proof::kAddressAndOwner &&
         std::ranges::any_of(interfaces,
                             [&](const Interface& i) { return i.host_address == source; });
}

Decision Admit(const std::vector<AdmissionRule>& rules, const Source& source,
               const std::vector<Interface>& interfaces, std::uint16_t port, Proof proof) {
  Decision decision;
  decision.client_address = source.host_address;
  const Interface* member = Identify(source, interfaces, proof);
  if (member != nullptr) {
    decision.interface_id = member->id;
    decision.client_address = member->private_address;
  }
  for (const AdmissionRule& rule : rules) {
    if (port < rule.from_port || port > rule.to_port) continue;
    if (!Matches(rule, decision.client_address, member)) continue;
    decision.admitted = true;
    decision.why = fmt::format("rule {}", RuleName(rule));
    return decision;
  }
  const bool stranger = member == nullptr && NeedsPeerOwner(source.host_address, interfaces, proof);
  decision.why =
      stranger ? "no rule admits it, and its user does not own the interface" : "no rule admits it";
  return decision;
}

}  // namespace howdah::network
