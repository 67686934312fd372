// The newest epoch that this node's agent has promised to obey, in a small file in the node's root
// (I6): it survives the agent and the machine, so that a document of an older epoch, come late, is
// never carried out.
#pragma once

#include <cstdint>
#include <string>

#include "base/result.h"
#include "system/disk.h"

namespace howdah::host {

// 0 where none was made; kCorrupt where the file is no promise.
Result<std::int64_t> ReadPromise(system::Disk& disk, const std::string& root);
// Durable when it returns, file and directory.
Result<> WritePromise(system::Disk& disk, const std::string& root, std::int64_t epoch);

}  // namespace howdah::host
