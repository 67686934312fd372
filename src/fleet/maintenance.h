// What waits for the maintenance window, carried out.
#pragma once

#include "fleet/context.h"
#include "fleet/records.h"

namespace howdah::fleet {

// Begins to carry out all that waits, window or not. kFailedState: the instance is not available.
Result<> ApplyDeferred(const Context& context, const Versioned<Instance>& instance);

}  // namespace howdah::fleet
