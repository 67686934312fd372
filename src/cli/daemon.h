// Finding, starting and awaiting the daemon of a home.
#pragma once

#include "base/time.h"
#include "cli/context.h"
#include "cli/failure.h"
#include "cli/session.h"

namespace howdah::cli {

// A session with the daemon of this home, which is started in a session of its own where none
// answers.
std::expected<Session, Failure> EnsureDaemon(const Context& context);

// Waits a moment between two looks at something that only a question can tell.
void PauseBetweenPolls(Duration duration);

}  // namespace howdah::cli
