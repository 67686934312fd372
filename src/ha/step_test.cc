#include "ha/step.h"

#include <gtest/gtest.h>

#include <set>
#include <vector>

namespace howdah::ha {
namespace {

Record Seeding() {
  Record single;
  single.primary = NodeId("n-a");
  return AddStandby(single, NodeId("n-b"), "one");
}

Sight Healthy(const Record& record) {
  Sight sight;
  sight.now = MonotonicTime(Duration(100s));
  sight.primary_up = true;
  sight.effective_token = WantedOf(record).primary_waits_for;
  sight.standby_seeded = sight.standby_up = true;
  sight.streaming_token = record.token;
  sight.probe_confirmed = true;
  sight.fresh_nonce = "fresh";
  return sight;
}

Record Walk(Record record, int passes) {
  for (int i = 0; i < passes; ++i) record = Step(record, Healthy(record));
  return record;
}

Sight Silent(const Record& record, Duration since) {
  Sight sight = Healthy(record);
  sight.standby_up = false;
  sight.streaming_token.clear();
  sight.probe_confirmed = false;
  sight.silent_since = sight.now - since;
  return sight;
}

TEST(Step, AHealthyStandbyBecomesProtected) {
  const Record record = Walk(Seeding(), 4);
  EXPECT_EQ(record.phase, Phase::kProtected);
  EXPECT_TRUE(record.protected_);
  EXPECT_EQ(WantedOf(record).primary_waits_for, record.token);
}

TEST(Step, ThePrimaryWaitsForNobodyUntilTheStandbyStreams) {
  const Record record = Step(Seeding(), Healthy(Seeding()));
  ASSERT_EQ(record.phase, Phase::kCatchup);
  Sight sight = Healthy(record);
  sight.streaming_token.clear();
  EXPECT_EQ(WantedOf(Step(record, sight)).primary_waits_for, "");
}

TEST(Step, NobodyIsProtectedWithoutAConfirmedProbe) {
  Record record = Walk(Seeding(), 2);
  ASSERT_TRUE(record.armed);
  Sight sight = Healthy(record);
  sight.probe_confirmed = false;
  EXPECT_EQ(Step(record, sight), record);
}

TEST(Step, ASilentStandbyDegradesAfterTheBudgetAndNotBefore) {
  const Record record = Walk(Seeding(), 4);
  EXPECT_EQ(Step(record, Silent(record, kDegradeBudget - 1ms)), record);
  const Record degraded = Step(record, Silent(record, kDegradeBudget));
  EXPECT_EQ(degraded.phase, Phase::kDegraded);
  EXPECT_FALSE(degraded.protected_);
  EXPECT_EQ(WantedOf(degraded).primary_waits_for, "");
}

TEST(Step, ADeadPrimaryDoesNotDegradeBecauseTheStandbyMayBeTheOnlyCopy) {
  const Record record = Walk(Seeding(), 4);
  Sight sight = Silent(record, 1h);
  sight.primary_up = false;
  EXPECT_EQ(Step(record, sight), record);
}

TEST(Step, AReturningStandbyGetsANewIdentity) {
  const Record record = Walk(Seeding(), 4);
  const Record degraded = Step(record, Silent(record, kDegradeBudget));
  const Record back = Step(degraded, Healthy(degraded));
  EXPECT_EQ(back.phase, Phase::kCatchup);
  EXPECT_NE(back.token, record.token);
  EXPECT_EQ(Walk(back, 3).phase, Phase::kProtected);
}

TEST(Record, SurvivesItsDocument) {
  const Record record = Walk(Seeding(), 4);
  EXPECT_EQ(*ParseRecord(FormatRecord(record)), record);
  EXPECT_FALSE(ParseRecord(R"({"phase":"UNHEARD"})"));
}

// Every record that can be reached, under every combination of what may be seen: the orders of
// ha.md (H5, H6, I3, I4) hold on each edge.
TEST(Step, OrderHoldsOnEveryReachableEdge) {
  std::vector<Record> open = {Seeding()};
  std::set<std::string> seen;
  const auto key = [](Record record) {
    record.seq = 0;
    return FormatRecord(record);
  };
  while (!open.empty()) {
    const Record record = open.back();
    open.pop_back();
    if (!seen.insert(key(record)).second) continue;
    for (int bits = 0; bits < 128; ++bits) {
      Sight sight = Healthy(record);
      sight.primary_up = bits & 1;
      sight.standby_seeded = bits & 2;
      sight.standby_up = bits & 4;
      sight.effective_token = (bits & 8) ? record.token : "";
      sight.streaming_token = (bits & 16) ? record.token : "";
      sight.probe_confirmed = bits & 32;
      if (bits & 64) sight.silent_since = sight.now - kDegradeBudget;
      const Record next = Step(record, sight);
      if (next == record) continue;
      // I4: the permission never goes together with an epoch change, and it is gone whenever the
      // primary is told to let go.
      if (WantedOf(next).primary_waits_for.empty()) EXPECT_FALSE(next.protected_);
      // H6: it comes only with a confirmed probe under the token that is in force.
      if (next.protected_ && !record.protected_) {
        EXPECT_TRUE(sight.probe_confirmed);
        EXPECT_EQ(sight.effective_token, next.token);
        EXPECT_EQ(sight.streaming_token, next.token);
      }
      EXPECT_EQ(next.epoch, record.epoch);
      open.push_back(next);
    }
  }
  EXPECT_GE(seen.size(), 5u);
}

}  // namespace
}  // namespace howdah::ha
