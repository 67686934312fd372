// What the gateway must know to decide about connections to something in certain security groups,
// in the types of network/admission.h. Derived from the records each time; whoever pushes it to the
// gateway watches kAllKeys and resolves again.
#pragma once

#include <map>
#include <vector>

#include "network/admission.h"
#include "store/store.h"
#include "vpc/records.h"

namespace howdah::vpc {

struct Admission {
  std::vector<network::AdmissionRule> rules;   // ingress rules that can concern TCP
  std::vector<network::Interface> interfaces;  // of the groups that rules name, by id; all of the
                                               // VPC when a rule names a range of addresses
  bool operator==(const Admission&) const = default;
};

// All that an admission is resolved from, read once for many.
struct AdmissionSources {
  std::vector<Rule> rules;
  std::map<GroupId, VpcId> groups;
  std::vector<Interface> interfaces;
};
Result<AdmissionSources> LoadAdmissionSources(store::Store& store);

// A group that does not exist admits nobody.
Admission ResolveAdmission(const AdmissionSources& sources, const std::vector<GroupId>& groups);
Result<Admission> ResolveAdmission(store::Store& store, const std::vector<GroupId>& groups);

}  // namespace howdah::vpc
