// `howdah backup`: which backups there are, one more, and whether they are whole.
#include <fmt/format.h>

#include "aws/generated/howdah.h"
#include "aws/generated/rds.h"
#include "base/json.h"
#include "cli/commands.h"
#include "cli/daemon.h"
#include "cli/session.h"

namespace howdah::cli {
namespace {

namespace api = aws::rds;

constexpr Duration kLookAgain = 500ms;

std::string TimeText(const std::optional<WallTime>& time) {
  return time ? FormatIso8601(*time) : "-";
}

json::object ToJson(const api::DBSnapshot& snapshot) {
  return {{"DBSnapshotIdentifier", snapshot.db_snapshot_identifier.value_or("")},
          {"DBInstanceIdentifier", snapshot.db_instance_identifier.value_or("")},
          {"SnapshotType", snapshot.snapshot_type.value_or("")},
          {"Status", snapshot.status.value_or("")},
          {"PercentProgress", snapshot.percent_progress.value_or(0)},
          {"SnapshotCreateTime", TimeText(snapshot.snapshot_create_time)},
          {"AllocatedStorage", snapshot.allocated_storage.value_or(0)}};
}

json::object ToJson(const api::DBInstanceAutomatedBackup& backup) {
  const auto& window = backup.restore_window;
  return {{"DBInstanceIdentifier", backup.db_instance_identifier.value_or("")},
          {"DbiResourceId", backup.dbi_resource_id.value_or("")},
          {"Status", backup.status.value_or("")},
          {"EarliestTime", TimeText(window ? window->earliest_time : std::nullopt)},
          {"LatestTime", TimeText(window ? window->latest_time : std::nullopt)},
          {"BackupRetentionPeriod", backup.backup_retention_period.value_or(0)}};
}

std::string Text(const std::vector<api::DBSnapshot>& snapshots,
                 const std::vector<api::DBInstanceAutomatedBackup>& automated) {
  std::vector<std::vector<std::string>> windows = {
      {"INSTANCE", "RESOURCE", "STATUS", "RESTORABLE FROM", "TO", "DAYS KEPT"}};
  for (const auto& backup : automated) {
    const auto& window = backup.restore_window;
    windows.push_back({backup.db_instance_identifier.value_or("-"),
                       backup.dbi_resource_id.value_or("-"), backup.status.value_or("-"),
                       TimeText(window ? window->earliest_time : std::nullopt),
                       TimeText(window ? window->latest_time : std::nullopt),
                       fmt::format("{}", backup.backup_retention_period.value_or(0))});
  }
  std::vector<std::vector<std::string>> rows = {
      {"SNAPSHOT", "INSTANCE", "TYPE", "STATUS", "TAKEN", "PROGRESS"}};
  for (const auto& snapshot : snapshots) {
    rows.push_back({snapshot.db_snapshot_identifier.value_or("-"),
                    snapshot.db_instance_identifier.value_or("-"),
                    snapshot.snapshot_type.value_or("-"), snapshot.status.value_or("-"),
                    TimeText(snapshot.snapshot_create_time),
                    fmt::format("{} %", snapshot.percent_progress.value_or(0))});
  }
  return Columns(windows) + "\n" + Columns(rows);
}

std::optional<std::string> OrNone(const std::string& text) {
  return text.empty() ? std::nullopt : std::optional(text);
}

}  // namespace

Outcome BackupList(const Context& context, const std::string& instance) {
  CLI_ASSIGN(const Session session, Session::Open(context));
  std::vector<api::DBSnapshot> snapshots;
  api::DescribeDBSnapshotsMessage ask{.db_instance_identifier = OrNone(instance)};
  do {
    const auto page = session.Call<api::DescribeDBSnapshots>(ask);
    if (!page) return Failed(FailureOf("cannot list the snapshots", page.error(), context));
    snapshots.insert(snapshots.end(), page->db_snapshots.begin(), page->db_snapshots.end());
    ask.marker = page->marker;
  } while (ask.marker);
  const auto automated = session.Call<api::DescribeDBInstanceAutomatedBackups>(
      {.db_instance_identifier = OrNone(instance)});
  if (!automated) {
    return Failed(FailureOf("cannot list the automated backups", automated.error(), context));
  }
  const std::vector<api::DBInstanceAutomatedBackup> backups(
      automated->db_instance_automated_backups.begin(),
      automated->db_instance_automated_backups.end());
  if (!context.json) {
    context.terminal.Result(Text(snapshots, backups));
    return kExitDone;
  }
  json::array snapshot_list, backup_list;
  for (const auto& snapshot : snapshots) snapshot_list.push_back(ToJson(snapshot));
  for (const auto& backup : backups) backup_list.push_back(ToJson(backup));
  context.terminal.Result(json::serialize(json::object{
      {"Snapshots", std::move(snapshot_list)}, {"AutomatedBackups", std::move(backup_list)}}));
  return kExitDone;
}

Outcome BackupCreate(const Context& context, const BackupCreateOptions& options) {
  CLI_ASSIGN(const Session session, Session::Open(context));
  const auto begun = session.Call<api::CreateDBSnapshot>(
      {.db_snapshot_identifier = options.name, .db_instance_identifier = options.instance});
  if (!begun) return Failed(FailureOf("no backup was begun", begun.error(), context));
  const MonotonicTime until = context.programs.clock->Monotonic() + options.timeout;
  while (true) {
    const auto seen =
        session.Call<api::DescribeDBSnapshots>({.db_snapshot_identifier = options.name});
    if (!seen) return Failed(FailureOf("the backup failed", seen.error(), context));
    const api::DBSnapshot& snapshot = seen->db_snapshots.front();
    const std::string status = snapshot.status.value_or("");
    if (status == "available") {
      context.terminal.Result(context.json ? json::serialize(ToJson(snapshot))
                                           : fmt::format("snapshot {} of {} is available",
                                                         options.name, options.instance));
      return kExitDone;
    }
    if (status != "creating") {
      return Failed(Failure{.what = "snapshot " + options.name + " could not be taken",
                            .where = "",
                            .why = "it is " + status,
                            .help = "aws rds describe-events --source-type db-snapshot"});
    }
    context.terminal.Now(
        fmt::format("snapshot {}: {} %", options.name, snapshot.percent_progress.value_or(0)));
    if (context.programs.clock->Monotonic() >= until) {
      return Failed(Failure{.what = "snapshot " + options.name + " is still being taken",
                            .where = "",
                            .why = "after " + FormatDuration(options.timeout),
                            .help = context.self + " backup list",
                            .exit_code = kExitTimedOut});
    }
    PauseBetweenPolls(kLookAgain);
  }
}

namespace {

json::object ToJson(const aws::howdah_api::ImportedInstance& instance) {
  json::array problems;
  for (const std::string& problem : instance.problems) problems.push_back(json::value(problem));
  return {{"DBInstanceIdentifier", instance.db_instance_identifier.value_or("")},
          {"DbiResourceId", instance.dbi_resource_id.value_or("")},
          {"State", instance.state.value_or("")},
          {"SnapshotCount", instance.snapshot_count.value_or(0)},
          {"EarliestTime", TimeText(instance.earliest_time)},
          {"LatestTime", TimeText(instance.latest_time)},
          {"Problems", std::move(problems)}};
}

}  // namespace

Outcome BackupImport(const Context& context, bool dry_run) {
  CLI_ASSIGN(const Session session, Session::Open(context));
  const auto done = session.Call<aws::howdah_api::ImportBackups>({.dry_run = dry_run});
  if (!done) return Failed(FailureOf("nothing was imported", done.error(), context));
  std::vector<std::vector<std::string>> rows = {
      {"INSTANCE", "RESOURCE", "STATE", "SNAPSHOTS", "RESTORABLE FROM", "TO"}};
  json::array instances;
  std::string problem;
  for (const auto& instance : done->instances) {
    instances.push_back(ToJson(instance));
    if (problem.empty() && !instance.problems.empty()) problem = *instance.problems.begin();
    rows.push_back({instance.db_instance_identifier.value_or("-"),
                    instance.dbi_resource_id.value_or("-"), instance.state.value_or("-"),
                    fmt::format("{}", instance.snapshot_count.value_or(0)),
                    TimeText(instance.earliest_time), TimeText(instance.latest_time)});
  }
  context.terminal.Result(context.json
                              ? json::serialize(json::object{{"Instances", std::move(instances)}})
                              : Columns(rows));
  if (problem.empty()) return kExitDone;
  return Failed(Failure{.what = "not everything in the repository can be read",
                        .where = problem,
                        .why = "",
                        .help = context.self + " backup verify"});
}

// Reads the repository itself: also without a daemon, and without the databases.
Outcome BackupVerify(const Context& context, const BackupVerifyOptions& options) {
  const auto verified = context.programs.verify_backups(
      {.home = context.home.path(), .repository = options.repository, .instance = options.instance},
      [&context](std::string_view now) { context.terminal.Now(now); });
  if (!verified) return Failed("the backups could not be verified", verified.error());
  json::array backups, damages;
  for (const std::string& backup : verified->backups) backups.push_back(json::value(backup));
  for (const std::string& damage : verified->damages) damages.push_back(json::value(damage));
  if (context.json) {
    context.terminal.Result(json::serialize(json::object{{"Backups", std::move(backups)},
                                                         {"Damages", std::move(damages)},
                                                         {"DamageCount", verified->damage_count}}));
  } else {
    context.terminal.Result(fmt::format("{} backups read, {} damages", verified->backups.size(),
                                        verified->damage_count));
  }
  if (verified->damage_count == 0) return kExitDone;
  Failure failure{
      .what = "backups are damaged",
      .where = verified->damages.front(),
      .why = fmt::format("{} damages; each is named with -o json", verified->damage_count),
      .help = "take a new backup: " + context.self + " backup create DB_INSTANCE"};
  return Failed(std::move(failure));
}

}  // namespace howdah::cli
