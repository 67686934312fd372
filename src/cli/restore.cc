// `howdah restore`: a new instance as another one was at a time. What it will do is said first.
#include <fmt/format.h>

#include "aws/generated/howdah.h"
#include "aws/generated/rds.h"
#include "aws/scalar.h"
#include "base/json.h"
#include "cli/commands.h"
#include "cli/daemon.h"
#include "cli/session.h"

namespace howdah::cli {
namespace {

namespace api = aws::howdah_api;
namespace rds = aws::rds;

constexpr Duration kLookAgain = 500ms;

std::string TimeText(const std::optional<WallTime>& time) {
  return time ? FormatIso8601(*time) : "-";
}

// What is asked for may lie between two commits of one millisecond.
std::string UntilText(const std::optional<WallTime>& asked, const api::PlanRestoreResponse& plan) {
  return asked ? aws::FormatExactTime(*asked) : TimeText(plan.until);
}

std::string SizeText(const std::optional<std::int64_t>& bytes) {
  return fmt::format("{:.1f} MiB", static_cast<double>(bytes.value_or(0)) / (1 << 20));
}

json::object ToJson(const api::PlanRestoreResponse& plan, const std::string& until) {
  return {{"DbiResourceId", plan.dbi_resource_id.value_or("")},
          {"Backup", plan.backup.value_or("")},
          {"EarliestTime", TimeText(plan.earliest_time)},
          {"LatestTime", TimeText(plan.latest_time)},
          {"Until", until},
          {"Size", plan.size.value_or(0)},
          {"WalSize", plan.wal_size.value_or(0)},
          {"EstimatedSeconds", plan.estimated_seconds.value_or(0)}};
}

std::string Text(const api::PlanRestoreResponse& plan, const std::string& source,
                 const std::string& until) {
  return Columns({{"source", fmt::format("{} ({})", source, plan.dbi_resource_id.value_or("-"))},
                  {"restorable", fmt::format("from {} to {}", TimeText(plan.earliest_time),
                                             TimeText(plan.latest_time))},
                  {"restored to", until},
                  {"backup", fmt::format("{}, {}", plan.backup.value_or("-"), SizeText(plan.size))},
                  {"WAL to replay", SizeText(plan.wal_size)},
                  {"estimate", fmt::format("{} s", plan.estimated_seconds.value_or(0))}});
}

std::expected<std::optional<WallTime>, Failure> ParseTarget(const std::string& to) {
  if (to == "latest") return std::nullopt;
  const auto time = ParseIso8601(to);
  if (time) return *time;
  return Failed(Failure{.what = "--to " + to + " is no time",
                        .where = "",
                        .why = time.error().what(),
                        .help = "a time in UTC such as 2026-11-23T21:04:05Z, or 'latest'",
                        .exit_code = kExitUsage});
}

// What the new instance is doing, with the restore's progress from its first node.
std::optional<rds::DBInstance> Find(const Session& session, const std::string& name) {
  const auto seen = session.Call<rds::DescribeDBInstances>({.db_instance_identifier = name});
  if (!seen || seen->db_instances.empty()) return std::nullopt;
  return seen->db_instances.front();
}

std::string ProgressOf(const Session& session, const std::string& name) {
  const auto status = session.Call<api::GetStatus>({});
  if (!status) return "";
  for (const auto& instance : status->instances) {
    if (instance.db_instance_identifier != name || instance.nodes.empty()) continue;
    return instance.nodes.front().detail.value_or("");
  }
  return "";
}

Outcome Await(const Context& context, const Session& session, const RestoreOptions& options) {
  const MonotonicTime until = context.programs.clock->Monotonic() + options.timeout;
  while (true) {
    const auto instance = Find(session, options.as);
    const std::string status = instance ? instance->db_instance_status.value_or("") : "";
    if (status == "available") return kExitDone;
    if (status == "failed" || status == "incompatible-restore") {
      return Failed(Failure{.what = options.as + " could not be restored",
                            .where = "",
                            .why = ProgressOf(session, options.as),
                            .help = context.self + " status"});
    }
    context.terminal.Now(
        fmt::format("{}: {} {}", options.as, status, ProgressOf(session, options.as)));
    if (context.programs.clock->Monotonic() >= until) {
      return Failed(Failure{.what = options.as + " is still being restored",
                            .where = "",
                            .why = "after " + FormatDuration(options.timeout),
                            .help = context.self + " status",
                            .exit_code = kExitTimedOut});
    }
    PauseBetweenPolls(kLookAgain);
  }
}

}  // namespace

Outcome Restore(const Context& context, const RestoreOptions& options) {
  CLI_ASSIGN(const std::optional<WallTime> time, ParseTarget(options.to));
  CLI_ASSIGN(const Session session, Session::Open(context));
  const auto plan = session.Call<api::PlanRestore>(
      {.db_instance_identifier = options.source,
       .restore_time = time,
       .use_latest_restorable_time = time ? std::nullopt : std::optional(true)});
  if (!plan) return Failed(FailureOf("nothing is restored", plan.error(), context));
  const std::string until = UntilText(time, *plan);
  if (options.dry_run) {
    context.terminal.Result(context.json ? json::serialize(ToJson(*plan, until))
                                         : Text(*plan, options.source, until));
    return kExitDone;
  }
  context.terminal.Note(Text(*plan, options.source, until));
  const auto begun = session.Call<rds::RestoreDBInstanceToPointInTime>(
      {.source_db_instance_identifier = options.source,
       .target_db_instance_identifier = options.as,
       .restore_time = time,
       .use_latest_restorable_time = time ? std::nullopt : std::optional(true)});
  if (!begun) return Failed(FailureOf("nothing is restored", begun.error(), context));
  CLI_TRY(Await(context, session, options));
  context.terminal.Result(context.json ? json::serialize(ToJson(*plan, until))
                                       : fmt::format("{} is available, as {} was at {}", options.as,
                                                     options.source, until));
  return kExitDone;
}

}  // namespace howdah::cli
