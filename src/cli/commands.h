// The commands, one function each. A command returns the exit code of a run that did what it could,
// or a Failure. Options are plain values; main.cc fills them from the words of the command line.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/time.h"
#include "cli/context.h"
#include "cli/failure.h"

namespace howdah::cli {

struct UpOptions {
  std::string template_path;
  std::string stack_name;  // empty: named after the template's file, or its directory
  std::vector<std::pair<std::string, std::string>> parameters;
  Duration timeout = std::chrono::minutes(30);
};
Outcome Up(const Context& context, const UpOptions& options);

struct DownOptions {
  std::string stack_name;
  Duration timeout = std::chrono::minutes(30);
};
Outcome Down(const Context& context, const DownOptions& options);

struct RunOptions {
  std::string security_group;  // a name or an id
  std::string subnet;          // likewise; empty: one that the instance's group has
  std::string instance;        // empty: the only one that the group can reach
  std::string secret;          // fills PGUSER, PGPASSWORD and PGDATABASE; empty: leaves them alone
  std::vector<std::string> command;
};
Outcome RunTask(const Context& context, const RunOptions& options);

Outcome Psql(const Context& context, const std::string& instance,
             const std::vector<std::string>& arguments);
struct FailoverOptions {
  std::string instance;
  bool accept_data_loss = false;
  Duration timeout = std::chrono::minutes(5);
};
Outcome Failover(const Context& context, const FailoverOptions& options);
Outcome Why(const Context& context, const std::string& instance);

Outcome BackupList(const Context& context, const std::string& instance);  // empty: of all
struct BackupCreateOptions {
  std::string instance;
  std::string name;  // of the snapshot
  Duration timeout = std::chrono::hours(24);
};
Outcome BackupCreate(const Context& context, const BackupCreateOptions& options);
// Takes up what the repository holds and the daemon knows nothing of; `dry_run`: only says what.
Outcome BackupImport(const Context& context, bool dry_run);
struct BackupVerifyOptions {
  std::string instance;    // its DbiResourceId; empty: all that the repository has
  std::string repository;  // empty: HOME/backups
  bool restore = false;    // restores for a test; `instance` is a DB instance's name
  Duration timeout = std::chrono::hours(24);
};
Outcome BackupVerify(const Context& context, const BackupVerifyOptions& options);
Outcome BackupProve(const Context& context, const BackupVerifyOptions& options);
struct RestoreOptions {
  std::string source;
  std::string to;  // a time, or "latest"
  std::string as;  // the new instance
  bool dry_run = false;
  Duration timeout = std::chrono::hours(24);
};
Outcome Restore(const Context& context, const RestoreOptions& options);

Outcome Status(const Context& context);
Outcome Env(const Context& context);
Outcome Shutdown(const Context& context, Duration timeout);
Outcome EngineList(const Context& context);
Outcome EngineInstall(const Context& context, const std::string& version);
Outcome Doctor(const Context& context);
Outcome Version(const Context& context);

}  // namespace howdah::cli
