#include "services/rds/validate.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>

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

constexpr int kMinutesADay = 24 * 60;
constexpr int kMinutesAWeek = 7 * kMinutesADay;
constexpr int kShortestWindow = 30;

struct Window {
  int begin = 0;   // minutes from the start of the day or week
  int length = 0;  // minutes
};

// "hh24:mi" to minutes.
std::optional<int> TimeOfDay(std::string_view text) {
  if (text.size() != 5 || text[2] != ':') return std::nullopt;
  for (const std::size_t i : {0, 1, 3, 4}) {
    if (!IsDigit(text[i])) return std::nullopt;
  }
  const int hours = (text[0] - '0') * 10 + (text[1] - '0');
  const int minutes = (text[3] - '0') * 10 + (text[4] - '0');
  if (hours > 23 || minutes > 59) return std::nullopt;
  return hours * 60 + minutes;
}

std::optional<int> TimeOfWeek(std::string_view text) {
  static constexpr std::array<std::string_view, 7> kDays = {"mon", "tue", "wed", "thu",
                                                            "fri", "sat", "sun"};
  if (text.size() != 9 || text[3] != ':') return std::nullopt;
  const auto day = std::ranges::find(kDays, text.substr(0, 3));
  const std::optional<int> time = TimeOfDay(text.substr(4));
  if (day == kDays.end() || !time) return std::nullopt;
  return static_cast<int>(day - kDays.begin()) * kMinutesADay + *time;
}

template <typename Parse>
std::optional<Window> ParseWindow(std::string_view text, std::size_t half, int cycle, Parse parse) {
  if (text.size() != 2 * half + 1 || text[half] != '-') return std::nullopt;
  const std::optional<int> begin = parse(text.substr(0, half));
  const std::optional<int> end = parse(text.substr(half + 1));
  if (!begin || !end) return std::nullopt;
  return Window{.begin = *begin, .length = (*end - *begin + cycle) % cycle};
}

std::optional<Window> ParseDaily(std::string_view text) {
  return ParseWindow(text, 5, kMinutesADay, TimeOfDay);
}
std::optional<Window> ParseWeekly(std::string_view text) {
  return ParseWindow(text, 9, kMinutesAWeek, TimeOfWeek);
}

}  // namespace

Outcome<std::string> ValidIdentifier(std::string_view parameter, std::string_view value) {
  const auto refuse = [&] {
    return Refuse(InvalidParameterValue(fmt::format(
        "The parameter {} is not a valid identifier. Identifiers must begin with a letter; must "
        "contain only ASCII letters, digits, and hyphens; and must not end with a hyphen or "
        "contain two consecutive hyphens.",
        parameter)));
  };
  if (value.empty() || value.size() > 63 || !IsLetter(value.front()) || value.back() == '-') {
    return refuse();
  }
  const bool legal =
      std::ranges::all_of(value, [](char c) { return IsLetter(c) || IsDigit(c) || c == '-'; });
  if (!legal || value.find("--") != std::string_view::npos) return refuse();
  return Lower(value);
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
      !value.empty() && value.size() <= 63 && IsLetter(value.front()) &&
      std::ranges::all_of(value, [](char c) { return IsLetter(c) || IsDigit(c) || c == '_'; });
  if (!legal) {
    return Refuse(InvalidParameterValue(
        "The parameter MasterUsername must be 1 to 63 letters, digits or underscores and begin "
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

Outcome<void> ValidPort(std::int64_t port) {
  if (port >= 1150 && port <= 65535) return {};
  return Refuse(InvalidParameterValue(
      fmt::format("Invalid database port: {}. It must be between 1150 and 65535.", port)));
}

Outcome<void> ValidStorage(std::string_view storage_type, std::int64_t gib) {
  constexpr std::int64_t kLeast = 20;
  constexpr std::int64_t kMost = 65536;
  if (gib >= kLeast && gib <= kMost) return {};
  return Refuse(InvalidParameterValue(
      fmt::format("Invalid storage size for engine name postgres and storage type {}: {}. It must "
                  "be between {} and {} GiB.",
                  storage_type, gib, kLeast, kMost)));
}

Outcome<void> ValidBackupWindow(std::string_view value) {
  const std::optional<Window> window = ParseDaily(value);
  if (window && window->length >= kShortestWindow) return {};
  return Refuse(InvalidParameterValue(fmt::format(
      "The parameter PreferredBackupWindow is not valid: {}. It must be hh24:mi-hh24:mi in UTC and "
      "at least 30 minutes long.",
      value)));
}

Outcome<std::string> ValidMaintenanceWindow(std::string_view value) {
  const std::string lower = Lower(value);
  const std::optional<Window> window = ParseWeekly(lower);
  if (window && window->length >= kShortestWindow && window->length < kMinutesADay) return lower;
  return Refuse(InvalidParameterValue(
      fmt::format("The parameter PreferredMaintenanceWindow is not valid: {}. It must be "
                  "ddd:hh24:mi-ddd:hh24:mi in UTC, at least 30 minutes and less than 24 hours.",
                  value)));
}

Outcome<void> ValidWindows(std::string_view backup, std::string_view maintenance) {
  const std::optional<Window> daily = ParseDaily(backup);
  const std::optional<Window> weekly = ParseWeekly(maintenance);
  if (!daily || !weekly) return {};
  // How far into one window the other begins, on the circle of a day.
  const int maintenance_begin = weekly->begin % kMinutesADay;
  const int after = (maintenance_begin - daily->begin + kMinutesADay) % kMinutesADay;
  const int before = (daily->begin - maintenance_begin + kMinutesADay) % kMinutesADay;
  if (after >= daily->length && before >= weekly->length) return {};
  return Refuse(
      InvalidParameterValue("The backup window and maintenance window must not overlap."));
}

}  // namespace howdah::services::rds
