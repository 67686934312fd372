#include "archive/restore_wal.h"

#include "archive/reader.h"

namespace howdah::archive {
namespace {

// False: the plan does not go there.
Result<bool> Restore(const std::string& plan_file, const std::string& name,
                     const std::string& target, Reader reader, system::Disk& disk) {
  TRY_ASSIGN(const std::string text, disk.Read(plan_file));
  auto plan = WalPlanCodec().Parse(text);
  if (!plan) return Fail(plan.error().During(plan_file));
  TRY_ASSIGN(const auto file, FindFile(*plan, name));
  if (!file) return false;
  TRY_ASSIGN(const std::string contents, reader.ReadFile(*plan, *file));
  // Not durable: after a crash PostgreSQL asks again.
  TRY(disk.RemoveTree(target));
  TRY(disk.WriteAt(target, 0, contents));
  return true;
}

}  // namespace

int RestoreWal(const std::string& plan_file, const std::string& name, const std::string& target,
               repository::Repository& repository, repository::Keys& keys, system::Disk& disk,
               const Log& log) {
  const auto restored = Restore(plan_file, name, target, Reader(repository, keys), disk);
  if (restored) return *restored ? kRestoredWal : kBeyondThePlan;
  log.Error("restoring {} from the WAL archive: {}", name, restored.error().what());
  return kRestoreWalFailed;
}

}  // namespace howdah::archive
