// The words of the command line: CLI11 stays in this file. Each command's words become a plain
// struct and one call; nothing is decided here.
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>

#include "cli/commands.h"
#include "cli/main_face.h"

namespace howdah::cli {
namespace {

constexpr const char* kFooter =
    "Exit codes: 0 done, 1 failed, 2 usage, 3 not found, 6 timed out while the work goes on.\n"
    "HOWDAH_HOME is the default of --home. More: docs/command-line.md";

// Everything that the words can say.
struct Words {
  std::string home;
  std::string output = "text";
  ServeOptions serve;
  std::vector<std::string> zones;
  GatewayOptions gateway;
  RestoreWalOptions restore_wal;
  UpOptions up;
  std::vector<std::string> parameters;
  DownOptions down;
  RunOptions run;
  FailoverOptions failover;
  BackupCreateOptions backup_create;
  BackupVerifyOptions backup_verify;
  bool dry_run = false;
  RestoreOptions restore;
  std::string instance;
  std::string version;
  int timeout_seconds = 1800;
  int shutdown_seconds = 180;
  std::vector<std::string> after_dashes;
};

Failure Misused(std::string what, std::string help) {
  return {.what = std::move(what),
          .where = "",
          .why = "",
          .help = std::move(help),
          .exit_code = kExitUsage};
}

std::expected<std::vector<std::pair<std::string, std::string>>, Failure> Pairs(
    const std::vector<std::string>& words, const std::string& option) {
  std::vector<std::pair<std::string, std::string>> pairs;
  for (const auto& word : words) {
    const auto equals = word.find('=');
    if (equals == 0 || equals == std::string::npos) {
      return Failed(Misused(option + " wants NAME=VALUE, not '" + word + "'", ""));
    }
    pairs.emplace_back(word.substr(0, equals), word.substr(equals + 1));
  }
  return pairs;
}

void DefineDaemon(CLI::App& app, Words& words) {
  auto* serve = app.add_subcommand("serve", "Run the control plane in the foreground");
  serve->add_option("--listen", words.serve.listen, "ADDR:PORT of the API")
      ->envname("HOWDAH_LISTEN")
      ->capture_default_str();
  serve->add_option("--region", words.serve.region, "The region that this daemon is")
      ->capture_default_str();
  serve->add_option("--zone", words.zones, "ZONE=DIRECTORY: where a zone keeps its volumes")
      ->type_name("ZONE=DIR")
      ->allow_extra_args(false);
  serve
      ->add_option("--repository", words.serve.repository,
                   "Where backups go: a directory, or s3://BUCKET/PREFIX?…; default: HOME/backups")
      ->envname("HOWDAH_REPOSITORY");
  serve
      ->add_option(
          "--restore-tests", words.serve.restore_tests_days,
          "Days between two restores of each instance's newest backup for a test; 0: never")
      ->envname("HOWDAH_RESTORE_TESTS")
      ->type_name("DAYS")
      ->check(CLI::Range(0, 365))
      ->capture_default_str();
  serve
      ->add_option("--max-instances", words.serve.max_instances,
                   "How many DB instances there may be")
      ->check(CLI::Range(1, 100'000))
      ->capture_default_str();
  serve
      ->add_option("--failover-hold-down", words.serve.failover_hold_down_seconds,
                   "Seconds after a failover in which a primary that is alive is kept; 0 lifts the "
                   "limit on how often, too")
      ->check(CLI::Range(0, 86'400))
      ->capture_default_str();
  serve->add_flag("-v,--verbose", words.serve.verbose, "Log more");
  auto* gateway = app.add_subcommand("gateway", "Run the gateway; 'serve' starts it");
  gateway->group("");  // hidden
  gateway->add_option("--control", words.gateway.control)->required();
  gateway->add_option("--threads", words.gateway.threads)->check(CLI::Range(1, 256));
  auto* restore_wal = app.add_subcommand("restore-wal", "For servers that recover from a backup");
  restore_wal->group("");  // hidden
  restore_wal->add_option("--repository", words.restore_wal.repository)->required();
  restore_wal->add_option("--plan", words.restore_wal.plan)->required();
  restore_wal->add_option("FILE", words.restore_wal.file)->required();
  restore_wal->add_option("TARGET", words.restore_wal.target)->required();
  auto* shutdown =
      app.add_subcommand("shutdown", "Stop control plane, gateway and databases, cleanly");
  shutdown->add_option("--timeout", words.shutdown_seconds, "Seconds to wait for the end")
      ->capture_default_str();
  app.add_subcommand("env", "Print what to export for AWS clients: eval \"$(howdah env)\"");
}

void DefineStacks(CLI::App& app, Words& words) {
  auto* up =
      app.add_subcommand("up", "Deploy a CloudFormation template; starts a daemon if needed");
  up->add_option("TEMPLATE", words.up.template_path, "The template's file")->required();
  up->add_option("--stack-name", words.up.stack_name, "Default: named after the file or directory");
  up->add_option("--parameter", words.parameters, "KEY=VALUE; may be repeated")
      ->type_name("KEY=VALUE")
      ->allow_extra_args(false);
  up->add_option("--timeout", words.timeout_seconds, "Seconds to wait")->capture_default_str();
  auto* down = app.add_subcommand("down", "Delete a stack and what it made");
  down->add_option("STACK", words.down.stack_name, "The stack's name")->required();
  down->add_option("--timeout", words.timeout_seconds, "Seconds to wait")->capture_default_str();
}

void DefineUse(CLI::App& app, Words& words) {
  app.add_subcommand("status", "Show instances, nodes and what is in progress");
  auto* failover = app.add_subcommand("failover", "Make the standby of an instance its primary");
  failover->add_option("DB_INSTANCE", words.failover.instance, "The instance's identifier")
      ->required();
  failover->add_flag("--accept-data-loss", words.failover.accept_data_loss,
                     "Promote a standby that lacks acknowledged commits; the loss is recorded");
  auto* why = app.add_subcommand("why", "Explain every change of roles of an instance");
  why->add_option("DB_INSTANCE", words.instance, "The instance's identifier")->required();
  auto* psql = app.add_subcommand("psql", "psql as the master user, past the security groups");
  psql->add_option("DB_INSTANCE", words.instance, "The instance's identifier")->required();
  psql->footer("Arguments of psql go after '--'.");
  auto* run = app.add_subcommand("run", "Run a command as a task in the VPC: sets PGHOST, PGPORT");
  run->add_option("--security-group", words.run.security_group, "The task's group: name or id")
      ->required();
  run->add_option("--subnet", words.run.subnet, "The task's subnet: name or id");
  run->add_option("--db", words.run.instance, "The instance, where there are several");
  run->add_option("--secret", words.run.secret,
                  "A secret that fills PGUSER, PGPASSWORD and PGDATABASE");
  run->footer("The command goes after '--':\n  howdah run --security-group app -- psql");
  auto* engine = app.add_subcommand("engine", "PostgreSQL versions that can run here");
  engine->require_subcommand(1);
  engine->fallthrough();
  engine->add_subcommand("list", "List them");
  auto* install = engine->add_subcommand("install", "Install one below the home");
  install->add_option("VERSION", words.version, "Exact minor version, such as 14.17")->required();
  app.add_subcommand("doctor", "Check this machine and what runs on it");
  app.add_subcommand("version", "Print the version");
}

void DefineBackups(CLI::App& app, Words& words) {
  auto* backup = app.add_subcommand("backup", "Backups: which there are, one more, are they whole");
  backup->require_subcommand(1);
  auto* list =
      backup->add_subcommand("list", "Show snapshots, and from when to when can be restored");
  list->add_option("DB_INSTANCE", words.instance, "Only of this instance");
  auto* create = backup->add_subcommand("create", "Take a snapshot and wait until it is available");
  create->add_option("DB_INSTANCE", words.backup_create.instance, "The instance")->required();
  create->add_option("--name", words.backup_create.name,
                     "The snapshot's; default: the instance's and the time");
  auto* import =
      backup->add_subcommand("import", "Take up backups in the repository that are not known here");
  import->add_flag("--dry-run", words.dry_run, "Only say what there is");
  auto* verify = backup->add_subcommand("verify", "Read all of it and name every damage");
  verify->add_option("DBI_RESOURCE_ID", words.backup_verify.instance,
                     "Only of this instance; with --restore: the instance's name");
  verify->add_flag("--restore", words.backup_verify.restore,
                   "Restore the newest backup for a test, check the copy, and wait for the result");
  verify
      ->add_option("--repository", words.backup_verify.repository,
                   "Where the backups are, as given to serve; default: HOME/backups")
      ->envname("HOWDAH_REPOSITORY");
  auto* restore = app.add_subcommand("restore", "Make a new instance as another was at a time");
  restore->add_option("DB_INSTANCE", words.restore.source, "The instance to go back in")
      ->required();
  restore->add_option("--to", words.restore.to, "A time such as 2026-11-23T21:04:05Z, or 'latest'")
      ->required();
  restore->add_option("--as", words.restore.as, "The new instance; default: DB_INSTANCE-restored");
  restore->add_flag("--dry-run", words.restore.dry_run, "Only say what would be restored");
  for (auto* command : {backup, restore}) command->fallthrough();
  for (auto* command : {list, create, import, verify}) command->fallthrough();
}

void Define(CLI::App& app, Words& words) {
  app.require_subcommand(1);
  app.footer(kFooter);
  app.add_option("--home", words.home, "Where Howdah keeps everything")->type_name("DIR");
  app.add_option("-o,--output", words.output, "text or json")
      ->check(CLI::IsMember({"text", "json"}))
      ->capture_default_str();
  DefineDaemon(app, words);
  DefineStacks(app, words);
  DefineUse(app, words);
  DefineBackups(app, words);
  // --home and -o may stand after the command, too.
  for (auto* command : app.get_subcommands({})) command->fallthrough();
  app.get_subcommand("engine")->get_subcommand("list")->fallthrough();
  app.get_subcommand("engine")->get_subcommand("install")->fallthrough();
}

Outcome Serve(const Context& context, Words& words) {
  CLI_ASSIGN(words.serve.zones, Pairs(words.zones, "--zone"));
  words.serve.home = context.home.path();
  if (!context.programs.serve) return Failed(Failure{.what = "this program cannot serve"});
  return context.programs.serve(words.serve);
}

// "prod-e-db-2026-11-23-21-04-05".
std::string SnapshotName(const std::string& instance, WallTime now) {
  std::string time = FormatIso8601(now).substr(0, 19);
  std::ranges::replace_if(time, [](char c) { return c == 'T' || c == ':'; }, '-');
  return instance + "-" + time;
}

Outcome Backup(const CLI::App& command, const Context& context, Words& words) {
  if (command.got_subcommand("list")) return BackupList(context, words.instance);
  if (command.got_subcommand("import")) return BackupImport(context, words.dry_run);
  if (command.got_subcommand("verify")) {
    return words.backup_verify.restore ? BackupProve(context, words.backup_verify)
                                       : BackupVerify(context, words.backup_verify);
  }
  if (words.backup_create.name.empty()) {
    words.backup_create.name =
        SnapshotName(words.backup_create.instance, context.programs.clock->Now());
  }
  return BackupCreate(context, words.backup_create);
}

Outcome Dispatch(const std::string& command, const CLI::App& app, const Context& context,
                 Words& words) {
  if (command == "serve") return Serve(context, words);
  if (command == "gateway") return context.programs.gateway(words.gateway);
  if (command == "restore-wal") {
    words.restore_wal.home = context.home.path();
    return context.programs.restore_wal(words.restore_wal);
  }
  if (command == "shutdown") {
    return Shutdown(context, std::chrono::seconds(words.shutdown_seconds));
  }
  if (command == "env") return Env(context);
  if (command == "up") {
    CLI_ASSIGN(words.up.parameters, Pairs(words.parameters, "--parameter"));
    words.up.timeout = std::chrono::seconds(words.timeout_seconds);
    return Up(context, words.up);
  }
  if (command == "down") {
    words.down.timeout = std::chrono::seconds(words.timeout_seconds);
    return Down(context, words.down);
  }
  if (command == "status") return Status(context);
  if (command == "backup") return Backup(*app.get_subcommand("backup"), context, words);
  if (command == "restore") {
    if (words.restore.as.empty()) words.restore.as = words.restore.source + "-restored";
    return Restore(context, words.restore);
  }
  if (command == "failover") return Failover(context, words.failover);
  if (command == "why") return Why(context, words.instance);
  if (command == "psql") return Psql(context, words.instance, words.after_dashes);
  if (command == "run") {
    if (words.after_dashes.empty()) {
      return Failed(Misused("no command to run", "put it after '--': run … -- psql"));
    }
    words.run.command = words.after_dashes;
    return RunTask(context, words.run);
  }
  if (command == "doctor") return Doctor(context);
  if (command == "version") return Version(context);
  const bool install = app.get_subcommand("engine")->got_subcommand("install");
  return install ? EngineInstall(context, words.version) : EngineList(context);
}

// What stands after the first "--" belongs to another program: CLI11 never sees it.
std::vector<std::string> TakeAfterDashes(std::vector<std::string>& arguments) {
  const auto dashes = std::find(arguments.begin(), arguments.end(), "--");
  if (dashes == arguments.end()) return {};
  std::vector<std::string> rest(dashes + 1, arguments.end());
  arguments.erase(dashes, arguments.end());
  return rest;
}

std::string SelfAsTyped(const char* program, const Words& words) {
  std::string self = ShellQuote(program == nullptr ? "howdah" : program);
  if (!words.home.empty()) self += " --home " + ShellQuote(words.home);
  return self;
}

int RunCommand(const char* program, const CLI::App& app, const Programs& programs, Words& words) {
  Terminal terminal(*programs.clock);
  const std::string command = app.get_subcommands().front()->get_name();
  const Environment environment = ProcessEnvironment();
  const auto home = words.home.empty() ? DefaultHome(environment, geteuid() == 0)
                                       : Result<std::string>(AbsolutePath(words.home));
  if (!home) {
    terminal.Error({.what = "no home",
                    .where = "",
                    .why = home.error().what(),
                    .help = "say where with --home DIR",
                    .exit_code = kExitUsage});
    return kExitUsage;
  }
  const Context context{.programs = programs,
                        .terminal = terminal,
                        .environment = environment,
                        .home = Home(*home),
                        .json = words.output == "json",
                        .self = SelfAsTyped(program, words)};
  const Outcome outcome = Dispatch(command, app, context, words);
  if (outcome) return *outcome;
  terminal.Error(outcome.error());
  return outcome.error().exit_code;
}

}  // namespace

int Main(int argc, char** argv, const Programs& programs) {
  Words words;
  std::vector<std::string> arguments(argv + std::min(argc, 1), argv + argc);
  words.after_dashes = TakeAfterDashes(arguments);
  CLI::App app("Howdah: managed PostgreSQL behind the Amazon RDS API, run by you", "howdah");
  try {
    Define(app, words);
    std::reverse(arguments.begin(), arguments.end());  // CLI11 takes them from the back
    app.parse(std::move(arguments));
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? kExitDone : kExitUsage;
  }
  return RunCommand(argc > 0 ? argv[0] : nullptr, app, programs, words);
}

}  // namespace howdah::cli
