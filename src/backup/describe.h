// What is known of an instance beyond its data, kept in the repository so that it can be made again
// when nothing else is left: a text of the fleet's, opaque here, sealed. Each change is a new one;
// the newest counts.
#pragma once

#include <string>
#include <vector>

#include "backup/objects.h"
#include "base/ids.h"

namespace howdah::backup {

// Durable when it returns. The same text again changes nothing.
Result<> PutDescription(const Needs& needs, const InstanceId& instance, const std::string& text);
// kNotFound where there is none.
Result<std::string> GetDescription(const Needs& needs, const InstanceId& instance);
// All, oldest first.
Result<std::vector<std::string>> ListDescriptions(const Needs& needs, const InstanceId& instance);
// Of an instance of which nothing else is left in the repository.
Result<> RemoveDescriptions(const Needs& needs, const InstanceId& instance);

}  // namespace howdah::backup
