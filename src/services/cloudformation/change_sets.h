// Change sets: finding them, and how far one is.
#pragma once

#include "services/cloudformation/handlers.h"

namespace howdah::cfn {

struct StoredChangeSet {
  ChangeSet set;
  store::Revision revision = 0;
};

// By ARN, or by name within a stack.
aws::Outcome<StoredChangeSet> FindChangeSet(const World& world, const std::string& name,
                                            const std::optional<std::string>& stack_name);
// How far the execution is, the stack knows.
std::string ExecutionStatus(const ChangeSet& set, const Stack& stack);
aws::Outcome<Proposal> ProposalOf(const World& world, const ChangeSet& set, const Stack& stack);
void RegisterChangeSetViews(aws::Service& service, const World& world);

}  // namespace howdah::cfn
