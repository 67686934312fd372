#include "cli/backup_health.h"

#include "base/time.h"

namespace howdah::cli {

namespace {

namespace api = aws::howdah_api;

Finding Behind(const std::string& name, const api::InstanceStatus& instance) {
  return {.check = "archive of " + name,
          .health = Health::kWarning,
          .found = "behind: " + instance.archive_problem.value_or(""),
          .why =
              "what is committed is not in the backup repository until it has caught up; the "
              "instance keeps a bounded part of the log for it",
          .help = "see to the backup repository: its disk, its mount or its S3 server"};
}

Finding Gap(const std::string& name, WallTime since) {
  return {.check = "archive of " + name,
          .health = Health::kFailure,
          .found = "nothing after " + FormatIso8601(since) + " can be restored",
          .why = "a part of the log was given up before the repository had it",
          .help = "a backup is taken by itself once the repository takes it; see the events"};
}

Finding Unproven(const std::string& name, const std::string& failure) {
  return {.check = "restore test of " + name,
          .health = Health::kFailure,
          .found = failure,
          .why = "the newest backup cannot be relied on",
          .help = "howdah backup create " + name + ", then howdah backup verify " + name +
                  " --restore"};
}

}  // namespace

std::vector<Finding> CheckBackups(const api::GetStatusResponse& status) {
  std::vector<Finding> findings;
  for (const api::InstanceStatus& instance : status.instances) {
    const std::string name = instance.db_instance_identifier.value_or("?");
    if (instance.archive_state == "behind") findings.push_back(Behind(name, instance));
    const std::string failure =
        instance.restore_test ? instance.restore_test->failure.value_or("") : "";
    if (!failure.empty()) findings.push_back(Unproven(name, failure));
    if (instance.not_restorable_since) {
      findings.push_back(Gap(name, *instance.not_restorable_since));
    }
  }
  return findings;
}

}  // namespace howdah::cli
