// Remembers which engines there are, and asks again only when a directory of engines has changed:
// asking means starting each `postgres --version`.
#pragma once

#include <mutex>
#include <string>
#include <vector>

#include "postgres/catalogue.h"
#include "system/disk.h"
#include "system/processes.h"

namespace howdah::bin {

class EngineCache {
 public:
  EngineCache(system::Disk& disk, system::Processes& processes, std::string home)
      : disk_(disk), processes_(processes), home_(std::move(home)) {}

  Result<std::vector<postgres::Engine>> Get();

 private:
  std::vector<std::string> Listing();

  system::Disk& disk_;
  system::Processes& processes_;
  const std::string home_;
  std::mutex mutex_;
  bool known_ = false;
  std::vector<std::string> listing_;
  std::vector<postgres::Engine> engines_;
};

}  // namespace howdah::bin
