// The machine's clocks: CLOCK_REALTIME for people, CLOCK_BOOTTIME for deadlines.
#pragma once

#include "system/clock.h"

namespace howdah::system {

class RealClock final : public Clock {
 public:
  WallTime Now() const override;
  MonotonicTime Monotonic() const override;
};

}  // namespace howdah::system
