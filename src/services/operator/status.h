// What `howdah status` shows, from the store.
#pragma once

#include "aws/fault.h"
#include "aws/generated/howdah.h"
#include "fleet/context.h"
#include "fleet/records.h"
#include "services/operator/operator.h"

namespace howdah::services::operators {

namespace api = aws::howdah_api;

// Refused where there is no such DB instance.
aws::Outcome<fleet::Instance> FindByName(const fleet::Context& context, const std::string& name);
// What the instance's second copy protects against, in words.
std::string ProtectionOf(const OperatorHost& host, const fleet::Instance& instance,
                         const ha::Record& record);
aws::Outcome<api::InstanceStatus> StatusOf(const fleet::Context& context, const OperatorHost& host,
                                           const fleet::Instance& instance,
                                           const ConnectionCounts& counts);
api::RunStatus StatusOf(const workflow::Run& run);

}  // namespace howdah::services::operators
