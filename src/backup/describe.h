// What is known of an instance beyond its data, kept in the repository so that it can be made again
// when nothing else is left: a text of the fleet's, opaque here, sealed. Each change is a new one;
// the newest counts.
#pragma once

#include <string>

#include "backup/objects.h"
#include "base/ids.h"

namespace howdah::backup {

// Durable when it returns. The same text again changes nothing. The last few before it stay, for
// the case that the newest one cannot be read.
Result<> PutDescription(const Needs& needs, const InstanceId& instance, const std::string& text);
// The newest that can be read. kNotFound where there is none.
Result<std::string> GetDescription(const Needs& needs, const InstanceId& instance);
// Of an instance of which nothing else is left in the repository.
Result<> RemoveDescriptions(const Needs& needs, const InstanceId& instance);

}  // namespace howdah::backup
