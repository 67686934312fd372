#include "fleet/import.h"

#include <algorithm>

#include "fleet/keys.h"
#include "system/entropy.h"

namespace howdah::fleet {

namespace {

constexpr std::size_t kArnDigits = 39;
constexpr std::string_view kArnAlphabet = "abcdefghijklmnopqrstuvwxyz234567";

// The repository's own description, else that of the newest backup.
Result<Description> DescriptionIn(const FoundInstance& found) {
  if (auto whole = ParseDescription(found.description)) return whole;
  const FoundBackup* newest = nullptr;
  for (const FoundBackup& backup : found.backups) {
    if (newest == nullptr || backup.finished > newest->finished) newest = &backup;
  }
  auto described = ParseDescription(newest == nullptr ? "" : newest->description);
  if (!described) {
    return Fail(Code::kCorrupt, found.id.str() + ": nothing that can be read describes it");
  }
  described->snapshots.clear();  // each backup names itself
  return described;
}

std::vector<DbSnapshot> NamesOf(const FoundBackup& backup, const Description& description) {
  std::vector<DbSnapshot> names;
  for (const DbSnapshot& snapshot : description.snapshots) {
    if (snapshot.backup == backup.id) names.push_back(snapshot);
  }
  if (!names.empty()) return names;
  const auto taken_as = ParseDescription(backup.description);
  return taken_as ? taken_as->snapshots : names;
}

bool IsTaken(store::Store& store, const std::string& identifier) {
  const auto found = store.Get(DbSnapshotKey(identifier));
  return found || found.error().code() != Code::kNotFound;
}

// "db-ABC" as a part of a snapshot's name.
std::string AsSuffix(const InstanceId& id) {
  std::string text = "-" + id.str();
  std::ranges::transform(text, text.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  return text;
}

Result<bool> IsKnown(store::Store& store, const InstanceId& id) {
  for (const std::string& key : {InstanceKey(id), AutomatedBackupKey(id)}) {
    const auto found = store.Get(key);
    if (found) return true;
    if (found.error().code() != Code::kNotFound) return Fail(found.error());
  }
  TRY_ASSIGN(const auto snapshots, ListDbSnapshotsOf(store, id));
  return !snapshots.empty();
}

void Rename(Import& import, DbSnapshot& snapshot, const std::string& name) {
  for (BackupRecord& record : import.records) {
    std::ranges::replace(record.users, SnapshotUser(snapshot.identifier), SnapshotUser(name));
  }
  snapshot.identifier = name;
}

Result<> Write(const Context& context, Import import) {
  store::Transaction transaction;
  for (DbSnapshot& snapshot : import.snapshots) {
    if (IsTaken(context.store, snapshot.identifier)) {
      Rename(import, snapshot, snapshot.identifier + AsSuffix(snapshot.instance));
    }
    Save(transaction, Versioned<DbSnapshot>{.value = snapshot});
  }
  for (const BackupRecord& record : import.records) {
    Save(transaction, Versioned<BackupRecord>{.value = record});
  }
  if (import.automated) {
    import.automated->arn_id =
        "ab-" + system::RandomText(context.entropy, kArnDigits, kArnAlphabet);
    Save(transaction, Versioned<AutomatedBackup>{.value = *import.automated});
  }
  TRY(context.store.Commit(transaction));
  return {};
}

std::optional<RestoreWindow> WindowOf(const Import& import) {
  if (!import.automated) return std::nullopt;
  WallTime earliest = WallTime::max();
  for (const DbSnapshot& snapshot : import.snapshots) {
    if (snapshot.automated) earliest = std::min(earliest, snapshot.finished);
  }
  return RestoreWindow{.earliest = earliest, .latest = import.automated->latest};
}

Result<ImportOutcome> ImportOne(const Context& context, const FoundInstance& found, bool dry_run) {
  ImportOutcome outcome{.instance = found.id, .unreadable = found.unreadable};
  TRY_ASSIGN(outcome.known, IsKnown(context.store, found.id));
  Result<Import> import = ImportOf(found);
  if (!import) {
    outcome.problem = import.error().what();
    if (!found.unreadable.empty()) outcome.problem += ": " + found.unreadable.front();
    return outcome;
  }
  outcome.facts = import->description.facts;
  outcome.snapshots = import->snapshots.size();
  outcome.window = WindowOf(*import);
  if (outcome.known || dry_run || import->snapshots.empty()) return outcome;
  TRY(Write(context, *std::move(import)));
  context.log.Info("{} ({}): imported {} snapshots from the repository", outcome.facts.identifier,
                   found.id.str(), outcome.snapshots);
  return outcome;
}

}  // namespace

Result<Import> ImportOf(const FoundInstance& found) {
  Import import;
  TRY_ASSIGN(import.description, DescriptionIn(found));
  WallTime latest = found.latest;
  bool has_automated = false;
  for (const FoundBackup& backup : found.backups) {
    BackupRecord record{.id = backup.id, .instance = found.id};
    for (DbSnapshot& snapshot : NamesOf(backup, import.description)) {
      snapshot.instance = found.id;
      snapshot.backup = backup.id;
      snapshot.finished = backup.finished;
      snapshot.failure.clear();
      snapshot.size_bytes = backup.size_bytes;
      snapshot.stored_bytes = backup.stored_bytes;
      record.users.push_back(SnapshotUser(snapshot.identifier));
      has_automated |= snapshot.automated;
      if (snapshot.automated) latest = std::max(latest, snapshot.finished);
      import.snapshots.push_back(std::move(snapshot));
    }
    if (!record.users.empty()) import.records.push_back(std::move(record));
  }
  if (has_automated) {
    import.automated = AutomatedBackup{.instance = found.id,
                                       .retained = true,
                                       .imported = true,
                                       .facts = import.description.facts,
                                       .latest = latest};
  }
  return import;
}

Result<std::vector<ImportOutcome>> ImportBackups(const Context& context, bool dry_run) {
  TRY_ASSIGN(const std::vector<FoundInstance> all, context.shelf->Inventory());
  std::vector<ImportOutcome> outcomes;
  for (const FoundInstance& found : all) {
    TRY_ASSIGN(outcomes.emplace_back(), ImportOne(context, found, dry_run));
  }
  return outcomes;
}

}  // namespace howdah::fleet
