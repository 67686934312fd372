// Carries out a ModifyDBInstance. The wish is in the frame: until it is taken over, the instance
// shows its old values and the new ones as pending, as on RDS. The old ones are kept in the frame
// too: a change that cannot be carried out is taken back, so that the instance never claims to be
// what it is not.
#include "fleet/backup_steps.h"
#include "fleet/keys.h"
#include "fleet/steps.h"
#include "fleet/workflows.h"
#include "vpc/interfaces.h"

namespace howdah::fleet {

namespace {

Result<> SetGroups(const Context& context, StepContext& step, const Instance& instance,
                   const std::vector<std::string>& ids) {
  std::vector<vpc::GroupId> groups;
  for (const std::string& id : ids) groups.emplace_back(id);
  for (const std::string& interface : {instance.first_interface, instance.second_interface}) {
    if (interface.empty()) continue;
    TRY(vpc::SetInterfaceGroups(context.vpc, step.transaction, vpc::InterfaceId(interface),
                                groups));
  }
  return {};
}

// Also of the port, as on RDS: who is connected by the old one is not left there.
bool NeedsRestart(const Settings& some, const Settings& others) {
  return some.instance_class != others.instance_class || some.port != others.port;
}

Next TakeOver(const Context& context, StepContext& step, Versioned<Instance>& instance) {
  Instance& it = instance.value;
  const Settings wanted = SettingsFromJson(JsonObject(step.frame, "settings"));
  const bool new_groups = wanted.security_groups != it.settings.security_groups;
  if (NeedsRestart(it.settings, wanted)) ++it.restarts;
  if (wanted.multi_az && it.second_node.empty()) {
    it.second_node = NodeId("n-" + system::RandomHex(context.entropy, 10));
  }
  step.frame["before"] = ToJson(it.settings);
  it.settings = wanted;
  if (new_groups) TRY(SetGroups(context, step, it, wanted.security_groups));
  Save(step.transaction, instance);
  return Next::Done();
}

// Whether there is a second node that has to go before the old settings are true again: one that
// the change brought, or one that the change has given up already (then Single-AZ it is).
Result<bool> MustRemoveStandby(StepContext& step, const Instance& instance,
                               const Settings& before) {
  if (instance.second_node.empty()) return false;
  if (!before.multi_az) return true;
  TRY_ASSIGN(const Versioned<ha::Record> record, LoadRecord(step.store, instance.id));
  return record.value.standby.empty();
}

// Awaits nothing but the end of a standby: what cannot become as wanted must not hold up the undo.
Next Restore(const Context& context, StepContext& step, Versioned<Instance>& instance) {
  if (!step.frame.contains("before")) return Next::Done();
  Instance& it = instance.value;
  Settings before = SettingsFromJson(JsonObject(step.frame, "before"));
  TRY_ASSIGN(const bool must_remove, MustRemoveStandby(step, it, before));
  if (must_remove) {
    const Next next = RemoveStandby(context, step, instance);
    return next.kind() == Next::Kind::kDone ? Next::Wait(1ms) : next;
  }
  before.multi_az = !it.second_node.empty();
  if (before.security_groups != it.settings.security_groups) {
    const Result<> set = SetGroups(context, step, it, before.security_groups);
    if (!set && set.error().code() != Code::kNotFound) return Next(set.error());
    // A group that was left may have been deleted since: the new ones stay.
    if (!set) before.security_groups = it.settings.security_groups;
  }
  // A stamp is never used again: a node may have the password that is taken back already.
  const bool other_password = before.master_verifier != it.settings.master_verifier;
  before.password_stamp = it.settings.password_stamp + (other_password ? 1 : 0);
  if (it.settings == before) return Next::Done();
  if (NeedsRestart(it.settings, before)) ++it.restarts;
  it.settings = before;
  Save(step.transaction, instance);
  return Next::Done();
}

// The undo ends by giving the reserved name free, in one commit with its end: it must not take the
// name from somebody who has it since.
Next TakeBack(const Context& context, StepContext& step, Versioned<Instance>& instance) {
  Next next = Restore(context, step, instance);
  const std::string name = JsonString(step.frame, "new_identifier");
  const bool reserved = !name.empty() && name != instance.value.identifier;
  if (next.kind() == Next::Kind::kDone && reserved) {
    step.transaction.deletes.push_back(InstanceNameKey(name));
  }
  return next;
}

// The instance keeps its old name until all else is true.
Next Rename(const Context& context, StepContext& step, Versioned<Instance>& instance) {
  const std::string name = JsonString(step.frame, "new_identifier");
  const std::string before = instance.value.identifier;
  if (name.empty() || name == before) return Next::Done();
  step.transaction.deletes.push_back(InstanceNameKey(before));
  instance.value.identifier = name;
  Save(step.transaction, instance);
  Tell(context, step.transaction, instance.value,
       "Renamed DB instance from " + before + " to " + name, "configuration change");
  return Next::Done();
}

Next FollowMultiAz(const Context& context, StepContext& step, Versioned<Instance>& instance) {
  if (!instance.value.settings.multi_az) {
    if (instance.value.second_node.empty()) return Next::Done();
    return RemoveStandby(context, step, instance);
  }
  return Protect(context, step, instance);
}

// The sentences of RDS's events, where it has one.
std::vector<std::string_view> Changes(const Settings& before, const Settings& now) {
  std::vector<std::string_view> changes;
  if (before.password_stamp != now.password_stamp) changes.emplace_back("Reset master credentials");
  if (before.instance_class != now.instance_class) {
    changes.emplace_back("Finished applying modification to DB instance class");
  }
  if (before.storage_gib != now.storage_gib) {
    changes.emplace_back("Finished applying modification to allocated storage");
  }
  if (before.port != now.port) {
    changes.emplace_back("Finished applying modification to the database port");
  }
  if (before.multi_az != now.multi_az) {
    changes.emplace_back(
        now.multi_az
            ? "Finished applying modification to convert to a Multi-AZ DB instance"
            : "Finished applying modification to convert to a standard (Single-AZ) DB instance");
  }
  const bool had_backups = before.backup_retention_days > 0;
  const bool has_backups = now.backup_retention_days > 0;
  if (had_backups && !has_backups) changes.emplace_back("Disabled automated backups");
  if (!had_backups && has_backups) changes.emplace_back("Enabled automated backups");
  return changes;
}

// As on RDS, backups that are switched off are gone.
Next DropBackups(const Context&, StepContext& step, Versioned<Instance>& instance) {
  if (instance.value.settings.backup_retention_days > 0) return Next::Done();
  Result<Versioned<AutomatedBackup>> backup = LoadAutomatedBackup(step.store, instance.value.id);
  if (!backup && backup.error().code() == Code::kNotFound) return Next::Done();
  if (!backup) return Next(backup.error());
  if (!backup->value.doomed) {
    TRY(DoomAutomatedBackup(step.store, step.transaction, *backup));
  }
  return Next::Done();
}

Next Announce(const Context& context, StepContext& step, Versioned<Instance>& instance) {
  const Settings before = SettingsFromJson(JsonObject(step.frame, "before"));
  for (const std::string_view message : Changes(before, instance.value.settings)) {
    Tell(context, step.transaction, instance.value, std::string(message), "configuration change");
  }
  return Next::Done();
}

Next TellFailure(const Context& context, StepContext& step, Versioned<Instance>& instance) {
  Tell(context, step.transaction, instance.value,
       "DB instance could not be modified: " + step.failure, "failure");
  return Next::Done();
}

}  // namespace

workflow::Workflow ModifyInstanceWorkflow(const Context& context) {
  const auto run = [&context](InstanceStep body) { return OnInstance(context, std::move(body)); };
  return {.name = std::string(kModifyInstance),
          .steps = {{"take-over", run(TakeOver), UndoOnInstance(context, TakeBack)},
                    {"reserve-interfaces", run(ReserveInterfaces), nullptr},
                    {"change-nodes", run(AwaitNodesAsWanted), nullptr},
                    {"follow-multi-az", run(FollowMultiAz), nullptr},
                    {"await-endpoint", run(OpenEndpoint), nullptr},
                    {"rename", run(Rename), nullptr},
                    {"drop-backups", run(DropBackups), nullptr},
                    {"announce", run(Announce), nullptr},
                    {"begin-first-snapshot", run(BeginFirstSnapshot), nullptr},
                    {"take-first-snapshot", run(TakeFirstSnapshot),
                     UndoOnInstance(context, DropSnapshot)}},
          .on_failed = UndoOnInstance(context, TellFailure)};
}

}  // namespace howdah::fleet
