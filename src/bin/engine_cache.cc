#include "bin/engine_cache.h"

namespace howdah::bin {

std::vector<std::string> EngineCache::Listing() {
  std::vector<std::string> names;
  for (const std::string& directory : {std::string("/usr/lib/postgresql"), home_ + "/engines"}) {
    const auto found = disk_.List(directory);
    if (!found) continue;
    for (const std::string& name : *found) names.push_back(directory + "/" + name);
  }
  return names;
}

Result<std::vector<postgres::Engine>> EngineCache::Get() {
  const std::lock_guard lock(mutex_);
  std::vector<std::string> now = Listing();
  if (known_ && now == listing_) return engines_;
  TRY_ASSIGN(engines_, postgres::FindEngines(disk_, processes_, home_));
  listing_ = std::move(now);
  known_ = true;
  return engines_;
}

}  // namespace howdah::bin
