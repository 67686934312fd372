// A task's interface is known to the gateway a moment after it was made: until then the gateway
// closes what comes from it, as it does for a stranger.
#pragma once

#include "cli/relay.h"
#include "system/clock.h"

namespace howdah::cli {

// Asks the endpoint, from the task's address, for TLS, until it answers anything at all. False
// where it has not within `limit`: the task is not admitted, or nobody serves now.
bool AwaitAdmission(const RelayRoute& route, const system::Clock& clock, Duration limit);

}  // namespace howdah::cli
