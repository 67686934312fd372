#include "bin/repository_shelf.h"

#include "archive/range.h"
#include "archive/reader.h"
#include "backup/catalogue.h"
#include "backup/describe.h"
#include "backup/holdings.h"
#include "backup/plan.h"
#include "backup/sweep.h"

namespace howdah::bin {

namespace {

backup::RestoreWish WishOf(const nodes::Restore& restore) {
  using From = nodes::Restore::Target;
  using To = backup::RestoreWish::Target;
  const To target = restore.target == From::kBackup ? To::kBackup
                    : restore.target == From::kTime ? To::kTime
                                                    : To::kLatest;
  return {.target = target,
          .backup = restore.backup,
          .time = restore.time,
          .archived = {.lsn = postgres::Lsn(static_cast<std::uint64_t>(restore.archived_lsn)),
                       .until = restore.archived_until}};
}

}  // namespace

Result<> RepositoryShelf::Describe(const InstanceId& instance, const std::string& description) {
  return backup::PutDescription(needs_, instance, description);
}

Result<fleet::PlannedRestore> RepositoryShelf::Plan(const nodes::Restore& restore) {
  TRY_ASSIGN(const backup::Holdings held,
             backup::ReadHoldings(needs_, restore.source, restore.backup));
  const backup::RestoreWish wish = WishOf(restore);
  TRY_ASSIGN(const backup::RestorePlan plan,
             backup::PlanRestore(wish, restore.source, held.backups, held.contents));
  const auto window = backup::WindowOf(held.backups, held.contents, wish.archived)
                          .value_or(backup::RestoreWindow{});
  return fleet::PlannedRestore{.backup = plan.backup,
                               .until = plan.until,
                               .size_bytes = plan.size_bytes,
                               .wal_bytes = plan.wal_bytes,
                               .estimate = plan.Estimate(),
                               .earliest = window.earliest,
                               .latest = window.latest};
}

Result<> RepositoryShelf::DeleteBackup(const InstanceId& instance, const std::string& backup) {
  const std::lock_guard lock(sweeping_);
  TRY(backup::Sweep({.instance = instance, .remove = {backup}}, needs_));
  return ForgetIfEmpty(instance);
}

Result<> RepositoryShelf::ForgetIfEmpty(const InstanceId& instance) {
  TRY_ASSIGN(const auto wal, needs_.repository.List(archive::WalPrefix(instance)));
  if (!wal.empty()) return {};
  TRY_ASSIGN(const backup::Catalogue catalogue, backup::ListBackups(needs_, instance));
  if (!catalogue.backups.empty() || !catalogue.unreadable.empty()) return {};
  return backup::RemoveDescriptions(needs_, instance);
}

Result<> RepositoryShelf::DeleteArchive(const InstanceId& instance) {
  TRY_ASSIGN(const std::vector<repository::ObjectInfo> objects,
             needs_.repository.List(archive::WalPrefix(instance)));
  for (const repository::ObjectInfo& object : objects) TRY(needs_.repository.Delete(object.name));
  return ForgetIfEmpty(instance);
}

Result<std::vector<fleet::FoundInstance>> RepositoryShelf::Inventory() {
  TRY_ASSIGN(const std::vector<InstanceId> instances, backup::ListInstances(needs_));
  std::vector<fleet::FoundInstance> all;
  for (const InstanceId& instance : instances) {
    fleet::FoundInstance found{.id = instance};
    auto description = backup::GetDescription(needs_, instance);
    if (description) found.description = *std::move(description);
    if (!description && description.error().code() == Code::kUnavailable) {
      return Fail(description.error());
    }
    TRY_ASSIGN(backup::Catalogue catalogue, backup::ListBackups(needs_, instance));
    found.unreadable = std::move(catalogue.unreadable);
    if (!description && description.error().code() != Code::kNotFound) {
      found.unreadable.push_back(description.error().what());
    }
    archive::Reader reader(needs_.repository, needs_.keys);
    TRY_ASSIGN(const auto contents, reader.ReadContents(instance));
    if (const auto window = backup::WindowOf(catalogue.backups, contents)) {
      found.latest = window->latest;
    }
    for (backup::Manifest& backup : catalogue.backups) {
      found.backups.push_back({.id = backup.id,
                               .finished = backup.finished,
                               .size_bytes = backup.size_bytes,
                               .stored_bytes = backup.stored_bytes,
                               .description = std::move(backup.description)});
    }
    all.push_back(std::move(found));
  }
  return all;
}

// What follows on the backup lies on its own timeline behind its start, or on later timelines.
// Histories stay: they are small, and say how the timelines hang together.
Result<> RepositoryShelf::ExpireArchive(const InstanceId& instance,
                                        const std::string& oldest_backup) {
  const std::lock_guard lock(sweeping_);
  if (oldest_backup.empty()) return DeleteArchive(instance);
  TRY_ASSIGN(const backup::Manifest oldest, backup::ReadManifest(needs_, instance, oldest_backup));
  const postgres::Timeline timeline{static_cast<std::uint32_t>(oldest.timeline)};
  const postgres::Lsn start = oldest.start();
  const std::string prefix = archive::WalPrefix(instance);
  TRY_ASSIGN(const std::vector<repository::ObjectInfo> objects, needs_.repository.List(prefix));
  for (const repository::ObjectInfo& object : objects) {
    const auto range = archive::ParseRange(object.name.substr(prefix.size()));
    if (!range) continue;
    const bool before =
        range->timeline < timeline || (range->timeline == timeline && range->end <= start);
    if (before) TRY(needs_.repository.Delete(object.name));
  }
  return {};
}

}  // namespace howdah::bin
