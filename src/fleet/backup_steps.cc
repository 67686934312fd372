#include "fleet/backup_steps.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include "fleet/keys.h"
#include "ha/step.h"

namespace howdah::fleet {

namespace {

constexpr Duration kLookAgain = 500ms;
constexpr Duration kBetweenAttempts = 5s;
constexpr int kAttempts = 3;
// An agent that gets nowhere for so long is given up, so that its instance can be worked on again.
constexpr Duration kPatience = 10min;
// An agent that was called off says nothing more. It needs much less to notice.
constexpr Duration kAfterCallOff = 5s;

std::string SnapshotIn(const StepContext& step) {
  return JsonString(step.frame, "snapshot");
}

// The standby's where it holds all that was acknowledged, so that the primary is left alone.
Result<NodeId> NodeToBackUp(StepContext& step, const Instance& instance) {
  TRY_ASSIGN(const Versioned<ha::Record> record, LoadRecord(step.store, instance.id));
  if (record.value.phase == ha::Phase::kProtected && !record.value.standby.empty()) {
    TRY_ASSIGN(const nodes::Observed standby, LoadObserved(step.store, record.value.standby));
    if (standby.state == nodes::State::kRunning && standby.in_recovery) return record.value.standby;
  }
  return record.value.primary;
}

void Clear(store::Transaction& transaction, const std::string& backup) {
  transaction.deletes.push_back(nodes::BackupTaskKey(backup));
  transaction.deletes.push_back(nodes::BackupStateKey(backup));
}

// Asks an agent. A backup that nobody needs any more is swept from the repository by its record.
Next Ask(const Context& context, StepContext& step, const Instance& instance,
         Versioned<DbSnapshot>& snapshot) {
  TRY_ASSIGN(const NodeId node, NodeToBackUp(step, instance));
  TRY_ASSIGN(const nodes::Observed observed, LoadObserved(step.store, node));
  if (observed.state == nodes::State::kFailed) {
    return Next::Fail(fmt::format("node {}: {}", node.str(), observed.detail));
  }
  if (observed.state != nodes::State::kRunning) return Next::Wait(kLookAgain);
  const std::string id = "b-" + system::RandomHex(context.entropy, 16);
  snapshot.value.backup = id;
  snapshot.value.facts = FactsOf(instance);
  const Description description{.facts = snapshot.value.facts, .snapshots = {snapshot.value}};
  const nodes::BackupTask task{
      .id = id, .instance = instance.id, .node = node, .description = Format(description)};
  step.transaction.puts.push_back({nodes::BackupTaskKey(id), nodes::Format(task), ""});
  Save(step.transaction,
       Versioned<BackupRecord>{.value = {.id = id,
                                         .instance = instance.id,
                                         .users = {SnapshotUser(snapshot.value.identifier)}}});
  Save(step.transaction, snapshot);
  step.frame["seen_bytes"] = 0;
  step.frame["seen_at"] = ToMicros(step.now);
  return Next::Wait(kLookAgain);
}

Next Finish(const Context& context, StepContext& step, const Instance& instance,
            Versioned<DbSnapshot>& snapshot, const nodes::BackupState& state) {
  DbSnapshot& it = snapshot.value;
  it.finished = state.finished;
  it.start_lsn = state.start_lsn;
  it.size_bytes = state.size_bytes;
  it.stored_bytes = state.stored_bytes;
  Save(step.transaction, snapshot);
  Clear(step.transaction, it.backup);
  Tell(context, step.transaction, it,
       it.automated ? "Automated snapshot created" : "Manual snapshot created", "creation");
  Tell(context, step.transaction, instance, "Finished DB Instance backup", "backup");
  return Next::Done();
}

// A failed attempt leaves nothing but its record, by which it is swept.
Next TryAgain(StepContext& step, Versioned<DbSnapshot>& snapshot, const std::string& why) {
  const std::int64_t attempt = JsonInt(step.frame, "attempt") + 1;
  if (attempt >= kAttempts) return Next::Fail(why);
  DbSnapshot& it = snapshot.value;
  TRY(ReleaseBackup(step.store, step.transaction, it.backup, SnapshotUser(it.identifier)));
  Clear(step.transaction, it.backup);
  it.backup.clear();
  Save(step.transaction, snapshot);
  step.frame["attempt"] = attempt;
  step.frame["not_before"] = ToMicros(step.now + kBetweenAttempts);
  return Next::Wait(kBetweenAttempts);
}

// Waits, but not for ever: what does not get on holds the instance up.
Next AwaitProgress(StepContext& step, const nodes::BackupState& state) {
  const auto done = static_cast<std::int64_t>(state.done_bytes);
  const WallTime seen_at = FromMicros(JsonInt(step.frame, "seen_at"));
  if (done != JsonInt(step.frame, "seen_bytes")) {
    // Written rarely: a long backup reports often.
    if (step.now - seen_at < kPatience / 10) return Next::Wait(kLookAgain);
    step.frame["seen_bytes"] = done;
    step.frame["seen_at"] = ToMicros(step.now);
    return Next::Wait(kLookAgain);
  }
  if (step.now - seen_at < kPatience) return Next::Wait(kLookAgain);
  return Next::Fail("it makes no progress" + (state.detail.empty() ? "" : ": " + state.detail));
}

// True when no agent works on it any more: it has ended, or has had the time to.
Result<bool> CallOff(StepContext& step, const std::string& backup) {
  const Result<store::Document> stored = step.store.Get(nodes::BackupTaskKey(backup));
  if (!stored && stored.error().code() == Code::kNotFound) return true;
  if (!stored) return Fail(stored.error());
  TRY_ASSIGN(nodes::BackupTask task, nodes::ParseBackupTask(stored->value));
  if (!task.cancelled) {
    task.cancelled = true;
    step.transaction.compares.push_back({stored->key, stored->revision});
    step.transaction.puts.push_back({stored->key, nodes::Format(task), ""});
    step.frame["called_off"] = ToMicros(step.now);
    return false;
  }
  TRY_ASSIGN(const nodes::BackupState state, LoadBackupState(step.store, backup));
  const bool ended = state.state == nodes::BackupStateName::kDone ||
                     state.state == nodes::BackupStateName::kFailed;
  return ended || step.now - FromMicros(JsonInt(step.frame, "called_off")) > kAfterCallOff;
}

// The reconciler looks at this before it tries again.
Result<> RememberFailure(StepContext& step, const InstanceId& id) {
  Result<Versioned<AutomatedBackup>> backup = LoadAutomatedBackup(step.store, id);
  if (!backup && backup.error().code() == Code::kNotFound) return {};
  if (!backup) return Fail(backup.error());
  backup->value.failed = step.now;
  Save(step.transaction, *backup);
  return {};
}

// Of a snapshot that somebody asked for by itself the name stays, and says that it failed.
Next Forget(StepContext& step, Versioned<DbSnapshot>& snapshot, const std::string& why) {
  DbSnapshot& it = snapshot.value;
  if (!JsonBool(step.frame, "keeps_name")) {
    TRY(ForgetSnapshot(step.store, step.transaction, snapshot));
    return Next::Done();
  }
  TRY(ReleaseBackup(step.store, step.transaction, it.backup, SnapshotUser(it.identifier)));
  it.backup.clear();
  it.failure = why;
  Save(step.transaction, snapshot);
  return Next::Done();
}

Next Drop(const Context& context, StepContext& step, const Instance& instance,
          const std::string& why) {
  if (SnapshotIn(step).empty()) return Next::Done();
  Result<Versioned<DbSnapshot>> snapshot = LoadDbSnapshot(step.store, SnapshotIn(step));
  if (!snapshot && snapshot.error().code() == Code::kNotFound) return Next::Done();
  if (!snapshot) return Next(snapshot.error());
  const DbSnapshot& it = snapshot->value;
  if (it.IsAvailable() || !it.failure.empty()) return Next::Done();
  if (!it.backup.empty()) {
    TRY_ASSIGN(const bool ended, CallOff(step, it.backup));
    if (!ended) return Next::Wait(kLookAgain);
    Clear(step.transaction, it.backup);
  }
  step.frame["snapshot_failed"] = why;
  Tell(context, step.transaction, instance,
       fmt::format("The DB snapshot {} could not be taken: {}", it.identifier, why), "failure");
  if (it.automated) TRY(RememberFailure(step, instance.id));
  return Forget(step, *snapshot, why);
}

}  // namespace

std::string AutomatedSnapshotName(std::string_view identifier, WallTime now) {
  return fmt::format("rds:{}-{:%Y-%m-%d-%H-%M}", identifier,
                     std::chrono::floor<std::chrono::minutes>(now));
}

DbSnapshot NewDbSnapshot(const Instance& instance, std::string identifier, bool automated,
                         WallTime now) {
  DbSnapshot snapshot{.identifier = std::move(identifier),
                      .automated = automated,
                      .instance = instance.id,
                      .facts = FactsOf(instance),
                      .created = now,
                      .original = now};
  if (instance.settings.copy_tags_to_snapshot) snapshot.tags = instance.tags;
  return snapshot;
}

Next TakeSnapshot(const Context& context, StepContext& step, Versioned<Instance>& instance) {
  const std::string name = SnapshotIn(step);
  if (name.empty()) return Next::Done();
  TRY_ASSIGN(Versioned<DbSnapshot> snapshot, LoadDbSnapshot(step.store, name));
  if (snapshot.value.IsAvailable()) return Next::Done();
  if (snapshot.value.backup.empty()) {
    const WallTime not_before = FromMicros(JsonInt(step.frame, "not_before"));
    if (step.now < not_before) return Next::Wait(not_before - step.now);
    return Ask(context, step, instance.value, snapshot);
  }
  TRY_ASSIGN(const nodes::BackupState state, LoadBackupState(step.store, snapshot.value.backup));
  switch (state.state) {
    case nodes::BackupStateName::kDone:
      return Finish(context, step, instance.value, snapshot, state);
    case nodes::BackupStateName::kFailed:
      return TryAgain(step, snapshot, state.detail);
    default:
      return AwaitProgress(step, state);
  }
}

Next DropSnapshot(const Context& context, StepContext& step, Versioned<Instance>& instance) {
  return Drop(context, step, instance.value, step.failure);
}

Next BeginFirstSnapshot(const Context& context, StepContext& step, Versioned<Instance>& instance) {
  const Instance& it = instance.value;
  if (it.settings.backup_retention_days == 0 || !SnapshotIn(step).empty()) return Next::Done();
  // What is left of an earlier time goes first: it must not take the new archive with it.
  const Result<Versioned<AutomatedBackup>> earlier = LoadAutomatedBackup(step.store, it.id);
  if (!earlier && earlier.error().code() != Code::kNotFound) return Next(earlier.error());
  if (earlier && earlier->value.doomed) return Next::Wait(kLookAgain);
  TRY_ASSIGN(const auto snapshots, ListDbSnapshotsOf(step.store, it.id));
  const auto is_one = [](const auto& snapshot) { return snapshot.value.automated; };
  if (std::ranges::any_of(snapshots, is_one)) return Next::Done();
  const DbSnapshot snapshot =
      NewDbSnapshot(it, AutomatedSnapshotName(it.identifier, step.now), true, step.now);
  Save(step.transaction, Versioned<DbSnapshot>{.value = snapshot});
  step.frame["snapshot"] = snapshot.identifier;
  step.frame["status"] = "backing-up";
  Tell(context, step.transaction, snapshot, "Creating automated snapshot", "creation");
  Tell(context, step.transaction, it, "Backing up DB instance", "backup");
  return Next::Done();
}

Next TakeFirstSnapshot(const Context& context, StepContext& step, Versioned<Instance>& instance) {
  const std::string why = JsonString(step.frame, "snapshot_failed");
  if (!why.empty()) return Drop(context, step, instance.value, why);
  Next next = TakeSnapshot(context, step, instance);
  if (next.kind() != Next::Kind::kFail) return next;
  step.transaction = {};
  step.frame["snapshot_failed"] = next.why();
  return Next::Wait(1ms);
}

}  // namespace howdah::fleet
