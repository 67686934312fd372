#include "base/time.h"

#include <fmt/format.h>

#include <cstdint>

namespace howdah {

namespace {

using std::chrono::days;
using std::chrono::floor;
using std::chrono::hh_mm_ss;
using std::chrono::milliseconds;
using std::chrono::year_month_day;

// Reads exactly `count` digits at the front of `text`, or fails with -1.
int TakeDigits(std::string_view& text, std::size_t count) {
  if (text.size() < count) return -1;
  int value = 0;
  for (std::size_t i = 0; i < count; ++i) {
    if (text[i] < '0' || text[i] > '9') return -1;
    value = value * 10 + (text[i] - '0');
  }
  text.remove_prefix(count);
  return value;
}

bool TakeOptional(std::string_view& text, char c) {
  if (text.empty() || text.front() != c) return false;
  text.remove_prefix(1);
  return true;
}

// The fraction after the dot, in microseconds; digits past the sixth are dropped.
Duration TakeFraction(std::string_view& text) {
  std::int64_t micros = 0;
  std::int64_t unit = 100'000;
  while (!text.empty() && text.front() >= '0' && text.front() <= '9') {
    micros += (text.front() - '0') * unit;
    unit /= 10;
    text.remove_prefix(1);
  }
  return Duration(micros);
}

// The zone after the time: nothing or Z is UTC. False where it is malformed.
bool TakeZone(std::string_view& text, std::chrono::minutes& offset) {
  offset = std::chrono::minutes(0);
  if (text.empty() || TakeOptional(text, 'Z')) return text.empty();
  const bool west = text.front() == '-';
  if (!west && text.front() != '+') return false;
  text.remove_prefix(1);
  const int hours = TakeDigits(text, 2);
  TakeOptional(text, ':');
  const int minutes = TakeDigits(text, 2);
  if (hours < 0 || hours > 23 || minutes < 0 || minutes > 59 || !text.empty()) return false;
  offset = std::chrono::minutes((hours * 60 + minutes) * (west ? -1 : 1));
  return true;
}

}  // namespace

std::string FormatIso8601(WallTime time) {
  const auto day = floor<days>(time);
  const year_month_day date(day);
  const hh_mm_ss clock(floor<milliseconds>(time - day));
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z", static_cast<int>(date.year()),
                     static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                     clock.hours().count(), clock.minutes().count(), clock.seconds().count(),
                     clock.subseconds().count());
}

std::string FormatBasicIso8601(WallTime time) {
  const auto day = floor<days>(time);
  const year_month_day date(day);
  const hh_mm_ss clock(floor<std::chrono::seconds>(time - day));
  return fmt::format("{:04}{:02}{:02}T{:02}{:02}{:02}Z", static_cast<int>(date.year()),
                     static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                     clock.hours().count(), clock.minutes().count(), clock.seconds().count());
}

Result<WallTime> ParseIso8601(std::string_view text) {
  const std::string_view whole = text;
  const auto malformed = [&] {
    return Fail(Code::kInvalid, fmt::format("'{}' is not an ISO 8601 time", whole));
  };
  const int year = TakeDigits(text, 4);
  TakeOptional(text, '-');
  const int month = TakeDigits(text, 2);
  TakeOptional(text, '-');
  const int day = TakeDigits(text, 2);
  if (year < 0 || month < 0 || day < 0) return malformed();
  const year_month_day date{std::chrono::year(year),
                            std::chrono::month(static_cast<unsigned>(month)),
                            std::chrono::day(static_cast<unsigned>(day))};
  if (!date.ok()) return malformed();
  if (text.empty()) return WallTime(std::chrono::sys_days(date));
  if (!TakeOptional(text, 'T') && !TakeOptional(text, ' ')) return malformed();
  const int hours = TakeDigits(text, 2);
  TakeOptional(text, ':');
  const int minutes = TakeDigits(text, 2);
  if (hours < 0 || hours > 23 || minutes < 0 || minutes > 59) return malformed();
  int seconds = 0;
  if (!text.empty() && (text.front() == ':' || (text.front() >= '0' && text.front() <= '9'))) {
    TakeOptional(text, ':');
    seconds = TakeDigits(text, 2);
    if (seconds < 0 || seconds > 60) return malformed();
  }
  const Duration fraction = TakeOptional(text, '.') ? TakeFraction(text) : Duration(0);
  std::chrono::minutes offset{0};
  if (!TakeZone(text, offset)) return malformed();
  return WallTime(std::chrono::sys_days(date)) + std::chrono::hours(hours) +
         std::chrono::minutes(minutes) + std::chrono::seconds(seconds) + fraction - offset;
}

std::string FormatDuration(Duration duration) {
  const double seconds = static_cast<double>(duration.count()) / 1e6;
  if (seconds < 1) return fmt::format("{} ms", duration.count() / 1000);
  if (seconds < 60) return fmt::format("{:.1f} s", seconds);
  const auto whole = static_cast<std::int64_t>(seconds);
  if (whole < 3600) return fmt::format("{} min {} s", whole / 60, whole % 60);
  return fmt::format("{} h {} min", whole / 3600, whole % 3600 / 60);
}

}  // namespace howdah
