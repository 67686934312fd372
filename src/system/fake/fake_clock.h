// A clock that stands still until a test moves it. Wall time and monotonic time move together,
// except by JumpWallTime. Safe from any thread.
#pragma once

#include <atomic>

#include "system/clock.h"

namespace howdah::system {

class FakeClock final : public Clock {
 public:
  // Starts at 2026-11-23T09:00:00Z.
  FakeClock() = default;
  explicit FakeClock(WallTime start) : wall_micros_(ToMicros(start)) {}

  WallTime Now() const override { return FromMicros(wall_micros_); }
  MonotonicTime Monotonic() const override { return MonotonicTime(Duration(monotonic_micros_)); }

  void Advance(Duration by) {
    wall_micros_ += by.count();
    monotonic_micros_ += by.count();
  }
  // As when an operator or NTP sets the clock.
  void JumpWallTime(Duration by) { wall_micros_ += by.count(); }

 private:
  std::atomic<std::int64_t> wall_micros_ = 1'795'424'400'000'000;
  std::atomic<std::int64_t> monotonic_micros_ = 1'000'000'000;
};

}  // namespace howdah::system
