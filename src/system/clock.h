// The seam to time. Passed to what needs it; a test moves a fake by hand.
#pragma once

#include "base/time.h"

namespace howdah::system {

class Clock {
 public:
  virtual ~Clock() = default;
  virtual WallTime Now() const = 0;             // for people and records
  virtual MonotonicTime Monotonic() const = 0;  // for deadlines; goes on through suspend
};

}  // namespace howdah::system
