// What the host agent may touch. Everything outlives the agent.
#pragma once

#include <functional>
#include <vector>

#include "backup/objects.h"
#include "base/log.h"
#include "host/layout.h"
#include "postgres/catalogue.h"
#include "store/store.h"
#include "system/clock.h"
#include "system/disk.h"
#include "system/entropy.h"
#include "system/processes.h"
#include "vault/authority.h"
#include "vault/keyring.h"

namespace howdah::host {

struct Needs {
  store::Store& store;
  system::Disk& disk;
  system::Processes& processes;
  const system::Clock& clock;
  system::Entropy& entropy;
  const vault::Keyring& keyring;
  const vault::Authority& authority;
  std::function<Result<std::vector<postgres::Engine>>()> engines;
  // The library that servers are started with (postgres/handover.h), or why there is none.
  std::string handover_library;
  std::string handover_refusal;
  const Layout& layout;
  const Log& log;
  // The library that this engine's servers are to load (postgres/commit_guard.h), or why none.
  std::function<Result<std::string>(const postgres::Engine&)> commit_guard;
  // The repository of backups (none: nothing is archived, backed up or restored here), the place by
  // which it is opened again, and this program, which servers in recovery call for their WAL.
  const backup::Needs* backups = nullptr;
  std::string repository = {};
  std::string own_path = {};
};

}  // namespace howdah::host
