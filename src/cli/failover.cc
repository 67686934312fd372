// `howdah failover`: the standby becomes primary. `howdah why`: what happened at each change of
// roles, and why.
#include <fmt/format.h>

#include "aws/generated/howdah.h"
#include "base/json.h"
#include "cli/commands.h"
#include "cli/daemon.h"
#include "cli/session.h"

namespace howdah::cli {
namespace {

namespace api = aws::howdah_api;

constexpr Duration kLookAgain = 100ms;

std::int64_t Or(const std::optional<std::int64_t>& value, std::int64_t fallback) {
  return value.value_or(fallback);
}

json::object ToJson(const api::RoleChange& change) {
  json::array steps;
  for (const auto& step : change.steps) {
    steps.push_back(json::object{{"Phase", step.phase.value_or("")},
                                 {"AfterMilliseconds", Or(step.after_milliseconds, 0)},
                                 {"Reason", step.reason.value_or("")}});
  }
  return {{"Number", Or(change.number, 0)},
          {"Epoch", Or(change.epoch, 0)},
          {"Cause", change.cause.value_or("")},
          {"Evidence", change.evidence.value_or("")},
          {"FromNode", change.from_node.value_or("")},
          {"FromZone", change.from_zone.value_or("")},
          {"ToNode", change.to_node.value_or("")},
          {"ToZone", change.to_zone.value_or("")},
          {"Begun", change.begun ? FormatIso8601(*change.begun) : ""},
          {"Steps", std::move(steps)},
          {"Outcome", change.outcome.value_or("")},
          {"Rejoined", change.rejoined.value_or("")},
          {"SetAsideBytes", Or(change.set_aside_bytes, 0)}};
}

std::string Text(const api::RoleChange& change) {
  const std::string outcome = change.outcome.value_or("");
  std::string text =
      fmt::format("#{}  {}  epoch {}  {} -> {}  {}\n  cause     {}\n", Or(change.number, 0),
                  change.begun ? FormatIso8601(*change.begun) : "-", Or(change.epoch, 0),
                  change.from_zone.value_or("?"), change.to_zone.value_or("?"),
                  outcome.empty() ? "under way" : outcome, change.cause.value_or(""));
  if (!change.evidence.value_or("").empty()) {
    text += fmt::format("  evidence  {}\n", *change.evidence);
  }
  std::vector<std::vector<std::string>> rows;
  for (const auto& step : change.steps) {
    // The first step's reason is the evidence.
    rows.push_back(
        {fmt::format("{:.3f} s", static_cast<double>(Or(step.after_milliseconds, 0)) / 1000.0),
         step.phase.value_or(""), rows.empty() ? "" : step.reason.value_or("")});
  }
  text += Columns(rows, "  ");
  if (!change.rejoined.value_or("").empty()) {
    text += fmt::format("  the former primary came back: {}; {} bytes of its WAL were set aside\n",
                        *change.rejoined, Or(change.set_aside_bytes, 0));
  }
  return text;
}

std::string Text(const std::string& instance, const api::ExplainRoleChangesResponse& why) {
  std::string text =
      fmt::format("{}: phase {}, epoch {}\nprotects against: {}\n", instance,
                  why.phase.value_or("-"), Or(why.epoch, 0), why.protection.value_or("-"));
  if (why.role_changes.empty()) return text + "\nno change of roles so far\n";
  for (auto change = why.role_changes.rbegin(); change != why.role_changes.rend(); ++change) {
    text += "\n" + Text(*change);
  }
  return text;
}

// The run that a failover began, while it is under way or stuck.
bool IsUnderWay(const api::GetStatusResponse& status, const std::string& instance) {
  for (const auto& it : status.instances) {
    if (it.db_instance_identifier == instance) return it.status != "available";
  }
  return false;
}

}  // namespace

Outcome Failover(const Context& context, const FailoverOptions& options) {
  CLI_ASSIGN(const Session session, Session::Open(context));
  const auto asked = session.Call<api::Failover>(
      {.db_instance_identifier = options.instance, .accept_data_loss = options.accept_data_loss});
  if (!asked)
    return Failed(FailureOf(options.instance + " stays as it is", asked.error(), context));
  context.terminal.Now("the standby of " + options.instance + " takes over");
  const MonotonicTime until = context.programs.clock->Monotonic() + options.timeout;
  while (true) {
    const auto status = session.Call<api::GetStatus>({});
    if (!status) return Failed(FailureOf("cannot read the status", status.error(), context));
    if (!IsUnderWay(*status, options.instance)) break;
    if (context.programs.clock->Monotonic() >= until) {
      return Failed(Failure{.what = "the failover of " + options.instance + " is still under way",
                            .where = "",
                            .why = "after " + FormatDuration(options.timeout),
                            .help = "howdah why " + options.instance,
                            .exit_code = kExitTimedOut});
    }
    PauseBetweenPolls(kLookAgain);
  }
  const auto why =
      session.Call<api::ExplainRoleChanges>({.db_instance_identifier = options.instance});
  if (!why) return Failed(FailureOf("cannot read how it ended", why.error(), context));
  if (why->role_changes.empty()) return kExitDone;
  const api::RoleChange& last = why->role_changes.back();
  context.terminal.Result(context.json ? json::serialize(ToJson(last)) : Text(last));
  if (last.outcome == "completed") return kExitDone;
  return Failed(Failure{.what = options.instance + " did not fail over",
                        .where = "",
                        .why = last.outcome.value_or("") + ": " +
                               (last.steps.empty() ? "" : last.steps.back().reason.value_or("")),
                        .help = "howdah status"});
}

Outcome Why(const Context& context, const std::string& instance) {
  CLI_ASSIGN(const Session session, Session::Open(context));
  const auto why = session.Call<api::ExplainRoleChanges>({.db_instance_identifier = instance});
  if (!why) return Failed(FailureOf("cannot explain " + instance, why.error(), context));
  if (!context.json) {
    context.terminal.Result(Text(instance, *why));
    return kExitDone;
  }
  json::array changes;
  for (const auto& change : why->role_changes) changes.push_back(ToJson(change));
  context.terminal.Result(json::serialize(json::object{{"Phase", why->phase.value_or("")},
                                                       {"Epoch", Or(why->epoch, 0)},
                                                       {"Protection", why->protection.value_or("")},
                                                       {"RoleChanges", std::move(changes)}}));
  return kExitDone;
}

}  // namespace howdah::cli
