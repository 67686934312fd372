#include "fleet/simulated_shelf.h"

#include <fmt/format.h>

namespace howdah::fleet {

Result<> SimulatedShelf::Reach(const std::function<void()>& act) {
  const auto call = [&]() -> Result<> {
    act();
    return {};
  };
  return faults_ == nullptr ? call() : faults_->Reach(call);
}

Result<> SimulatedShelf::Describe(const InstanceId& instance, const std::string& description) {
  return Reach([&] { shelf_.descriptions[instance] = description; });
}

Result<PlannedRestore> SimulatedShelf::Plan(const nodes::Restore& restore) {
  using Target = nodes::Restore::Target;
  const WallTime latest = shelf_.archived_until[restore.source];
  const WallTime until = restore.target == Target::kTime ? restore.time : latest;
  PlannedRestore plan;
  for (const auto& [id, backup] : shelf_.backups) {
    if (backup.instance != restore.source) continue;
    const bool fits = restore.target == Target::kBackup
                          ? id == restore.backup
                          : backup.finished <= until && backup.finished > plan.until;
    if (fits) plan = {.backup = id, .until = backup.finished, .size_bytes = 1000};
  }
  if (plan.backup.empty() && restore.target == Target::kBackup) {
    return Fail(Code::kNotFound, "there is no backup " + restore.backup);
  }
  if (plan.backup.empty() || (restore.target == Target::kTime && until > latest)) {
    return Fail(Code::kInvalid, "it can be restored up to " + FormatIso8601(latest));
  }
  if (restore.target != Target::kBackup) plan.until = until;
  return plan;
}

Result<std::vector<FoundInstance>> SimulatedShelf::Inventory() {
  std::map<InstanceId, FoundInstance> found;
  for (const auto& [id, backup] : shelf_.backups) {
    FoundInstance& instance = found[backup.instance];
    instance.id = backup.instance;
    instance.description = shelf_.descriptions[backup.instance];
    instance.latest = shelf_.archived_until[backup.instance];
    instance.backups.push_back({.id = id,
                                .finished = backup.finished,
                                .size_bytes = 1000,
                                .description = backup.description});
  }
  std::vector<FoundInstance> all;
  for (auto& [id, instance] : found) all.push_back(std::move(instance));
  return all;
}

Result<> SimulatedShelf::DeleteBackup(const InstanceId&, const std::string& backup) {
  return Reach([&] { shelf_.backups.erase(backup); });
}

Result<> SimulatedShelf::ExpireArchive(const InstanceId& instance, const std::string& backup) {
  return Reach([&] {
    if (backup.empty()) {
      shelf_.archives.erase(instance);
    } else {
      shelf_.archives[instance] = backup;
    }
  });
}

}  // namespace howdah::fleet
