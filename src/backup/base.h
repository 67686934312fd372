// On which earlier backup the next one builds.
#pragma once

#include <optional>
#include <vector>

#include "backup/catalogue.h"

namespace howdah::backup {

struct Base {
  Manifest manifest;
  FileTable table;
  PageMap pages;
  // Packs on which nothing new shall build: worn, or no longer as they were.
  std::vector<bool> avoid;
};

// The newest that can be read; nothing where there is none.
Result<std::optional<Base>> FindBase(const Needs& needs, const InstanceId& instance);

}  // namespace howdah::backup
