#include "fleet/window.h"

#include <algorithm>
#include <array>

namespace howdah::fleet {

namespace {

bool IsDigit(char c) {
  return c >= '0' && c <= '9';
}

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
  const auto* const day = std::ranges::find(kDays, text.substr(0, 3));
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

}  // namespace

std::optional<Window> ParseDailyWindow(std::string_view text) {
  return ParseWindow(text, 5, kMinutesADay, TimeOfDay);
}

std::optional<Window> ParseWeeklyWindow(std::string_view text) {
  return ParseWindow(text, 9, kMinutesAWeek, TimeOfWeek);
}

bool IsInWeeklyWindow(std::string_view text, WallTime now) {
  const std::optional<Window> window = ParseWeeklyWindow(text);
  if (!window) return false;
  const auto day = std::chrono::floor<std::chrono::days>(now);
  const int weekday = static_cast<int>(std::chrono::weekday(day).iso_encoding()) - 1;
  const auto minute = std::chrono::floor<std::chrono::minutes>(now - day).count();
  const int since_monday = weekday * kMinutesADay + static_cast<int>(minute);
  return (since_monday - window->begin + kMinutesAWeek) % kMinutesAWeek < window->length;
}

// How far into one window the other begins, on the circle of a day.
bool Overlap(const Window& daily, const Window& weekly) {
  const int weekly_begin = weekly.begin % kMinutesADay;
  const int after = (weekly_begin - daily.begin + kMinutesADay) % kMinutesADay;
  const int before = (daily.begin - weekly_begin + kMinutesADay) % kMinutesADay;
  return after < daily.length || before < weekly.length;
}

}  // namespace howdah::fleet
