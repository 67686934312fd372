// Files that hold a secret and are made once, on the first start: mode 0600, kept by nobody else.
#pragma once

#include <string>

#include "base/result.h"
#include "system/disk.h"

namespace howdah::vault {

// The contents; kNotFound where there is none yet; kPermission where others may read it.
Result<std::string> ReadPrivateFile(system::Disk& disk, const std::string& path);

}  // namespace howdah::vault
