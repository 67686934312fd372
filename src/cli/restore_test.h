// A restore test as commands show it.
#pragma once

#include <string>

#include "aws/generated/howdah.h"
#include "base/json.h"

namespace howdah::cli {

json::value RestoreTestJson(const std::optional<aws::howdah_api::RestoreTest>& test);
// "passed 2026-11-23T21:04:05Z", "failed …: why".
std::string RestoreTestText(const std::optional<aws::howdah_api::RestoreTest>& test);

}  // namespace howdah::cli
