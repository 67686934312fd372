// What `howdah doctor` looks at. Each check says what it found, and where something is not well,
// why that matters and what helps.
#pragma once

#include <string>
#include <vector>

#include "cli/context.h"

namespace howdah::cli {

enum class Health { kOk, kWarning, kFailure };

struct Finding {
  std::string check;  // "engines"
  Health health = Health::kOk;
  std::string found;  // what is so
  std::string why = {};
  std::string help = {};
};

std::vector<Finding> Examine(const Context& context);

// Pure: whether sockets below a home stay below the kernel's limit on the length of their paths.
Finding CheckSocketPaths(const std::string& home);

}  // namespace howdah::cli
