// `howdah backup verify DB --restore`: the newest backup is restored into a throw-away node and
// checked there.
#include "cli/restore_test.h"

#include <fmt/format.h>

#include "cli/commands.h"
#include "cli/daemon.h"
#include "cli/session.h"

namespace howdah::cli {

namespace {

namespace api = aws::howdah_api;

constexpr Duration kLookAgain = 500ms;

Outcome Show(const Context& context, const std::string& instance, const api::RestoreTest& test) {
  const std::string failure = test.failure.value_or("");
  if (context.json) {
    context.terminal.Result(json::serialize(RestoreTestJson(test)));
  } else if (failure.empty()) {
    context.terminal.Result(fmt::format(
        "backup {} of {} was restored up to {} and checked: {} databases, {} tables, {} indexes, "
        "{} pages",
        test.backup.value_or("?"), instance, test.until ? FormatIso8601(*test.until) : "?",
        test.databases.value_or(0), test.tables.value_or(0), test.indexes.value_or(0),
        test.pages.value_or(0)));
  }
  if (failure.empty()) return kExitDone;
  return Failed(
      Failure{.what = "the restore test has failed",
              .where = test.backup.value_or(""),
              .why = failure,
              .help = "take a new backup: " + context.self + " backup create " + instance});
}

const api::InstanceStatus* Find(const api::GetStatusResponse& status, const std::string& name) {
  for (const auto& instance : status.instances) {
    if (instance.db_instance_identifier == name) return &instance;
  }
  return nullptr;
}

}  // namespace

json::value RestoreTestJson(const std::optional<api::RestoreTest>& test) {
  if (!test) return nullptr;
  const auto time = [](const std::optional<WallTime>& value) {
    return value ? json::value(FormatIso8601(*value)) : json::value(nullptr);
  };
  return json::object{{"State", test->state.value_or("")},
                      {"Begun", time(test->begun)},
                      {"Finished", time(test->finished)},
                      {"Backup", test->backup.value_or("")},
                      {"Until", time(test->until)},
                      {"Failure", test->failure.value_or("")},
                      {"Waits", test->waits.value_or("")},
                      {"Size", test->size.value_or(0)},
                      {"Databases", test->databases.value_or(0)},
                      {"Tables", test->tables.value_or(0)},
                      {"Indexes", test->indexes.value_or(0)},
                      {"Pages", test->pages.value_or(0)}};
}

std::string RestoreTestText(const std::optional<api::RestoreTest>& test) {
  if (!test) return "-";
  std::string text = test->state.value_or("-");
  if (test->finished) text += " " + FormatIso8601(*test->finished);
  const std::string failure = test->failure.value_or("");
  if (!failure.empty()) text += ": " + failure;
  const std::string waits = test->waits.value_or("");
  if (!waits.empty()) text += "; " + waits;
  return text;
}

Outcome BackupProve(const Context& context, const BackupVerifyOptions& options) {
  CLI_ASSIGN(const Session session, Session::Open(context));
  const std::string& name = options.instance;
  const auto asked = session.Call<api::ProveBackup>({.db_instance_identifier = name});
  if (!asked) return Failed(FailureOf("no restore test was begun", asked.error(), context));
  const WallTime since = asked->asked.value_or(WallTime{});
  const MonotonicTime until = context.programs.clock->Monotonic() + options.timeout;
  while (true) {
    const auto status = session.Call<api::GetStatus>({});
    if (!status) return Failed(FailureOf("cannot read the status", status.error(), context));
    const api::InstanceStatus* instance = Find(*status, name);
    const bool is_there = instance != nullptr && instance->restore_test;
    const std::string waits = is_there ? instance->restore_test->waits.value_or("") : "";
    if (!is_there || !waits.empty()) {
      return Failed(Failure{.what = "the restore test of " + name + " was not made",
                            .where = "",
                            .why = is_there ? waits : "there is no such DB instance any more",
                            .help = ""});
    }
    const api::RestoreTest& test = *instance->restore_test;
    if (test.begun && *test.begun >= since) return Show(context, name, test);
    context.terminal.Now(fmt::format("restore test of {}: {}", name, test.state.value_or("")));
    if (context.programs.clock->Monotonic() >= until) {
      return Failed(Failure{.what = "the restore test of " + name + " still runs",
                            .where = "",
                            .why = "after " + FormatDuration(options.timeout),
                            .help = context.self + " status",
                            .exit_code = kExitTimedOut});
    }
    PauseBetweenPolls(kLookAgain);
  }
}

}  // namespace howdah::cli
