// Which extensions a user of an instance may create. PostgreSQL lets a user with CREATE on the
// database create an extension that its control file calls `trusted`. Howdah's own engine copies
// (HOME/engines) get that line added for the allow-list; a distribution's engine is not changed, so
// there only what PostgreSQL itself calls trusted can be created. Extensions that give a way to
// files, programs or raw pages are never on the list.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "postgres/catalogue.h"

namespace howdah::postgres {

// The allow-list, sorted.
std::span<const std::string_view> AllowedExtensions();
bool IsAllowedExtension(std::string_view name);
// The control file with `trusted = true`; unchanged if it says so already.
std::string TrustControlFile(std::string_view control);
bool IsTrustedControlFile(std::string_view control);

// For an engine below HOME/engines: makes every allow-listed extension trusted, and no other one.
Result<> TrustAllowedExtensions(system::Disk& disk, const std::string& extension_dir);
// Names that a master user can really create with this engine.
Result<std::vector<std::string>> CreatableExtensions(system::Disk& disk, const Engine& engine);
// Whether the engine has a loadable library, e.g. "pg_stat_statements".
Result<bool> HasLibrary(system::Disk& disk, const Engine& engine, std::string_view library);

}  // namespace howdah::postgres
