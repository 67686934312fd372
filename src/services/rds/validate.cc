#include "services/rds/validate.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>

#include "fleet/window.h"

namespace howdah::services::rds {

using aws::InvalidParameterValue;
using aws::Outcome;
using aws::Refuse;

namespace {

bool IsLetter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}
bool IsDigit(char c) {
  return c >= '0' && c <= '9';
}

std::string Lower(std::string_view text) {
  std::string lower(text);
  std::ranges::transform(lower, lower.begin(),
                         [](char c) { return c >= 'A' && c <= 'Z' ? char(c + 32) : c; });
  return lower;
}

constexpr int kShortestWindow = 30;

}  // namespace

Outcome<std::string> ValidIdentifier(std::string_view parameter, std::string_view value,
                                     std::size_t longest) {
  const auto refuse = [&] {
    return Refuse(InvalidParameterValue(fmt::format(
        "The parameter {} is not a valid identifier. Identifiers must begin with a letter; must "
        "contain only ASCII letters, digits, and hyphens; and must not end with a hyphen or "
        "contain two consecutive hyphens.",
        parameter)));
  };
  if (value.empty() || value.size() > longest || !IsLetter(value.front()) || value.back() == '-') {
    return refuse();
  }
  const bool legal =
      std::ranges::all_of(value, [](char c) { return IsLetter(c) || IsDigit(c) || c == '-'; });
  if (!legal || value.find("--") != std::string_view::npos) return refuse();
  return Lower(value);
}

Outcome<std::string> ValidSnapshotIdentifier(std::string_view parameter, std::string_view value) {
  constexpr std::size_t kLongest = 255;
  return ValidIdentifier(parameter, value, kLongest);
}

Outcome<void> ValidRetention(const fleet::Context& context, std::int64_t days) {
  constexpr std::int64_t kMostDays = 35;
  if (days < 0 || days > kMostDays) {
    return Refuse(InvalidParameterValue(fmt::format(
        "Invalid backup retention period: {}. Must be between 0 and {}.", days, kMostDays)));
  }
  if (days == 0 || context.shelf != nullptr) return {};
  return Refuse(aws::InvalidParameterCombination(
      "BackupRetentionPeriod can only be 0: this installation has no backup repository."));
}

Outcome<void> ValidDatabaseName(std::string_view value) {
  static constexpr std::array<std::string_view, 6> kReserved = {
      "rdsadmin", "postgres", "template0", "template1", "db", "default"};
  const bool legal =
      !value.empty() && value.size() <= 63 && IsLetter(value.front()) &&
      std::ranges::all_of(value, [](char c) { return IsLetter(c) || IsDigit(c) || c == '_'; });
  if (!legal) {
    return Refuse(InvalidParameterValue(
        "DBName must begin with a letter and contain only alphanumeric characters and "
        "underscores, at most 63."));
  }
  if (std::ranges::find(kReserved, Lower(value)) != kReserved.end()) {
    return Refuse(InvalidParameterValue(
        fmt::format("DBName {} cannot be used. It is a reserved word for this engine", value)));
  }
  return {};
}

Outcome<void> ValidMasterUsername(std::string_view value) {
  static constexpr std::array<std::string_view, 8> kReserved = {
      "admin",         "rdsadmin", "rdstopmgr", "rdsrepladmin",
      "rds_superuser", "rds_iam",  "public",    "rds_replication"};
  const bool legal =
      !value.empty() && value.size() <= 16 && IsLetter(value.front()) &&
      std::ranges::all_of(value, [](char c) { return IsLetter(c) || IsDigit(c) || c == '_'; });
  if (!legal) {
    return Refuse(InvalidParameterValue(
        "The parameter MasterUsername must be 1 to 16 letters, digits or underscores and begin "
        "with a letter."));
  }
  const std::string lower = Lower(value);
  if (lower.starts_with("pg_") || lower.starts_with("rds_") ||
      std::ranges::find(kReserved, lower) != kReserved.end()) {
    return Refuse(InvalidParameterValue(fmt::format(
        "MasterUsername {} cannot be used as it is a reserved word used by the engine", value)));
  }
  return {};
}

// The value never appears in the message.
Outcome<void> ValidPassword(std::string_view value) {
  if (value.size() < 8 || value.size() > 128) {
    return Refuse(InvalidParameterValue(
        "The parameter MasterUserPassword is not a valid password because it is shorter than 8 "
        "or longer than 128 characters."));
  }
  const bool legal = std::ranges::all_of(
      value, [](char c) { return c > ' ' && c < 127 && c != '/' && c != '"' && c != '@'; });
  if (!legal) {
    return Refuse(InvalidParameterValue(
        "The parameter MasterUserPassword is not a valid password. Only printable ASCII "
        "characters besides '/', '@', '\"', ' ' may be used."));
  }
  return {};
}

Outcome<void> ValidPort(std::string_view parameter, std::int64_t port) {
  if (port >= 1150 && port <= 65535) return {};
  return Refuse(InvalidParameterValue(fmt::format(
      "Invalid database port for {}: {}. It must be between 1150 and 65535.", parameter, port)));
}

Outcome<void> ValidStorage(std::string_view parameter, std::string_view storage_type,
                           std::int64_t gib) {
  constexpr std::int64_t kLeast = 20;
  constexpr std::int64_t kMost = 65536;
  if (gib >= kLeast && gib <= kMost) return {};
  return Refuse(InvalidParameterValue(
      fmt::format("Invalid storage size for engine name postgres and storage type {}: {}. {} must "
                  "be between {} and {} GiB.",
                  storage_type, gib, parameter, kLeast, kMost)));
}

Outcome<void> ValidBackupWindow(std::string_view value) {
  const std::optional<fleet::Window> window = fleet::ParseDailyWindow(value);
  if (window && window->length >= kShortestWindow) return {};
  return Refuse(InvalidParameterValue(fmt::format(
      "The parameter PreferredBackupWindow is not valid: {}. It must be hh24:mi-hh24:mi in UTC and "
      "at least 30 minutes long.",
      value)));
}

Outcome<std::string> ValidMaintenanceWindow(std::string_view value) {
  const std::string lower = Lower(value);
  const std::optional<fleet::Window> window = fleet::ParseWeeklyWindow(lower);
  if (window && window->length >= kShortestWindow && window->length < fleet::kMinutesADay)
    return lower;
  return Refuse(InvalidParameterValue(
      fmt::format("The parameter PreferredMaintenanceWindow is not valid: {}. It must be "
                  "ddd:hh24:mi-ddd:hh24:mi in UTC, at least 30 minutes and less than 24 hours.",
                  value)));
}

Outcome<void> ValidWindows(std::string_view backup, std::string_view maintenance) {
  const std::optional<fleet::Window> daily = fleet::ParseDailyWindow(backup);
  const std::optional<fleet::Window> weekly = fleet::ParseWeeklyWindow(maintenance);
  if (!daily || !weekly || !fleet::Overlap(*daily, *weekly)) return {};
  return Refuse(
      InvalidParameterValue("The backup window and maintenance window must not overlap "
                            "(PreferredBackupWindow, PreferredMaintenanceWindow)."));
}

}  // namespace howdah::services::rds
