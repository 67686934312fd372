// What an interrupted attempt at a backup has left: packs with their parts are used by the next
// attempt, everything else of it is removed. And `begun`, by which others see that a backup is
// being taken.
#pragma once

#include <string>
#include <vector>

#include "backup/catalogue.h"
#include "backup/file_table.h"

namespace howdah::backup {

struct Leftovers {
  std::vector<PackUse> packs;  // used_bytes not set
  std::vector<Part> parts;     // of the same
  std::uint32_t next_number = 0;
};
// There must be no manifest.
Result<Leftovers> TakeOver(const Needs& needs, const InstanceId& instance,
                           const std::string& backup);

// What only an unfinished backup needs.
Result<> RemoveScaffold(const Needs& needs, const InstanceId& instance, const std::string& backup);

}  // namespace howdah::backup
