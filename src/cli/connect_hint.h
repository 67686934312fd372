// How to connect to what a stack made: found by asking the services, so that each line is true.
#pragma once

#include <string>

#include "cli/context.h"
#include "cli/session.h"

namespace howdah::cli {

// Lines that can be pasted into the caller's shell; empty where the stack has no DB instance.
std::string ConnectHint(const Context& context, const Session& session,
                        const std::string& stack_name);

}  // namespace howdah::cli
