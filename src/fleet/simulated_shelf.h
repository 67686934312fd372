// A test aid: a repository without a disk. What is in it is a struct, which the simulated host
// writes and a test can keep and look at.
#pragma once

#include <map>
#include <set>
#include <string>

#include "fleet/backup_shelf.h"
#include "store/fault_store.h"

namespace howdah::fleet {

struct ShelvedBackup {
  std::string description;
  InstanceId instance;
  WallTime finished{};
  std::string verifier;  // the master user's password in it, which stands for the data
};

struct Shelf {
  std::map<std::string, ShelvedBackup> backups;
  std::map<InstanceId, std::string> archives;  // the backup from which on they are kept
  std::map<InstanceId, WallTime> archived_until;
  std::map<InstanceId, std::string> descriptions;
};

// `faults`: of the process that looks at it, may be none.
class SimulatedShelf final : public BackupShelf {
 public:
  explicit SimulatedShelf(Shelf& shelf, store::FaultPlan* faults = nullptr)
      : shelf_(shelf), faults_(faults) {}

  Result<> Describe(const InstanceId& instance, const std::string& description) override;
  Result<PlannedRestore> Plan(const nodes::Restore& restore) override;
  Result<std::vector<FoundInstance>> Inventory() override;
  Result<> DeleteBackup(const InstanceId& instance, const std::string& backup) override;
  Result<> ExpireArchive(const InstanceId& instance, const std::string& oldest_backup) override;

 private:
  Result<> Reach(const std::function<void()>& act);

  Shelf& shelf_;
  store::FaultPlan* faults_;
};

}  // namespace howdah::fleet
