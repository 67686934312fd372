// What `howdah doctor` says about backups.
#pragma once

#include <vector>

#include "aws/generated/howdah.h"
#include "cli/doctor.h"

namespace howdah::cli {

// Pure: what of the instances' backups is not as it should be.
std::vector<Finding> CheckBackups(const aws::howdah_api::GetStatusResponse& status);

}  // namespace howdah::cli
