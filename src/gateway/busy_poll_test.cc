// When a relay looks for the next message, and when it sleeps at once.
#include "gateway/busy_poll.h"

#include <gtest/gtest.h>

namespace howdah::gateway {
namespace {

using std::chrono::microseconds;

constexpr microseconds kQuick{20};
constexpr microseconds kSlow{5000};

class BusyPollTest : public testing::Test {
 protected:
  void Waits(int times, microseconds waited, std::optional<std::uint64_t> session = 1) {
    for (int i = 0; i < times; ++i) poll_.Note(waited, session);
  }
  bool looks() const { return poll_.Window() > microseconds{0}; }

  BusyPoll poll_;
};

TEST_F(BusyPollTest, AFreshRelaySleepsAtOnce) {
  EXPECT_FALSE(looks());
}

TEST_F(BusyPollTest, LooksOnceOneSessionHasBeenQuickForAWhile) {
  Waits(8, kQuick);
  EXPECT_FALSE(looks());
  Waits(1, kQuick);
  EXPECT_EQ(poll_.Window(), BusyPoll::kWindow);
}

TEST_F(BusyPollTest, SlowMessagesEndTheLookingAfterTwo) {
  Waits(100, kQuick);
  Waits(2, kSlow);
  EXPECT_FALSE(looks());
}

TEST_F(BusyPollTest, OnePauseAmongQuickMessagesDoesNotEndIt) {
  Waits(100, kQuick);
  Waits(1, kSlow);
  EXPECT_TRUE(looks());
}

TEST_F(BusyPollTest, SessionsThatTakeTurnsAreNotLookedFor) {
  for (int i = 0; i < 100; ++i) Waits(1, kQuick, i / 4 % 2);
  EXPECT_FALSE(looks());
}

TEST_F(BusyPollTest, AMessageOfNoSessionEndsTheLookingUntilOneIsAloneAgain) {
  Waits(100, kQuick);
  Waits(1, kQuick, std::nullopt);
  EXPECT_FALSE(looks());
  Waits(9, kQuick);
  EXPECT_TRUE(looks());
}

}  // namespace
}  // namespace howdah::gateway
