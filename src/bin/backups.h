// The repository of backups, as serve and the servers that recover from it open it.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <string>

#include "backup/objects.h"
#include "base/log.h"
#include "cli/main_face.h"
#include "repository/keys.h"
#include "repository/repository.h"
#include "system/clock.h"
#include "system/disk.h"
#include "system/entropy.h"
#include "vault/keyring.h"

namespace howdah::bin {

// A repository that may not be there yet: a disk that is not mounted, a service that does not
// answer. Databases do not wait for it; each call tries to open it, and says why it cannot.
class LateRepository final : public repository::Repository {
 public:
  using Open = std::function<Result<std::unique_ptr<repository::Repository>>()>;
  LateRepository(std::string place, Open open) : place_(std::move(place)), open_(std::move(open)) {}

  Result<> Put(const std::string& name, std::string_view bytes) override;
  Result<std::string> Get(const std::string& name) override;
  Result<std::string> GetRange(const std::string& name, std::uint64_t offset,
                               std::size_t size) override;
  Result<std::vector<repository::ObjectInfo>> List(const std::string& prefix) override;
  Result<std::vector<std::string>> ListSegments(const std::string& prefix) override;
  Result<> Delete(const std::string& name) override;
  Result<std::optional<system::SpaceInfo>> Space() override;
  std::string Place() const override { return place_; }

  // Opens it, or says why it cannot be opened.
  Result<repository::Repository*> Inner();

 private:
  const std::string place_;
  const Open open_;
  std::mutex mutex_;
  std::unique_ptr<repository::Repository> inner_;
};

struct BackupsInput {
  std::string place;
  system::Disk& disk;
  const system::Clock& clock;
  system::Entropy& entropy;
  const vault::Keyring& keyring;
  const Log& log;
};

// Repository, keys, and what the backup room works with.
class Backups {
 public:
  explicit Backups(const BackupsInput& input);
  const backup::Needs& needs() const { return needs_; }
  LateRepository& repository() { return repository_; }

 private:
  LateRepository repository_;
  repository::Keys keys_;
  backup::Needs needs_;
};

// HOME/backups, where no other place is named.
std::string RepositoryPlace(const std::string& named, const std::string& home);

// Whether serve can work with it, before it is there: kInvalid says what is wrong.
Result<> CheckRepositoryPlace(const std::string& place);

// Reads every object of the backups; needs no daemon.
Result<cli::VerifyResult> VerifyBackups(const cli::VerifyInput& input,
                                        const std::function<void(std::string_view)>& say,
                                        const Log& log);

// `howdah restore-wal`: the exit code is for PostgreSQL.
int RestoreWal(const cli::RestoreWalOptions& options, const Log& log);

}  // namespace howdah::bin
