// The standing duty of automated backups: an automated snapshot in each backup window, the expiry
// of those that no promised restore needs any more, and the end of what belongs to nobody. It
// decides and writes documents; shelf_reconciler.cc carries out what concerns the repository.
#include <map>
#include <set>

#include "fleet/archive_health.h"
#include "fleet/backup_commands.h"
#include "fleet/backup_schedule.h"
#include "fleet/keys.h"
#include "fleet/workflows.h"

namespace howdah::fleet {

namespace {

constexpr Duration kLook = 20s;  // much shorter than the shortest window

using SnapshotsOf = std::map<InstanceId, std::vector<DbSnapshot>>;

Result<SnapshotsOf> AutomatedSnapshots(const Context& context) {
  TRY_ASSIGN(const auto all, ListDbSnapshots(context.store));
  SnapshotsOf by_instance;
  for (const auto& [snapshot, revision] : all) {
    if (snapshot.automated) by_instance[snapshot.instance].push_back(snapshot);
  }
  return by_instance;
}

Result<> Expire(const Context& context, const std::vector<DbSnapshot>& snapshots,
                std::int64_t retention_days) {
  for (const std::string& name : ExpiredSnapshots(snapshots, retention_days, context.clock.Now())) {
    TRY_ASSIGN(const Versioned<DbSnapshot> snapshot, LoadDbSnapshot(context.store, name));
    store::Transaction transaction;
    TRY(ForgetSnapshot(context.store, transaction, snapshot));
    TRY(context.store.Commit(transaction));
    context.log.Info("automated snapshot {} has expired", name);
  }
  return {};
}

Result<> Doom(const Context& context, const Versioned<AutomatedBackup>& backup,
              store::Transaction transaction = {}) {
  TRY(DoomAutomatedBackup(context.store, transaction, backup));
  TRY(context.store.Commit(transaction));
  return {};
}

Result<> Open(const Context& context, const Versioned<Instance>& instance) {
  static constexpr std::string_view kAlphabet = "abcdefghijklmnopqrstuvwxyz234567";
  store::Transaction transaction;
  transaction.compares.push_back({InstanceKey(instance.value.id), instance.revision});
  Save(transaction,
       Versioned<AutomatedBackup>{
           .value = {.instance = instance.value.id,
                     .arn_id = "ab-" + system::RandomText(context.entropy, 39, kAlphabet)}});
  TRY(context.store.Commit(transaction));
  return {};
}

// An instance that is there.
Result<> Tend(const Context& context, const Versioned<Instance>& instance,
              const Versioned<AutomatedBackup>* backup, const std::vector<DbSnapshot>& snapshots) {
  const Instance& it = instance.value;
  if (it.settings.backup_retention_days == 0) {
    if (backup == nullptr || backup->value.doomed) return {};
    return Doom(context, *backup,
                {.compares = {{InstanceKey(it.id), instance.revision}}, .puts = {}, .deletes = {}});
  }
  if (backup == nullptr) return Open(context, instance);
  if (backup->value.doomed) return {};  // first what is left of an earlier time goes
  TRY(Expire(context, snapshots, it.settings.backup_retention_days));
  const bool serves = it.created != WallTime{} && it.power == nodes::Power::kRunning;
  TRY_ASSIGN(const Versioned<ArchiveTold> told, LoadArchiveTold(context.store, it.id));
  if (!serves || !IsSnapshotDue(it.settings.backup_window, snapshots, backup->value.failed,
                                IsGapOpen(told.value, snapshots), context.clock.Now())) {
    return {};
  }
  const Result<DbSnapshot> begun = CreateAutomatedSnapshot(context, it.identifier);
  // What is being changed is looked at again; so is one whose name, of this minute, is taken.
  if (!begun && begun.error().code() != Code::kFailedState &&
      begun.error().code() != Code::kAlreadyExists) {
    return Fail(begun.error());
  }
  return {};
}

// Of an instance that is not there.
Result<> TendRetained(const Context& context, const Versioned<AutomatedBackup>& backup,
                      const std::vector<DbSnapshot>& snapshots) {
  const AutomatedBackup& it = backup.value;
  if (it.doomed || it.imported) return {};
  const std::int64_t days = it.facts.retention_days;
  const bool over = !it.retained || context.clock.Now() > it.latest + std::chrono::days(days);
  if (over) {
    return Doom(context, backup,
                {.compares = {{InstanceKey(it.instance), 0}}, .puts = {}, .deletes = {}});
  }
  return Expire(context, snapshots, days);
}

// A lost compare is looked at again by the next pass; nothing stops the others.
void Judge(const Context& context, const std::string& whose, const Result<>& done, bool& again) {
  if (done) return;
  again = true;
  if (done.error().code() == Code::kConflict) return;
  context.log.Warning("automated backups of {}: {}", whose, done.error().what());
}

Result<Duration> Pass(const Context& context) {
  TRY_ASSIGN(const auto instances, ListVersionedInstances(context.store));
  TRY_ASSIGN(const auto backups, ListAutomatedBackups(context.store));
  TRY_ASSIGN(SnapshotsOf snapshots, AutomatedSnapshots(context));
  std::map<InstanceId, const Versioned<AutomatedBackup>*> backup_of;
  for (const auto& backup : backups) backup_of[backup.value.instance] = &backup;
  bool again = false;
  for (const Versioned<Instance>& instance : instances) {
    const InstanceId& id = instance.value.id;
    const auto found = backup_of.extract(id);
    const Versioned<AutomatedBackup>* backup = found.empty() ? nullptr : found.mapped();
    Judge(context, instance.value.identifier, Tend(context, instance, backup, snapshots[id]),
          again);
  }
  for (const auto& [id, backup] : backup_of) {
    Judge(context, id.str(), TendRetained(context, *backup, snapshots[id]), again);
  }
  return again ? Duration(1s) : kLook;
}

}  // namespace

workflow::Reconciler BackupReconciler(const Context& context) {
  return {.name = "backups",
          .prefixes = {std::string(kInstancesPrefix), std::string(kAutomatedBackupsPrefix),
                       std::string(kDbSnapshotsPrefix), std::string(kArchiveToldPrefix)},
          .interval = kLook,
          .reconcile = [&context] { return Pass(context); }};
}

}  // namespace howdah::fleet
