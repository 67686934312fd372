// The CloudFormation service: the handlers of its operations, and the workflow that carries stacks
// out. A handler validates, commits the stack's document and the run of the workflow in one
// transaction, and answers.
#pragma once

#include "aws/service.h"
#include "services/cloudformation/provider.h"
#include "store/store.h"
#include "system/entropy.h"
#include "workflow/workflow.h"

namespace howdah::cfn {

inline constexpr std::string_view kStackWorkflow = "cloudformation-stack";

// Everything outlives what is registered with it.
struct World {
  store::Store& store;
  system::Entropy& entropy;
  Sealer sealer;
  Services services;
  std::string region;  // whose zones Fn::GetAZs gives
};

void RegisterCloudFormation(aws::Service& service, const World& world);
workflow::Workflow StackWorkflow(const World& world);
// A standing duty: deleted stacks, and detections of drift, are forgotten after 90 days.
Result<> ForgetDeletedStacks(const World& world, WallTime now);

}  // namespace howdah::cfn
