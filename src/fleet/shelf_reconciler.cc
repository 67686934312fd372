// Keeps the repository as the documents say: what nobody needs any more goes from it, and what a
// restore from nothing but the repository must know of each instance is in it. A document goes
// after what it stands for, so that nothing is forgotten by a crash.
#include <map>
#include <memory>
#include <set>

#include "fleet/backup_records.h"
#include "fleet/keys.h"
#include "fleet/workflows.h"

namespace howdah::fleet {

namespace {

constexpr Duration kLook = 1min;
constexpr Duration kLookAgain = 10s;

class Duty {
 public:
  explicit Duty(const Context& context) : context_(context), shelf_(*context.shelf) {}

  Result<Duration> Pass() {
    failed_ = false;
    TRY_ASSIGN(const auto records, ListBackupRecords(context_.store));
    TRY_ASSIGN(const auto automated, ListAutomatedBackups(context_.store));
    std::set<InstanceId> in_use;  // something is being restored from it
    for (const auto& [record, revision] : records) {
      for (const std::string& user : record.users) {
        if (user.starts_with("restore:")) in_use.insert(record.instance);
      }
    }
    for (const auto& record : records) {
      if (record.value.users.empty()) Judge(record.value.id, Sweep(record));
    }
    for (const auto& backup : automated) {
      if (in_use.contains(backup.value.instance)) continue;
      Judge(backup.value.instance.str(), ExpireArchive(backup));
    }
    TRY(DescribeAll());
    TRY(ClearStates());
    return failed_ ? kLookAgain : kLook;
  }

 private:
  void Judge(const std::string& what, const Result<>& done) {
    if (done) return;
    failed_ = true;
    if (done.error().code() == Code::kConflict) return;
    context_.log.Warning("backup repository, {}: {}", what, done.error().what());
  }

  Result<> Sweep(const Versioned<BackupRecord>& record) {
    TRY(shelf_.DeleteBackup(record.value.instance, record.value.id));
    described_.erase(record.value.instance);  // it goes with the last backup
    const std::string key = BackupRecordKey(record.value.id);
    TRY(context_.store.Commit(
        {.compares = {{key, record.revision}}, .puts = {}, .deletes = {key}}));
    return {};
  }

  // The archive begins with the oldest automated snapshot; without any it stays, unless all goes.
  Result<> ExpireArchive(const Versioned<AutomatedBackup>& backup) {
    const std::string key = AutomatedBackupKey(backup.value.instance);
    if (backup.value.doomed) {
      TRY(shelf_.ExpireArchive(backup.value.instance, ""));
      TRY(context_.store.Commit(
          {.compares = {{key, backup.revision}}, .puts = {}, .deletes = {key}}));
      return {};
    }
    TRY_ASSIGN(const auto snapshots, ListDbSnapshotsOf(context_.store, backup.value.instance));
    const DbSnapshot* oldest = nullptr;
    for (const auto& [snapshot, revision] : snapshots) {
      if (!snapshot.automated || !snapshot.IsAvailable()) continue;
      if (oldest == nullptr || snapshot.finished < oldest->finished) oldest = &snapshot;
    }
    if (oldest == nullptr || oldest->backup == backup.value.kept_since) return {};
    TRY(shelf_.ExpireArchive(backup.value.instance, oldest->backup));
    Versioned<AutomatedBackup> now = backup;
    now.value.kept_since = oldest->backup;
    store::Transaction transaction;
    Save(transaction, now);
    TRY(context_.store.Commit(transaction));
    return {};
  }

  // Every instance of which anything is or will be in the repository, present or deleted.
  Result<std::map<InstanceId, Description>> Descriptions() {
    std::map<InstanceId, Description> all;
    TRY_ASSIGN(const auto snapshots, ListDbSnapshots(context_.store));
    for (const auto& [snapshot, revision] : snapshots) {
      if (!snapshot.IsAvailable()) continue;
      Description& description = all[snapshot.instance];
      description.facts = snapshot.facts;
      description.snapshots.push_back(snapshot);
    }
    TRY_ASSIGN(const auto automated, ListAutomatedBackups(context_.store));
    for (const auto& [backup, revision] : automated) {
      if (backup.retained && !backup.doomed) all[backup.instance].facts = backup.facts;
    }
    TRY_ASSIGN(const auto instances, ListInstances(context_.store));
    for (const Instance& instance : instances) {
      const bool is_backed_up = instance.settings.backup_retention_days > 0;
      if (is_backed_up || all.contains(instance.id)) all[instance.id].facts = FactsOf(instance);
    }
    return all;
  }

  Result<> DescribeAll() {
    TRY_ASSIGN(const auto descriptions, Descriptions());
    for (const auto& [instance, description] : descriptions) {
      const std::string text = Format(description);
      if (described_[instance] == text) continue;
      const Result<> done = shelf_.Describe(instance, text);
      Judge(description.facts.identifier, done);
      if (done) described_[instance] = text;
    }
    return {};
  }

  // What an agent has said after its task was over.
  Result<> ClearStates() {
    TRY_ASSIGN(const store::Listing states, context_.store.List(nodes::kBackupStatesPrefix));
    for (const store::Document& state : states.documents) {
      const std::string id = state.key.substr(nodes::kBackupStatesPrefix.size());
      const Result<store::Document> task = context_.store.Get(nodes::BackupTaskKey(id));
      if (task || task.error().code() != Code::kNotFound) continue;
      TRY(context_.store.Commit({.compares = {}, .puts = {}, .deletes = {state.key}}));
    }
    return {};
  }

  const Context& context_;
  BackupShelf& shelf_;
  std::map<InstanceId, std::string> described_;
  bool failed_ = false;
};

}  // namespace

workflow::Reconciler ShelfReconciler(const Context& context) {
  auto duty = std::make_shared<Duty>(context);
  return {.name = "backup-shelf",
          .prefixes = {std::string(kBackupRecordsPrefix), std::string(kAutomatedBackupsPrefix),
                       std::string(kDbSnapshotsPrefix), std::string(kInstancesPrefix)},
          .interval = kLook,
          .reconcile = [duty] { return duty->Pass(); }};
}

}  // namespace howdah::fleet
