#include "fleet/window.h"

#include <gtest/gtest.h>

namespace howdah::fleet {
namespace {

using namespace std::chrono;

// 2026-11-23 is a Monday.
WallTime Monday(int hour, int minute) {
  return sys_days(year(2026) / November / 23) + hours(hour) + minutes(minute);
}

TEST(WindowTest, AWeeklyWindowIsOpenFromItsFirstMinuteToItsLast) {
  const std::string_view window = "mon:10:00-mon:10:30";
  EXPECT_FALSE(IsInWeeklyWindow(window, Monday(9, 59)));
  EXPECT_TRUE(IsInWeeklyWindow(window, Monday(10, 0)));
  EXPECT_TRUE(IsInWeeklyWindow(window, Monday(10, 29) + 59s));
  EXPECT_FALSE(IsInWeeklyWindow(window, Monday(10, 30)));
  EXPECT_FALSE(IsInWeeklyWindow(window, Monday(10, 10) + days(1)));
  EXPECT_TRUE(IsInWeeklyWindow(window, Monday(10, 10) + days(7)));
}

TEST(WindowTest, AWeeklyWindowMayCrossTheEndOfTheWeek) {
  const std::string_view window = "sun:23:45-mon:00:15";
  EXPECT_TRUE(IsInWeeklyWindow(window, Monday(0, 14)));
  EXPECT_TRUE(IsInWeeklyWindow(window, Monday(23, 50) + days(6)));
  EXPECT_FALSE(IsInWeeklyWindow(window, Monday(0, 15)));
}

TEST(WindowTest, WhatIsNoWindowIsNeverOpen) {
  for (const char* text : {"", "mon:10:00", "xxx:10:00-mon:11:00", "mon:24:00-mon:25:00"}) {
    EXPECT_FALSE(IsInWeeklyWindow(text, Monday(10, 0))) << text;
  }
}

TEST(WindowTest, WindowsOverlapWhereTheyShareAMinute) {
  const auto overlap = [](std::string_view daily, std::string_view weekly) {
    return Overlap(*ParseDailyWindow(daily), *ParseWeeklyWindow(weekly));
  };
  EXPECT_FALSE(overlap("10:00-11:00", "mon:11:00-mon:12:00"));
  EXPECT_TRUE(overlap("10:00-11:00", "mon:10:59-mon:12:00"));
  EXPECT_TRUE(overlap("23:30-00:30", "mon:00:00-mon:00:30"));
  EXPECT_TRUE(overlap("10:30-11:00", "mon:10:00-mon:12:00"));
}

}  // namespace
}  // namespace howdah::fleet
