// What the resources of a stack really are, against what its template says. Calls the services that
// own them; nothing is changed.
#pragma once

#include "services/cloudformation/session.h"
#include "services/cloudformation/template/differences.h"

namespace howdah::cfn {

// What was found of one resource. Holds values of properties: only in memory, and sealed.
struct ResourceDrift {
  std::string logical_id, physical_id, type;
  std::string status;            // IN_SYNC, MODIFIED, DELETED
  std::string expected, actual;  // objects as JSON; of DELETED there is no actual one
  std::vector<Difference> differences;
  WallTime time{};
};

aws::Outcome<ResourceDrift> LookForDrift(Session& session, const ResourceRecord& record,
                                         const Side& side);

std::string DriftKey(const Stack& stack, std::string_view logical_id);
std::string SealDrift(const Sealer& sealer, const Stack& stack, const ResourceDrift& drift);
Result<ResourceDrift> OpenDrift(const Sealer& sealer, const Stack& stack, std::string_view sealed);

}  // namespace howdah::cfn
