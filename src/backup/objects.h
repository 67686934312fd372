// Whole sealed objects of a repository, read and written under the right data key, and packs opened
// for reading single frames.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "base/log.h"
#include "repository/keys.h"
#include "repository/repository.h"
#include "repository/sealed.h"
#include "system/clock.h"
#include "system/disk.h"
#include "system/entropy.h"

namespace howdah::backup {

// What this room works with; all outlive it, all safe from any thread.
struct Needs {
  repository::Repository& repository;
  repository::Keys& keys;
  system::Entropy& entropy;
  system::Disk& disk;
  const system::Clock& clock;
  const Log& log;
};

// The contents of an object; errors name it.
Result<std::string> ReadObject(const Needs& needs, const std::string& name);
// Durable; returns the size that it takes up in the repository.
Result<std::uint64_t> WriteObject(const Needs& needs, const repository::DataKey& key,
                                  const std::string& name, std::string_view contents);

// Opens each pack once. Safe from any thread.
class Packs {
 public:
  explicit Packs(const Needs& needs) : needs_(needs) {}
  // Stays valid as long as this.
  Result<const repository::ObjectReader*> Open(const std::string& name);

 private:
  Result<std::unique_ptr<repository::ObjectReader>> Read(const std::string& name);

  const Needs& needs_;
  std::mutex mutex_;
  std::map<std::string, std::unique_ptr<repository::ObjectReader>> open_;
};

}  // namespace howdah::backup
