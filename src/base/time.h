// Time points and durations. Wall time is for people and records; decisions about waiting use
// monotonic time. Nothing here reads a clock: that is system/clock.h.
#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "base/result.h"

namespace howdah {

using namespace std::chrono_literals;

using Duration = std::chrono::microseconds;
using WallTime = std::chrono::time_point<std::chrono::system_clock, Duration>;
// Counted from an unknown start, never set back (CLOCK_BOOTTIME: it goes on through suspend).
struct MonotonicClockTag {
  using duration = Duration;
  using rep = duration::rep;
  using period = duration::period;
  using time_point = std::chrono::time_point<MonotonicClockTag, Duration>;
  static constexpr bool is_steady = true;
};
using MonotonicTime = MonotonicClockTag::time_point;

// "2026-11-23T09:46:00.123Z", always UTC with milliseconds, as AWS writes it.
std::string FormatIso8601(WallTime time);
// "20261123T094600Z": SigV4's form.
std::string FormatBasicIso8601(WallTime time);
// Reads "2026-11-23T09:46:00Z", with or without a fraction, with Z or ±hh:mm, and the basic form.
Result<WallTime> ParseIso8601(std::string_view text);

// Microseconds since 1970 and back: the form in which documents hold a time.
inline std::int64_t ToMicros(WallTime time) {
  return time.time_since_epoch().count();
}
inline WallTime FromMicros(std::int64_t micros) {
  return WallTime(Duration(micros));
}

// "1.2 s", "340 ms", "3 min 20 s": for people.
std::string FormatDuration(Duration duration);

}  // namespace howdah
