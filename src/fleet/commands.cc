#include "fleet/commands.h"

#include <fmt/format.h>

#include <functional>

#include "fleet/backup_steps.h"
#include "fleet/journal.h"
#include "fleet/keys.h"
#include "fleet/storage.h"
#include "fleet/transact.h"
#include "fleet/workflows.h"
#include "ha/step.h"

namespace howdah::fleet {

namespace {

// What there can be a final snapshot of.
constexpr auto kHoldsData = {std::string_view("available"),
                             std::string_view("stopped"),
                             std::string_view("backing-up"),
                             std::string_view("modifying"),
                             std::string_view("renaming"),
                             std::string_view("rebooting"),
                             std::string_view("resetting-master-credentials"),
                             std::string_view("starting"),
                             std::string_view("stopping")};
constexpr std::string_view kResourceIdAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

RunId NewRunId(const Context& context) {
  return RunId("run-" + system::RandomHex(context.entropy, 16));
}

NodeId NewNodeId(const Context& context) {
  return NodeId("n-" + system::RandomHex(context.entropy, 10));
}

// A password for rdsadmin and replication that nobody ever types.
Result<std::string> NewSealedPassword(const Context& context, const InstanceId& id) {
  return context.seal(system::RandomHex(context.entropy, 48), id.str());
}

// The present settings with those of the wanted ones that nobody has to carry out.
Settings WithoutWork(Settings now, const Settings& wanted) {
  now.deletion_protection = wanted.deletion_protection;
  now.auto_minor_version_upgrade = wanted.auto_minor_version_upgrade;
  now.copy_tags_to_snapshot = wanted.copy_tags_to_snapshot;
  // Only between none and some there is work.
  const bool both = now.backup_retention_days > 0 && wanted.backup_retention_days > 0;
  if (both) now.backup_retention_days = wanted.backup_retention_days;
  now.backup_window = wanted.backup_window;
  now.maintenance_window = wanted.maintenance_window;
  now.storage_type = wanted.storage_type;
  return now;
}

// RDS's word for a change that is being carried out.
std::string_view StatusDuring(const Settings& now, const Change& change) {
  if (!change.new_identifier.empty()) return "renaming";
  Settings only_password = now;
  only_password.master_verifier = change.settings.master_verifier;
  only_password.password_stamp = change.settings.password_stamp;
  return only_password == change.settings ? "resetting-master-credentials" : "modifying";
}

// The subnet group must still be there when an instance appears in it, and whoever is deleting it
// must see that it changed: so it is written again as it is.
Result<> KeepSubnetGroup(const Context& context, const std::string& name,
                         store::Transaction& transaction) {
  const Result<store::Document> group = context.store.Get(SubnetGroupKey(name));
  if (!group && group.error().code() == Code::kNotFound && name == "default") return {};
  if (!group) return Fail(group.error().During("subnet group " + name));
  transaction.compares.push_back({group->key, group->revision});
  transaction.puts.push_back({group->key, group->value, ""});
  return {};
}

// Changes the record as `decide` says, and begins the run that waits for what comes of it.
Result<Instance> ChangeRoles(
    const Context& context, std::string_view identifier,
    const std::function<Result<ha::Record>(const ha::Record& record)>& decide) {
  const auto build = [&](store::Transaction& transaction,
                         Versioned<Instance>& instance) -> Result<> {
    TRY(RequireStatus(context, instance.value, {"available"}));
    TRY_ASSIGN(Versioned<ha::Record> record, LoadRecord(context.store, instance.value.id));
    const ha::Record before = record.value;
    Result<ha::Record> decided = decide(before);
    // Not a matter of the instance's status, which a caller knows: of its standby's.
    if (!decided) return Fail(Code::kUnavailable, decided.error().what());
    record.value = *std::move(decided);
    Save(transaction, instance.value.id, record);
    TRY(Journal(context, transaction, instance.value.id, before, record.value, "by request", {}));
    // A planned change prepares first; one that accepts a loss begins here.
    if (record.value.phase == ha::Phase::kFailover) {
      Tell(context, transaction, instance.value, "Multi-AZ instance failover started.", "failover");
    }
    Begin(context, transaction, instance, kFailoverInstance, {{"epoch", before.epoch}});
    return {};
  };
  return Transact(context, identifier, build);
}

}  // namespace

Result<Instance> Transact(const Context& context, std::string_view identifier, const Build& build) {
  for (int i = 0; i < kTries; ++i) {
    TRY_ASSIGN(Versioned<Instance> instance, FindInstance(context.store, identifier));
    store::Transaction transaction;
    TRY(build(transaction, instance));
    const Result<store::Revision> committed = context.store.Commit(transaction);
    if (committed) return instance.value;
    if (committed.error().code() != Code::kConflict) return Fail(committed.error());
  }
  return Fail(Code::kConflict, "too many changes of this instance at the same time");
}

Result<> RequireStatus(const Context& context, const Instance& instance,
                       std::initializer_list<std::string_view> wanted) {
  TRY_ASSIGN(const std::optional<workflow::Run> active, ActiveRun(context.store, instance));
  TRY_ASSIGN(const nodes::Storage storage, StorageOf(context.store, instance));
  const std::string status = StatusOf(instance, active, storage);
  for (const std::string_view good : wanted) {
    if (status == good) return {};
  }
  return Fail(Code::kFailedState, status);
}

void Begin(const Context& context, store::Transaction& transaction, Versioned<Instance>& instance,
           std::string_view workflow, json::object frame) {
  instance.value.run =
      workflow::StartRun(transaction, NewRunId(context), workflow, instance.value.id.str(),
                         std::move(frame), context.clock.Now());
  Save(transaction, instance);
}

Result<Instance> CreateInstance(const Context& context, const NewInstance& wish) {
  Versioned<Instance> instance;
  Instance& it = instance.value;
  it.id = InstanceId("db-" + system::RandomText(context.entropy, 26, kResourceIdAlphabet));
  it.identifier = wish.identifier;
  it.version = wish.version;
  it.database = wish.database;
  it.master_user = wish.master_user;
  it.subnet_group = wish.subnet_group;
  it.vpc = wish.vpc;
  it.zone = wish.zone;
  it.secondary_zone = wish.secondary_zone;
  it.settings = wish.settings;
  it.tags = wish.tags;
  it.restore = wish.restore;
  it.restored_from = wish.restored_from;
  it.first_node = NewNodeId(context);
  if (wish.settings.multi_az) it.second_node = NewNodeId(context);
  TRY_ASSIGN(it.sealed_password, NewSealedPassword(context, it.id));

  store::Transaction transaction;
  Begin(context, transaction, instance, kCreateInstance);
  const std::string name_key = InstanceNameKey(it.identifier);
  transaction.compares.push_back({name_key, 0});
  transaction.puts.push_back({name_key, it.id.str(), ""});
  // Other instances of the group may be made at the same moment: then it is looked at again.
  for (int i = 0; i < kTries; ++i) {
    store::Transaction attempt = transaction;
    if (!it.restore.backup.empty()) {
      TRY(UseBackup(context.store, attempt, it.restore.backup, RestoreUser(it.id)));
    }
    const Result<> kept = KeepSubnetGroup(context, it.subnet_group, attempt);
    if (!kept && i > 0) break;  // deleted meanwhile
    TRY(kept);
    const Result<store::Revision> committed = context.store.Commit(attempt);
    if (committed) return it;
    if (committed.error().code() != Code::kConflict) return Fail(committed.error());
    if (context.store.Get(name_key)) return Fail(Code::kAlreadyExists, it.identifier);
  }
  return Fail(Code::kConflict, "the subnet group changed; try again");
}

Result<Instance> DeleteInstance(const Context& context, std::string_view identifier,
                                const Deletion& how) {
  return Transact(
      context, identifier,
      [&](store::Transaction& transaction, Versioned<Instance>& instance) -> Result<> {
        TRY_ASSIGN(std::optional<workflow::Run> active, ActiveRun(context.store, instance.value));
        json::object frame{{"keeps_backups", how.keeps_backups}};
        if (!how.final_snapshot.empty()) {
          TRY(RequireStatus(context, instance.value, kHoldsData));
          const DbSnapshot snapshot =
              NewDbSnapshot(instance.value, how.final_snapshot, false, context.clock.Now());
          TRY(AddSnapshot(context, transaction, instance.value, snapshot));
          frame["snapshot"] = snapshot.identifier;
        }
        if (active) {
          if (active->workflow == kDeleteInstance) return Fail(Code::kFailedState, "deleting");
          frame["earlier_run"] = active->id.str();
          TRY_ASSIGN(const store::Document run, context.store.Get(workflow::RunKey(active->id)));
          TRY(workflow::RequestUndo(transaction, run, "the DB instance is being deleted",
                                    context.clock.Now()));
        }
        Begin(context, transaction, instance, kDeleteInstance, std::move(frame));
        return {};
      });
}

Result<Instance> ModifyInstance(const Context& context, const Versioned<Instance>& seen,
                                const Change& change) {
  Versioned<Instance> instance = seen;
  const Settings now = instance.value.settings;
  instance.value.deferred = change.deferred;
  instance.value.settings = WithoutWork(now, change.settings);
  store::Transaction transaction;
  if (instance.value.settings == change.settings && change.new_identifier.empty()) {
    TRY(RequireStatus(context, instance.value, {"available", "storage-full", "failed"}));
    Save(transaction, instance);
    TRY(context.store.Commit(transaction));
    return instance.value;
  }
  // More storage is what a full instance waits for, and all the work that can be asked of it: what
  // waits for a server without room would keep it from getting more.
  const bool grows = change.settings.storage_gib > now.storage_gib;
  TRY(RequireStatus(context, instance.value, {"available", grows ? "storage-full" : "available"}));
  json::object frame{{"settings", ToJson(change.settings)},
                     {"status", StatusDuring(instance.value.settings, change)}};
  if (!change.new_identifier.empty()) {
    // Both names are the instance's until the run ends, so nobody takes either.
    const std::string name_key = InstanceNameKey(change.new_identifier);
    transaction.compares.push_back({name_key, 0});
    transaction.puts.push_back({name_key, instance.value.id.str(), ""});
    frame["new_identifier"] = change.new_identifier;
  }
  Begin(context, transaction, instance, kModifyInstance, std::move(frame));
  const Result<store::Revision> committed = context.store.Commit(transaction);
  if (!committed && !change.new_identifier.empty() &&
      context.store.Get(InstanceNameKey(change.new_identifier))) {
    return Fail(Code::kAlreadyExists, change.new_identifier);
  }
  if (!committed) return Fail(committed.error());
  return instance.value;
}

Result<Instance> RebootInstance(const Context& context, std::string_view identifier) {
  return Transact(context, identifier,
                  [&](store::Transaction& transaction, Versioned<Instance>& instance) -> Result<> {
                    TRY(RequireStatus(context, instance.value, {"available"}));
                    ++instance.value.restarts;
                    Begin(context, transaction, instance, kRebootInstance);
                    return {};
                  });
}

Result<Instance> FailoverInstance(const Context& context, std::string_view identifier) {
  return ChangeRoles(context, identifier, ha::Switchover);
}

Result<Instance> FailoverAcceptingDataLoss(const Context& context, std::string_view identifier) {
  const auto accept = [&](const ha::Record& record) -> Result<ha::Record> {
    TRY_ASSIGN(const nodes::Observed standby, LoadObserved(context.store, record.standby));
    if (standby.state != nodes::State::kRunning || !standby.in_recovery) {
      return Fail(Code::kFailedState, "the standby does not run");
    }
    return ha::AcceptDataLoss(record, system::RandomHex(context.entropy, 16));
  };
  return ChangeRoles(context, identifier, accept);
}

Result<Instance> StopInstance(const Context& context, std::string_view identifier,
                              const std::string& snapshot) {
  return Transact(
      context, identifier,
      [&](store::Transaction& transaction, Versioned<Instance>& instance) -> Result<> {
        TRY(RequireStatus(context, instance.value, {"available"}));
        json::object frame;
        if (!snapshot.empty()) {
          TRY(AddSnapshot(context, transaction, instance.value,
                          NewDbSnapshot(instance.value, snapshot, false, context.clock.Now())));
          frame["snapshot"] = snapshot;
        }
        Begin(context, transaction, instance, kStopInstance, std::move(frame));
        return {};
      });
}

Result<Instance> StartInstance(const Context& context, std::string_view identifier) {
  return Transact(context, identifier,
                  [&](store::Transaction& transaction, Versioned<Instance>& instance) -> Result<> {
                    TRY(RequireStatus(context, instance.value, {"stopped"}));
                    Begin(context, transaction, instance, kStartInstance);
                    return {};
                  });
}

Result<> SetTags(const Context& context, std::string_view identifier, const Tags& add,
                 const std::vector<std::string>& remove) {
  const auto build = [&](store::Transaction& transaction,
                         Versioned<Instance>& instance) -> Result<> {
    for (const auto& [key, value] : add) instance.value.tags[key] = value;
    for (const std::string& key : remove) instance.value.tags.erase(key);
    Save(transaction, instance);
    return {};
  };
  TRY(Transact(context, identifier, build));
  return {};
}

}  // namespace howdah::fleet
