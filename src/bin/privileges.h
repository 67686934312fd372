// PostgreSQL refuses to run as root, and so does Howdah: started as root, it becomes the system
// user `howdah` before it does anything else.
#pragma once

#include <string>

#include "base/result.h"

namespace howdah::bin {

inline constexpr const char* kSystemUser = "howdah";

// As root: makes `home` (0700) if it is missing, gives it to the system user if it is root's, and
// becomes that user for good. As anybody else: makes `home` if it is missing. kNotFound where the
// user does not exist, with the command that makes it.
Result<> BecomeOrdinary(const std::string& home);

// The first half of it, for what stays root: makes the home and gives it to the system user.
Result<> EnsureHomeFor(const std::string& home);
// Engines that root has installed are root's, so that the daemon cannot change the program that it
// runs; but everybody may read them. Does nothing for anybody but root.
Result<> ShareEngines(const std::string& home);

}  // namespace howdah::bin
