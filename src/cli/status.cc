// `howdah status`, `env`, `shutdown` and `version`: what runs, how to reach it, and its end.
#include <fmt/format.h>

#include "aws/generated/howdah.h"
#include "base/json.h"
#include "cli/commands.h"
#include "cli/daemon.h"
#include "cli/restore_test.h"
#include "cli/session.h"

namespace howdah::cli {
namespace {

namespace api = aws::howdah_api;

json::value OrNull(const std::optional<std::string>& value) {
  return value ? json::value(*value) : json::value(nullptr);
}

json::value OrNull(const std::optional<std::int64_t>& value) {
  return value ? json::value(*value) : json::value(nullptr);
}

json::object ToJson(const api::NodeStatus& node) {
  return {{"NodeId", OrNull(node.node_id)},
          {"Role", OrNull(node.role)},
          {"AvailabilityZone", OrNull(node.availability_zone)},
          {"State", OrNull(node.state)},
          {"Pid", OrNull(node.pid)},
          {"Lag", OrNull(node.lag)},
          {"StorageState", OrNull(node.storage_state)},
          {"UsedStorage", OrNull(node.used_storage)},
          {"FreeStorage", OrNull(node.free_storage)},
          {"StorageError", OrNull(node.storage_error)},
          {"Detail", OrNull(node.detail)}};
}

json::value OrNull(const std::optional<WallTime>& value) {
  return value ? json::value(FormatIso8601(*value)) : json::value(nullptr);
}

json::object ToJson(const api::InstanceStatus& instance) {
  json::array nodes;
  for (const auto& node : instance.nodes) nodes.push_back(ToJson(node));
  return {{"DBInstanceIdentifier", OrNull(instance.db_instance_identifier)},
          {"DbiResourceId", OrNull(instance.dbi_resource_id)},
          {"Status", OrNull(instance.status)},
          {"EngineVersion", OrNull(instance.engine_version)},
          {"Class", OrNull(instance.class_)},
          {"MultiAZ", instance.multi_az.value_or(false)},
          {"AllocatedStorage", OrNull(instance.allocated_storage)},
          {"FreeStorage", OrNull(instance.free_storage)},
          {"Endpoint", OrNull(instance.endpoint)},
          {"Port", OrNull(instance.port)},
          {"Phase", OrNull(instance.phase)},
          {"Epoch", OrNull(instance.epoch)},
          {"Protection", OrNull(instance.protection)},
          {"LastRoleChange", OrNull(instance.last_role_change)},
          {"LastRoleChangeCause", OrNull(instance.last_role_change_cause)},
          {"DataPath", OrNull(instance.data_path)},
          {"Tls", OrNull(instance.tls)},
          {"CommitGuard", OrNull(instance.commit_guard)},
          {"OpenConnections", OrNull(instance.open_connections)},
          {"RefusedConnections", OrNull(instance.refused_connections)},
          {"LastBackup", OrNull(instance.last_backup)},
          {"LatestRestorableTime", OrNull(instance.latest_restorable_time)},
          {"ArchiveState", OrNull(instance.archive_state)},
          {"ArchiveLag", OrNull(instance.archive_lag)},
          {"ArchiveProblem", OrNull(instance.archive_problem)},
          {"RestoreTest", RestoreTestJson(instance.restore_test)},
          {"NotRestorableSince", OrNull(instance.not_restorable_since)},
          {"Nodes", std::move(nodes)}};
}

json::object ToJson(const api::GetStatusResponse& status, const std::string& url) {
  json::array instances;
  for (const auto& instance : status.instances) instances.push_back(ToJson(instance));
  json::array runs;
  for (const auto& run : status.runs) {
    runs.push_back(json::object{{"RunId", OrNull(run.run_id)},
                                {"Workflow", OrNull(run.workflow)},
                                {"Subject", OrNull(run.subject)},
                                {"State", OrNull(run.state)},
                                {"Step", OrNull(run.step)},
                                {"Error", OrNull(run.error)}});
  }
  json::object gateway;
  if (status.gateway) {
    gateway = {{"State", OrNull(status.gateway->state)}, {"Pid", OrNull(status.gateway->pid)}};
  }
  return {{"Version", OrNull(status.version)},
          {"Pid", OrNull(status.pid)},
          {"Url", url},
          {"Home", OrNull(status.home)},
          {"Region", OrNull(status.region)},
          {"Gateway", std::move(gateway)},
          {"Instances", std::move(instances)},
          {"Runs", std::move(runs)}};
}

std::string Number(const std::optional<std::int64_t>& value) {
  return value ? fmt::format("{}", *value) : "-";
}

// "relay: why" to "relay"; the reason is in the JSON form and in the log.
std::string Word(const std::optional<std::string>& text) {
  return text && !text->empty() ? text->substr(0, text->find_first_of(":,")) : "-";
}

// Bytes for people: "18.2 GiB".
std::string Size(const std::optional<std::int64_t>& bytes) {
  constexpr double kGiB = 1024.0 * 1024 * 1024;
  return bytes ? fmt::format("{:.1f} GiB", static_cast<double>(*bytes) / kGiB) : "-";
}

std::string InstancesText(const api::GetStatusResponse& status) {
  std::vector<std::vector<std::string>> rows = {{"INSTANCE", "STATUS", "ENGINE", "CLASS",
                                                 "ENDPOINT", "FREE", "PHASE", "EPOCH", "OPEN",
                                                 "REFUSED", "DATA PATH", "TLS", "GUARD"}};
  for (const auto& instance : status.instances) {
    const std::string endpoint =
        instance.endpoint ? fmt::format("{}:{}", *instance.endpoint, Number(instance.port)) : "-";
    rows.push_back({instance.db_instance_identifier.value_or("-"), instance.status.value_or("-"),
                    instance.engine_version.value_or("-"), instance.class_.value_or("-"), endpoint,
                    Size(instance.free_storage), instance.phase.value_or("-"),
                    Number(instance.epoch), Number(instance.open_connections),
                    Number(instance.refused_connections), Word(instance.data_path),
                    Word(instance.tls), Word(instance.commit_guard)});
  }
  return Columns(rows);
}

std::string TimeText(const std::optional<WallTime>& time) {
  return time ? FormatIso8601(*time) : "-";
}

std::string ArchiveText(const api::InstanceStatus& instance) {
  std::string text = instance.archive_state.value_or("-");
  const std::int64_t lag = instance.archive_lag.value_or(0);
  if (lag > 0) text += fmt::format(", {} MiB wait", lag >> 20);
  const std::string problem = instance.archive_problem.value_or("");
  if (!problem.empty()) text += ": " + problem;
  if (instance.not_restorable_since) {
    text += "; nothing after " + FormatIso8601(*instance.not_restorable_since) +
            " can be restored before the next backup";
  }
  return text;
}

std::string BackupsText(const api::GetStatusResponse& status) {
  std::vector<std::vector<std::string>> rows = {
      {"INSTANCE", "LAST BACKUP", "RESTORABLE UNTIL", "ARCHIVE OF THE LOG", "RESTORE TEST"}};
  for (const auto& instance : status.instances) {
    rows.push_back({instance.db_instance_identifier.value_or("-"), TimeText(instance.last_backup),
                    TimeText(instance.latest_restorable_time), ArchiveText(instance),
                    RestoreTestText(instance.restore_test)});
  }
  return Columns(rows);
}

// What a second copy protects against here, and when it was needed last.
std::string ProtectionText(const api::GetStatusResponse& status) {
  std::vector<std::vector<std::string>> rows = {
      {"INSTANCE", "PROTECTS AGAINST", "LAST CHANGE OF ROLES"}};
  for (const auto& instance : status.instances) {
    const std::string last = instance.last_role_change
                                 ? fmt::format("{}: {}", FormatIso8601(*instance.last_role_change),
                                               instance.last_role_change_cause.value_or(""))
                                 : "-";
    rows.push_back(
        {instance.db_instance_identifier.value_or("-"), instance.protection.value_or("-"), last});
  }
  return Columns(rows);
}

std::string NodesText(const api::GetStatusResponse& status) {
  std::vector<std::vector<std::string>> rows = {
      {"NODE", "INSTANCE", "ROLE", "ZONE", "STATE", "PID", "LAG", "FREE", "DETAIL"}};
  for (const auto& instance : status.instances) {
    for (const auto& node : instance.nodes) {
      rows.push_back({node.node_id.value_or("-"), instance.db_instance_identifier.value_or("-"),
                      node.role.value_or("-"), node.availability_zone.value_or("-"),
                      node.state.value_or("-"), Number(node.pid), node.lag.value_or("-"),
                      Size(node.free_storage), node.detail.value_or("")});
    }
  }
  return Columns(rows);
}

std::string RunsText(const api::GetStatusResponse& status) {
  std::vector<std::vector<std::string>> rows = {
      {"RUN", "WORKFLOW", "SUBJECT", "STATE", "STEP", "ERROR"}};
  for (const auto& run : status.runs) {
    rows.push_back({run.run_id.value_or("-"), run.workflow.value_or("-"), run.subject.value_or("-"),
                    run.state.value_or("-"), run.step.value_or("-"), run.error.value_or("")});
  }
  return Columns(rows);
}

std::string StatusText(const api::GetStatusResponse& status, const std::string& url) {
  std::string text = Columns({
      {"control plane", fmt::format("{}, pid {}, {}, region {}", status.version.value_or("?"),
                                    Number(status.pid), url, status.region.value_or("?"))},
      {"gateway", status.gateway ? fmt::format("{}, pid {}", status.gateway->state.value_or("?"),
                                               Number(status.gateway->pid))
                                 : "-"},
      {"home", status.home.value_or("?")},
  });
  if (status.instances.empty()) {
    text += "\nno instances\n";
  } else {
    text += "\n" + InstancesText(status) + "\n" + ProtectionText(status) + "\n" +
            BackupsText(status) + "\n" + NodesText(status);
  }
  if (!status.runs.empty()) text += "\n" + RunsText(status);
  return text;
}

}  // namespace

Outcome Status(const Context& context) {
  CLI_ASSIGN(const Session session, Session::Open(context));
  const auto status = session.Call<api::GetStatus>({});
  if (!status) return Failed(FailureOf("cannot read the status", status.error(), context));
  context.terminal.Result(context.json ? json::serialize(ToJson(*status, session.url()))
                                       : StatusText(*status, session.url()));
  return kExitDone;
}

Outcome Env(const Context& context) {
  CLI_ASSIGN(const DaemonAddress address, ReadDaemonAddress(context));
  const std::vector<std::pair<std::string, std::string>> settings = {
      {"AWS_ENDPOINT_URL", address.url},
      {"AWS_ACCESS_KEY_ID", address.key.access_key_id},
      {"AWS_SECRET_ACCESS_KEY", address.key.secret_access_key},
      {"AWS_REGION", address.key.region},
      {"AWS_DEFAULT_REGION", address.key.region},
  };
  if (context.json) {
    json::object object;
    for (const auto& [name, value] : settings) object[name] = value;
    context.terminal.Result(json::serialize(object));
    return kExitDone;
  }
  std::string text;
  for (const auto& [name, value] : settings) {
    text += fmt::format("export {}={}\n", name, ShellQuote(value));
  }
  context.terminal.Result(text);
  return kExitDone;
}

// A control plane that was killed has left its databases and its gateway running; only a control
// plane knows how to stop them, so a home that has had one gets one again. Any other home has
// nothing to stop.
std::expected<Session, Failure> SessionForShutdown(const Context& context) {
  const auto lived = context.programs.disk->Exists(context.home.CredentialsPath());
  return lived && *lived ? EnsureDaemon(context) : Session::Open(context);
}

Outcome Shutdown(const Context& context, Duration timeout) {
  CLI_ASSIGN(const Session session, SessionForShutdown(context));
  const auto status = session.Call<api::GetStatus>({});
  if (!status) return Failed(FailureOf("nothing was shut down", status.error(), context));
  const auto pid = static_cast<pid_t>(status->pid.value_or(0));
  // Who it is, before it goes: the number alone may soon be another process's.
  const auto daemon = context.programs.processes->Identify(pid);
  const auto asked = session.Call<api::Shutdown>({}, timeout);
  if (!asked) return Failed(FailureOf("the daemon refuses to shut down", asked.error(), context));
  context.terminal.Now("stopping databases, gateway and control plane");
  if (daemon && !context.programs.processes->AwaitExit(*daemon, timeout)) {
    return Failed(Failure{.what = "the daemon is still shutting down",
                          .where = context.home.path(),
                          .why = fmt::format("pid {} lives after {}", pid, FormatDuration(timeout)),
                          .help = "see " + context.home.ServeLogPath(),
                          .exit_code = kExitTimedOut});
  }
  context.terminal.Step("shut down: databases, gateway and control plane", Colour::kGreen);
  return kExitDone;
}

Outcome Version(const Context& context) {
  context.terminal.Result(context.json ? json::serialize(json::object{{"Version", HOWDAH_VERSION}})
                                       : "howdah " HOWDAH_VERSION);
  return kExitDone;
}

}  // namespace howdah::cli
