// The RDS service: translates between AWS's words and the fleet. Handlers validate, hand a command
// to the fleet, and answer with what is then true. The context outlives the service.
#pragma once

#include <functional>

#include "aws/service.h"
#include "base/time.h"
#include "fleet/context.h"

namespace howdah::services {

struct RdsOptions {
  // When the certificates of instances, and the authority that signs them, end.
  std::function<WallTime()> certificate_end;
};

void RegisterRds(aws::Service& service, const fleet::Context& context, RdsOptions options);

}  // namespace howdah::services
