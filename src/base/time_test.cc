#include "base/time.h"

#include <gtest/gtest.h>

namespace howdah {
namespace {

TEST(Time, Iso8601RoundTrips) {
  const WallTime time = FromMicros(1'795'427'160'123'000);
  EXPECT_EQ(*ParseIso8601(FormatIso8601(time)), time);
}

TEST(Time, ReadsTheFormsThatClientsSend) {
  const WallTime expected = *ParseIso8601("2026-01-01T12:30:45Z");
  EXPECT_EQ(*ParseIso8601("2026-01-01T12:30:45.000Z"), expected);
  EXPECT_EQ(*ParseIso8601("20260101T123045Z"), expected);
  EXPECT_EQ(*ParseIso8601("2026-01-01T14:30:45+02:00"), expected);
  EXPECT_EQ(FormatBasicIso8601(expected), "20260101T123045Z");
}

TEST(Time, RefusesWhatIsNoTime) {
  for (const char* text : {"", "now", "2026-13-01T00:00:00Z", "2026-02-30T00:00:00Z",
                           "2026-01-01T25:00:00Z", "2026-01-01T00:00:00Zx"}) {
    EXPECT_FALSE(ParseIso8601(text)) << text;
  }
}

TEST(Time, DurationsForPeople) {
  EXPECT_EQ(FormatDuration(340ms), "340 ms");
  EXPECT_EQ(FormatDuration(1200ms), "1.2 s");
  EXPECT_EQ(FormatDuration(200s), "3 min 20 s");
}

}  // namespace
}  // namespace howdah
