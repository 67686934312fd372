// All that the repository holds of one instance, as a plan needs it.
#pragma once

#include <vector>

#include "archive/reader.h"
#include "backup/catalogue.h"
#include "backup/manifest.h"
#include "backup/objects.h"

namespace howdah::backup {

struct Holdings {
  std::vector<Manifest> backups;
  archive::Reader::Contents contents;
};

// Backups whose manifest cannot be read are left out, with a warning in the log; but for the one
// that is asked for by name: then the error names what is missing or damaged.
Result<Holdings> ReadHoldings(const Needs& needs, const InstanceId& instance,
                              const std::string& backup = "");

}  // namespace howdah::backup
