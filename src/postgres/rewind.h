// pg_rewind, where the engine has it: takes a former primary's directory back to where a new
// primary's history left it, by copying the blocks that were changed since, and all other files.
// The npm engines have none.
#pragma once

#include "postgres/node.h"

namespace howdah::postgres {

Result<bool> CanRewind(system::Disk& disk, const Engine& engine);

// True once the server's control file names its present timeline: a checkpoint has been made since
// its promotion, and pg_rewind sees where it is.
Result<bool> IsReadyToRewindFrom(Connection& source, Duration limit);

// The caller has made the rejoin marker durable before and removes it after; nothing of the node
// runs. A failure, or a crash, leaves a directory that only a delta copy can mend. Without
// standby.signal in the target: single-user recovery comes first.
Result<> Rewind(const NodePaths& target, const Engine& engine, const ConnectOptions& source,
                system::Disk& disk, system::Processes& processes, Duration limit);

}  // namespace howdah::postgres
