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
  sight.primary = {.epoch = record.epoch,
                   .seeded = true,
                   .up = true,
                   .checkpoint = record.checkpoint,
                   .effective_token = WantedOf(record).primary_waits_for,
                   .streaming_token = record.token,
                   .proven_token = WantedOf(record).primary_waits_for};
  sight.standby = {.epoch = record.epoch, .seeded = true, .up = true, .in_recovery = true};
  sight.fresh_nonce = "fresh";
  return sight;
}

Record Walk(Record record, int passes) {
  for (int i = 0; i < passes; ++i) record = Step({}, record, Healthy(record)).record;
  return record;
}

Sight Silent(const Record& record, Duration since) {
  Sight sight = Healthy(record);
  sight.standby.up = false;
  sight.primary.streaming_token.clear();
  sight.silent_since = sight.now - since;
  return sight;
}

Record Next(const Record& record, const Sight& sight) {
  return Step({}, record, sight).record;
}

Record Protected() {
  return Walk(Seeding(), 4);
}

// The primary's server has ended.
Sight Down(const Record& record) {
  Sight sight = Healthy(record);
  sight.primary.up = false;
  sight.primary.down = true;
  sight.primary.evidence = "signal 9";
  return sight;
}

// The agents have obeyed the failover.
Sight Obeyed(const Record& record) {
  Sight sight;
  sight.now = MonotonicTime(Duration(100s));
  sight.primary = {.epoch = record.epoch,
                   .seeded = true,
                   .up = true,
                   .in_recovery = true,
                   .recruited = true,
                   .received_lsn = 1000};
  sight.standby = {.epoch = record.epoch, .seeded = true, .fenced = true};
  sight.route_epoch = record.epoch;
  sight.fresh_nonce = "more";
  return sight;
}

TEST(Step, AHealthyStandbyBecomesProtected) {
  const Record record = Protected();
  EXPECT_EQ(record.phase, Phase::kProtected);
  EXPECT_TRUE(record.protected_);
  EXPECT_EQ(WantedOf(record).primary_waits_for, record.token);
}

TEST(Step, ThePrimaryWaitsForNobodyUntilTheStandbyStreams) {
  const Record record = Next(Seeding(), Healthy(Seeding()));
  ASSERT_EQ(record.phase, Phase::kCatchup);
  Sight sight = Healthy(record);
  sight.primary.streaming_token.clear();
  EXPECT_EQ(WantedOf(Next(record, sight)).primary_waits_for, "");
}

TEST(Step, NobodyIsProtectedWithoutAConfirmedProbe) {
  Record record = Walk(Seeding(), 2);
  ASSERT_TRUE(record.armed);
  Sight sight = Healthy(record);
  sight.primary.proven_token.clear();
  EXPECT_EQ(Next(record, sight), record);
}

TEST(Step, ASilentStandbyDegradesAfterTheBudgetAndNotBefore) {
  const Policy policy;
  const Record record = Protected();
  EXPECT_EQ(Next(record, Silent(record, policy.degrade_budget - 1ms)), record);
  const Record degraded = Next(record, Silent(record, policy.degrade_budget));
  EXPECT_EQ(degraded.phase, Phase::kDegraded);
  EXPECT_FALSE(degraded.protected_);
  EXPECT_EQ(WantedOf(degraded).primary_waits_for, "");
}

TEST(Step, ASilentStandbyIsKeptWhileThePrimaryIsNotThereBecauseItMayBeTheOnlyCopy) {
  const Record record = Protected();
  Sight sight = Silent(record, 1h);
  sight.primary.up = false;
  EXPECT_EQ(Next(record, sight), record);
}

TEST(Step, AReturningStandbyGetsANewIdentity) {
  const Record record = Protected();
  const Record degraded = Next(record, Silent(record, 2s));
  const Record back = Next(degraded, Healthy(degraded));
  EXPECT_EQ(back.phase, Phase::kCatchup);
  EXPECT_NE(back.token, record.token);
  EXPECT_EQ(Walk(back, 3).phase, Phase::kProtected);
}

TEST(Failover, ADeadPrimaryIsFencedAndItsStandbyRecruitedUnderTheNextEpoch) {
  const Record before = Protected();
  const Decision decision = Step({}, before, Down(before));
  const Record& record = decision.record;
  EXPECT_EQ(record.phase, Phase::kFailover);
  EXPECT_EQ(record.epoch, before.epoch + 1);
  EXPECT_EQ(record.primary, before.standby);
  EXPECT_EQ(record.standby, before.primary);
  EXPECT_NE(record.token, before.token);
  EXPECT_FALSE(record.protected_);
  EXPECT_EQ(record.cause, Cause::kPrimaryDown);
  EXPECT_EQ(decision.reason, "signal 9");
  EXPECT_EQ(WantedOf(record).primary, Task::kRecruit);
  EXPECT_EQ(WantedOf(record).standby, Task::kFence);
  EXPECT_EQ(WantedOf(record).primary_waits_for, "");
}

TEST(Failover, NobodyIsPromotedBeforeFenceRecruitAndGatewayHaveAllObeyed) {
  const Record record = Next(Protected(), Down(Protected()));
  const auto without = [&](auto&& take) {
    Sight sight = Obeyed(record);
    take(sight);
    return Next(record, sight).phase;
  };
  EXPECT_EQ(without([](Sight&) {}), Phase::kPromoting);
  EXPECT_EQ(without([](Sight& sight) { sight.standby.fenced = false; }), Phase::kFailover);
  EXPECT_EQ(without([](Sight& sight) { --sight.standby.epoch; }), Phase::kFailover);
  EXPECT_EQ(without([](Sight& sight) { sight.primary.recruited = false; }), Phase::kFailover);
  EXPECT_EQ(without([](Sight& sight) { --sight.primary.epoch; }), Phase::kFailover);
  EXPECT_EQ(without([](Sight& sight) { --*sight.route_epoch; }), Phase::kFailover);
  EXPECT_EQ(without([](Sight& sight) { sight.route_epoch.reset(); }), Phase::kPromoting);
}

TEST(Failover, TheNewPrimaryServesAloneUntilTheFormerOneStreamsAndIsProved) {
  Record record = Next(Protected(), Down(Protected()));
  record = Next(record, Obeyed(record));
  ASSERT_EQ(record.phase, Phase::kPromoting);
  EXPECT_EQ(WantedOf(record).primary, Task::kServe);
  EXPECT_EQ(WantedOf(record).standby, Task::kFence);
  Sight sight = Obeyed(record);
  EXPECT_EQ(Next(record, sight), record);  // still in recovery
  sight.primary.in_recovery = false;
  record = Next(record, sight);
  EXPECT_EQ(record.phase, Phase::kRejoin);
  EXPECT_EQ(WantedOf(record).standby, Task::kFollow);
  EXPECT_EQ(WantedOf(record).primary_waits_for, "");
  record = Walk(record, 3);
  EXPECT_EQ(record.phase, Phase::kProtected);
  EXPECT_EQ(record.epoch, 2);
}

TEST(Failover, APrimaryThatDoesNotAnswerIsGivenUpAfterTheLimitAndNotBefore) {
  const Policy policy;
  const Record record = Protected();
  Sight sight = Healthy(record);
  sight.primary.unresponsive_since = sight.now - policy.detect + 1ms;
  EXPECT_EQ(Next(record, sight), record);
  sight.primary.unresponsive_since = sight.now - policy.detect;
  EXPECT_EQ(Next(record, sight).cause, Cause::kPrimaryUnresponsive);
  sight.standby.up = false;
  EXPECT_EQ(Next(record, sight), record);
}

TEST(Failover, WithoutAStandbyThatAnswersThePrimaryIsToldOnceToStartAgain) {
  const Record record = Protected();
  Sight sight = Down(record);
  sight.standby.up = false;
  const Record revived = Next(record, sight);
  EXPECT_EQ(revived.phase, Phase::kProtected);
  EXPECT_EQ(revived.revive, 1);
  EXPECT_EQ(Next(revived, sight), revived);
  sight.primary.revive = 1;  // it did, and ended again
  EXPECT_EQ(Next(revived, sight).revive, 2);
}

TEST(Failover, AfterTooManyThePrimaryStartsAgainWhereItIs) {
  const Policy policy;
  Record record = Protected();
  const Sight sight = Down(record);
  for (int i = 1; i <= 3; ++i) record.failovers.push_back(sight.now - i * 1min);
  EXPECT_EQ(Next(record, sight).revive, 1);
  EXPECT_EQ(Next(record, sight).phase, Phase::kProtected);
  record.failovers.front() = sight.now - policy.window;
  EXPECT_EQ(Next(record, sight).phase, Phase::kFailover);
  record.failovers.front() = sight.now + 1h;  // of before the machine started
  EXPECT_EQ(Next(record, sight).phase, Phase::kFailover);
}

TEST(Failover, OneThatDoesNotAnswerIsNotFailedOverFromSoonAfterAFailover) {
  const Policy policy;
  Record record = Protected();
  Sight sight = Healthy(record);
  sight.primary.unresponsive_since = sight.now - 10s;
  record.failovers = {sight.now - policy.hold_down + 1s};
  EXPECT_EQ(Next(record, sight), record);
  record.failovers = {sight.now - policy.hold_down};
  EXPECT_EQ(Next(record, sight).phase, Phase::kFailover);
}

TEST(Failover, ADegradedInstanceWithADeadPrimaryPromotesNobody) {
  const Record record = Next(Protected(), Silent(Protected(), 2s));
  Sight sight = Down(record);
  EXPECT_EQ(Next(record, sight), record);
  sight.primary.down = false;
  sight.primary.failed = true;
  const Record halted = Next(record, sight);
  EXPECT_EQ(halted.phase, Phase::kHalted);
  EXPECT_EQ(halted.epoch, record.epoch);
  EXPECT_EQ(Next(halted, Healthy(halted)).phase, Phase::kDegraded);
}

TEST(Failover, ARecruitThatCannotStartGivesTheRoleBackBeforeAnythingWasPromoted) {
  const Record record = Next(Protected(), Down(Protected()));
  Sight sight = Obeyed(record);
  sight.primary.failed = true;
  const Record back = Next(record, sight);
  EXPECT_EQ(back.phase, Phase::kDegraded);
  EXPECT_EQ(back.epoch, record.epoch + 1);
  EXPECT_EQ(back.primary, Protected().primary);
  sight.standby.fenced = false;
  EXPECT_EQ(Next(record, sight), record);
}

TEST(Failover, ARecruitThatIsFrozenGivesTheRoleBackAfterTheLimitAndNotBefore) {
  const Policy policy;
  const Record record = Next(Protected(), Down(Protected()));
  Sight sight = Obeyed(record);
  sight.primary.recruited = false;
  sight.phase_since = sight.now - policy.recruit_limit + 1ms;
  EXPECT_EQ(Next(record, sight), record);
  sight.phase_since = sight.now - policy.recruit_limit;
  EXPECT_EQ(Next(record, sight).phase, Phase::kDegraded);
  EXPECT_EQ(Next(record, sight).primary, Protected().primary);
  sight.standby.fenced = false;
  EXPECT_EQ(Next(record, sight), record);
}

TEST(Failover, AlsoOneWithLossIsTurnedBackWhenTheStandbyCannotBeRecruited) {
  Record record = Next(Protected(), Silent(Protected(), 2s));
  record = *AcceptDataLoss(record, "x");
  Sight sight = Obeyed(record);
  sight.primary.recruited = false;
  sight.primary.failed = true;
  EXPECT_EQ(Next(record, sight).phase, Phase::kDegraded);
}

TEST(Switchover, PreparesHoldsStopsAndPromotesWhatHasTheShutdownCheckpoint) {
  Record record = *Switchover(Protected());
  EXPECT_EQ(record.phase, Phase::kPrepare);
  Sight sight = Healthy(record);
  --sight.primary.checkpoint;
  EXPECT_EQ(Next(record, sight), record);
  record = Next(record, Healthy(record));
  ASSERT_EQ(record.phase, Phase::kSwitch);
  EXPECT_EQ(WantedOf(record).primary, Task::kStop);
  EXPECT_EQ(WantedOf(record).primary_waits_for, record.token);
  EXPECT_TRUE(record.protected_);
  sight = Healthy(record);
  EXPECT_EQ(Next(record, sight), record);  // it has not stopped yet
  sight.primary.up = false;
  sight.primary.stopped = true;
  sight.primary.shutdown_lsn = 1000;
  record = Next(record, sight);
  ASSERT_EQ(record.phase, Phase::kFailover);
  EXPECT_EQ(record.cause, Cause::kSwitchover);
  EXPECT_TRUE(record.failovers.empty());
  EXPECT_EQ(Next(record, Obeyed(record)).phase, Phase::kPromoting);
  sight = Obeyed(record);
  sight.primary.received_lsn = 999;
  EXPECT_EQ(Next(record, sight).cause, Cause::kTurnedBack);
}

TEST(Switchover, IsGivenUpWhenTheStandbyIsLost) {
  const Record preparing = *Switchover(Protected());
  EXPECT_EQ(Next(preparing, Silent(preparing, 2s)).phase, Phase::kDegraded);
  const Record switching = Next(preparing, Healthy(preparing));
  Sight sight = Silent(switching, 2s);
  sight.primary.up = false;
  sight.primary.stopped = true;
  EXPECT_EQ(Next(switching, sight).phase, Phase::kProtected);
}

TEST(Switchover, IsRefusedUnlessTheStandbyMayBePromoted) {
  EXPECT_EQ(Switchover(Seeding()).error().code(), Code::kFailedState);
  EXPECT_EQ(AcceptDataLoss(Protected(), "x").error().code(), Code::kFailedState);
  EXPECT_EQ(RemoveStandby(*Switchover(Protected())).error().code(), Code::kFailedState);
}

TEST(Record, SurvivesItsDocument) {
  Record record = Next(Protected(), Down(Protected()));
  record.checkpoint = 2;
  record.shutdown_lsn = 3;
  EXPECT_EQ(*ParseRecord(FormatRecord(record)), record);
  EXPECT_FALSE(ParseRecord(R"({"phase":"UNHEARD"})"));
}

}  // namespace
}  // namespace howdah::ha
