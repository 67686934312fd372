// The data keys of a repository: each is an object "keys/<id>" of its own, sealed under the master
// key, so that the repository and the master key are all that a restore needs.
#pragma once

#include <map>
#include <mutex>
#include <string>

#include "repository/repository.h"
#include "repository/sealed.h"
#include "vault/keyring.h"

namespace howdah::repository {

// Safe from any thread. The three outlive it.
class Keys {
 public:
  Keys(Repository& repository, const vault::Keyring& keyring, system::Entropy& entropy)
      : repository_(repository), keyring_(keyring), entropy_(entropy) {}

  // A fresh one, durable in the repository before it is returned.
  Result<DataKey> Make();
  // kNotFound; kCorrupt: it was sealed under another master key, or changed.
  Result<DataKey> Find(const std::string& id);

 private:
  Repository& repository_;
  const vault::Keyring& keyring_;
  system::Entropy& entropy_;
  std::mutex mutex_;
  std::map<std::string, DataKey> known_;
};

}  // namespace howdah::repository
