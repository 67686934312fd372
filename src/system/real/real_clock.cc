// See real_clock.h.
#include "system/real/real_clock.h"

#include <time.h>

#include <cerrno>

#include "base/check.h"

namespace howdah::system {

namespace {

Duration Read(clockid_t id) {
  timespec now{};
  Check(clock_gettime(id, &now) == 0, "the kernel has this clock");
  return std::chrono::duration_cast<Duration>(std::chrono::seconds(now.tv_sec) +
                                              std::chrono::nanoseconds(now.tv_nsec));
}

}  // namespace

WallTime RealClock::Now() const {
  return WallTime(Read(CLOCK_REALTIME));
}

MonotonicTime RealClock::Monotonic() const {
  return MonotonicTime(Read(CLOCK_BOOTTIME));
}

}  // namespace howdah::system
