// The windows of an instance: the weekly one in which what waits may be carried out, and the daily
// one of backups. Pure; all times are UTC.
#pragma once

#include <optional>
#include <string_view>

#include "base/time.h"

namespace howdah::fleet {

inline constexpr int kMinutesADay = 24 * 60;
inline constexpr int kMinutesAWeek = 7 * kMinutesADay;

struct Window {
  int begin = 0;   // minutes from the start of the day, or from Monday 00:00
  int length = 0;  // minutes
};

// "hh24:mi-hh24:mi"; nullopt: it is none.
std::optional<Window> ParseDailyWindow(std::string_view text);
// "ddd:hh24:mi-ddd:hh24:mi", in lower case.
std::optional<Window> ParseWeeklyWindow(std::string_view text);

// Whether the weekly window is open. One that cannot be read never is.
bool IsInWeeklyWindow(std::string_view window, WallTime now);

// Whether the two can be open at the same moment.
bool Overlap(const Window& daily, const Window& weekly);

}  // namespace howdah::fleet
