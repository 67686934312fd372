// The fleet's face of the backup repository: descriptions, plans of restores, and what goes.
#pragma once

#include <mutex>

#include "backup/objects.h"
#include "fleet/backup_shelf.h"

namespace howdah::bin {

// Safe from any thread. The needs outlive it.
class RepositoryShelf final : public fleet::BackupShelf {
 public:
  explicit RepositoryShelf(const backup::Needs& needs) : needs_(needs) {}

  Result<> Describe(const InstanceId& instance, const std::string& description) override;
  Result<fleet::PlannedRestore> Plan(const nodes::Restore& restore) override;
  Result<std::vector<fleet::FoundInstance>> Inventory() override;
  Result<> DeleteBackup(const InstanceId& instance, const std::string& backup) override;
  Result<> ExpireArchive(const InstanceId& instance, const std::string& oldest_backup) override;

 private:
  Result<> DeleteArchive(const InstanceId& instance);
  // Descriptions go with the last thing that they describe.
  Result<> ForgetIfEmpty(const InstanceId& instance);

  const backup::Needs& needs_;
  std::mutex sweeping_;  // never twice at once for one instance
};

}  // namespace howdah::bin
