#include "postgres/rewind.h"

#include <fmt/format.h>

#include "postgres/observe.h"
#include "postgres/quote.h"

namespace howdah::postgres {
namespace {

std::string Escaped(const std::string& text) {
  std::string escaped;
  for (const char c : text) {
    if (c == ':' || c == '\\') escaped += '\\';
    escaped += c;
  }
  return escaped;
}

std::string SourceConninfo(const ConnectOptions& source, const std::string& pass_file) {
  return fmt::format(
      "host={} port={} user={} dbname=postgres passfile={} sslmode=disable gssencmode=disable "
      "connect_timeout=10",
      QuoteConninfoValue(source.socket_dir), kSocketPort, source.user,
      QuoteConninfoValue(pass_file));
}

}  // namespace

Result<bool> CanRewind(system::Disk& disk, const Engine& engine) {
  return disk.Exists(engine.Program("pg_rewind"));
}

Result<bool> IsReadyToRewindFrom(Connection& source, Duration limit) {
  TRY_ASSIGN(const Rows rows,
             source.Execute("SELECT (SELECT timeline_id FROM pg_catalog.pg_control_checkpoint()) "
                            "AS checkpointed, " +
                                std::string(kTimelineColumn),
                            limit));
  return rows.Text(0, "checkpointed") == rows.Text(0, "timeline");
}

Result<> Rewind(const NodePaths& target, const Engine& engine, const ConnectOptions& source,
                system::Disk& disk, system::Processes& processes, Duration limit) {
  const std::string pass_file = target.Config() + "/rewind.pass";
  TRY(disk.RemoveTree(target.StandbySignal()));
  // Nothing runs: the file speaks of a server that is dead, and its pid may be another's by now.
  TRY(disk.RemoveTree(target.PidFile()));
  TRY(disk.WriteDurably(pass_file,
                        fmt::format("*:*:*:{}:{}\n", source.user, Escaped(source.password)), 0600));
  // In the data directory, so that it counts as the node's own: whoever goes on after a crash of
  // ours first ends what still writes there.
  const auto outcome =
      processes.Run({.argv = {engine.Program("pg_rewind"), "-D", target.Data(), "--no-sync",
                              "--source-server=" + SourceConninfo(source, pass_file)},
                     .env = {{"PATH", "/usr/bin:/bin"}, {"LC_ALL", "C"}, {"TZ", "UTC"}},
                     .working_directory = target.Data(),
                     .output_path = ""},
                    limit);
  TRY(disk.RemoveTree(pass_file));
  TRY(outcome);
  if (outcome->exit_code != 0) {
    const std::string& text = outcome->output;
    const std::size_t kept = std::min<std::size_t>(text.size(), 1000);
    return Fail(Code::kFailedState, "pg_rewind failed: " + text.substr(text.size() - kept));
  }
  TRY(disk.WriteDurably(target.StandbySignal(), "", 0600));
  return disk.SyncTree(target.Data());
}

}  // namespace howdah::postgres
