// See config.h. Sources of the forced values: ha.md 5.4 and the hazards named beside them.
#include "postgres/config.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>

namespace howdah::postgres {
namespace {

bool IsParameterName(std::string_view name) {
  if (name.empty() || name.size() > 63) return false;
  if (std::isalpha(static_cast<unsigned char>(name.front())) == 0) return false;
  return std::ranges::all_of(
      name, [](unsigned char c) { return std::isalnum(c) != 0 || c == '_' || c == '.'; });
}

// One element of a list of paths: quoted, so that a comma in a path is one.
std::string QuotePath(std::string_view path) {
  std::string quoted = "\"";
  for (const char c : path) {
    if (c == '"') quoted += c;
    quoted += c;
  }
  return quoted + '"';
}

std::string SocketDirectories(const ForcedInput& input) {
  const std::string own = QuotePath(input.socket_dir);
  return input.handover_dir.empty() ? own : own + ", " + QuotePath(input.handover_dir);
}

Settings IsolationSettings(const ForcedInput& input) {
  Settings settings = {
      {"listen_addresses", ""},
      {"unix_socket_directories", SocketDirectories(input)},
      {"unix_socket_permissions", "0700"},
      {"port", "5432"},
      {"ssl", input.tls ? "on" : "off"},
      {"password_encryption", "scram-sha-256"},
      {"cluster_name", input.cluster_name},
  };
  if (input.tls) {
    settings["ssl_cert_file"] = input.tls->certificate_file;
    settings["ssl_key_file"] = input.tls->key_file;
    settings["ssl_ca_file"] = "";
    settings["ssl_min_protocol_version"] = "TLSv1.2";
  }
  return settings;
}

Settings DurabilitySettings(const ForcedInput& input) {
  return {
      {"fsync", "on"},
      {"full_page_writes", "on"},
      // Crash recovery first syncs the whole data directory: one call instead of one a file.
      {"recovery_init_sync_method", "syncfs"},
      {"synchronous_commit", "on"},
      {"data_sync_retry", "off"},      // H23
      {"restart_after_crash", "off"},  // H4: the agent restarts, when it is safe
      {"wal_level", "replica"},
      {"wal_log_hints", "on"},
      {"wal_compression", "on"},
      {"max_wal_senders", "20"},
      {"max_replication_slots", "20"},
      {"max_slot_wal_keep_size", fmt::format("{}MB", SlotKeepMib(input.storage_gib))},
      {"hot_standby", "on"},
      {"hot_standby_feedback", "off"},
      {"wal_receiver_timeout", "5s"},
      {"wal_sender_timeout", "5s"},
      {"wal_receiver_status_interval", "1s"},
      {"wal_retrieve_retry_interval", "100ms"},
      // H21: nobody reads on the standby, so nothing may hold back its replay.
      {"max_standby_streaming_delay", "0"},
      {"max_standby_archive_delay", "0"},
  };
}

Settings LogSettings(const ForcedInput& input) {
  return {
      {"logging_collector", "on"},
      {"log_destination", "stderr"},
      {"log_directory", input.log_dir + "/error"},
      {"log_filename", "postgresql.log.%Y-%m-%d-%H"},
      {"log_file_mode", "0600"},
      {"log_rotation_age", "60"},
      {"log_rotation_size", "0"},
      {"log_truncate_on_rotation", "off"},
      {"log_line_prefix", "%t:%r:%u@%d:[%p]:"},
      {"log_timezone", "UTC"},
  };
}

// The guard comes last, so that its hooks are the first to be asked.
std::string PreloadLibraries(const ForcedInput& input) {
  std::string list = input.has_pg_stat_statements ? "pg_stat_statements" : "";
  if (input.commit_guard.empty()) return list;
  return list + (list.empty() ? "" : ", ") + QuotePath(input.commit_guard);
}

}  // namespace

// The slot of a lost standby, or of an archive whose repository is away, may hold back a tenth of
// the storage, but no less than 1 GiB and no more than 64. Past that the slot is given up: the
// standby is copied anew, and the archive has a gap (H20, H22).
std::uint64_t SlotKeepMib(std::uint64_t storage_gib) {
  return std::clamp<std::uint64_t>(storage_gib * 1024 / 10, 1024, 64 * 1024);
}

Settings ForcedSettings(const ForcedInput& input) {
  Settings settings = IsolationSettings(input);
  settings.merge(DurabilitySettings(input));
  settings.merge(LogSettings(input));
  if (input.read_only) {
    settings["default_transaction_read_only"] = "on";
    settings["temp_file_limit"] = "64MB";  // a sort must not use up what is left for recovery
  }
  settings["shared_preload_libraries"] = PreloadLibraries(input);
  if (!input.commit_guard.empty()) {
    settings["howdah.enforce_synchronous_commit"] = input.enforce_synchronous_commit ? "on" : "off";
  }
  return settings;
}

Settings Overlay(Settings user, const Settings& forced) {
  for (const auto& [name, value] : forced) user.insert_or_assign(name, value);
  return user;
}

std::string QuoteConfigValue(std::string_view value) {
  std::string out = "'";
  for (const char c : value) {
    if (c == '\'' || c == '\\') out += c;
    out += c;
  }
  return out + "'";
}

Result<std::string> RenderConfig(const Settings& settings) {
  std::string text = "# Written by Howdah; changes made here are lost.\n";
  for (const auto& [name, value] : settings) {
    if (!IsParameterName(name)) {
      return Fail(Code::kInvalid, fmt::format("not a parameter name: '{}'", name));
    }
    if (value.find_first_of(std::string_view("\n\r\0", 3)) != std::string::npos) {
      return Fail(Code::kInvalid, fmt::format("{}: a value is one line", name));
    }
    text += fmt::format("{} = {}\n", name, QuoteConfigValue(value));
  }
  return text + "include_if_exists 'sync.conf'\ninclude_if_exists 'standby.conf'\n";
}

std::string RenderHba(TcpClients tcp) {
  std::string text =
      "# Written by Howdah; changes made here are lost. First match decides.\n"
      "local replication rdsrepladmin scram-sha-256\n"
      "local replication all reject\n"
      "local all rdsadmin scram-sha-256\n"
      "local rdsadmin all reject\n"
      "local all rdsrepladmin reject\n"
      "local all all scram-sha-256\n"
      "host replication all all reject\n"
      "host rdsadmin all all reject\n"
      "host all rdsadmin,rdsrepladmin all reject\n";
  // Without TLS no line matches, and the client reads what RDS says: no pg_hba.conf entry.
  if (tcp == TcpClients::kOnlyTls) return text + "hostssl all all all scram-sha-256\n";
  return text + (tcp == TcpClients::kAny ? "host all all all scram-sha-256\n"
                                         : "host all all all reject\n");
}

namespace {

// To the microsecond, which is what PostgreSQL compares, with an offset: where recovery_target_time
// is read, zones have no names yet.
std::string TimestampLiteral(WallTime time) {
  std::string text = FormatIso8601(time);  // to the millisecond: "2026-11-23T22:15:07.001Z"
  text.pop_back();
  text[text.find('T')] = ' ';
  return fmt::format("{}{:03}+00", text, time.time_since_epoch().count() % 1000);
}

}  // namespace

std::string RenderRecoveryHba() {
  return "# Written by Howdah while a backup is recovered from.\n"
         "local all rdsadmin trust\n"
         "local all all reject\n"
         "local replication all reject\n"
         "host all all all reject\n"
         "host replication all all reject\n";
}

Result<std::string> RenderRecovery(const RecoveryGoal& goal) {
  if (goal.restore_command.find_first_of(std::string_view("\n\r\0", 3)) != std::string::npos) {
    return Fail(Code::kInvalid, "restore_command: a value is one line");
  }
  // Not for queries: what the source allowed itself, such as its connections, need not fit here
  // yet.
  Settings settings = {{"hot_standby", "off"},
                       {"primary_conninfo", ""},
                       {"restore_command", goal.restore_command},
                       {"recovery_target_action", "promote"},
                       {"recovery_target_inclusive", "on"},
                       {"recovery_target_timeline", "current"}};
  if (ToNumber(goal.timeline) != 0) {
    settings["recovery_target_timeline"] = std::to_string(ToNumber(goal.timeline));
  }
  if (goal.before) {
    settings["recovery_target_time"] = TimestampLiteral(*goal.before);
  }
  std::string text = "# Written by Howdah: how the recovery from a backup ends.\n";
  for (const auto& [name, value] : settings) {
    text += fmt::format("{} = {}\n", name, QuoteConfigValue(value));
  }
  return text;
}

std::string SynchronousStandbyNames(std::string_view application_name) {
  if (application_name.empty()) return "";
  std::string quoted;
  for (const char c : application_name) {
    if (c == '"') quoted += c;
    quoted += c;
  }
  return fmt::format("ANY 1 (\"{}\")", quoted);
}

}  // namespace howdah::postgres
