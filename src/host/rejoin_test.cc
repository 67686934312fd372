// Protects: which way a former primary comes back.
#include "host/rejoin.h"

#include <gtest/gtest.h>

namespace howdah::host {
namespace {

using postgres::Lsn;
using postgres::Timeline;

RejoinFacts Facts(std::uint64_t wal_end) {
  return {.interrupted = false,
          .system_identifier = 7,
          .timeline = Timeline{1},
          .wal_end = Lsn(wal_end),
          .primary = {.system_identifier = 7,
                      .timeline = Timeline{2},
                      .flushed = Lsn(900),
                      .ancestors = {{.timeline = Timeline{1}, .end = Lsn(500)}}},
          .has_rewind = false};
}

TEST(PlanRejoin, WalThatEndsAtOrBeforeTheForkNeedsNothing) {
  for (const std::uint64_t end : {499U, 500U}) {
    const RejoinPlan plan = PlanRejoin(Facts(end));
    EXPECT_EQ(plan.way, RejoinWay::kAsItWas);
    EXPECT_EQ(plan.beyond, 0U);
  }
}

TEST(PlanRejoin, WalBeyondTheForkMustGo) {
  RejoinFacts facts = Facts(508);
  EXPECT_EQ(PlanRejoin(facts).way, RejoinWay::kDeltaCopy);
  EXPECT_EQ(PlanRejoin(facts).fork, Lsn(500));
  EXPECT_EQ(PlanRejoin(facts).beyond, 8U);
  facts.has_rewind = true;
  EXPECT_EQ(PlanRejoin(facts).way, RejoinWay::kRewind);
}

TEST(PlanRejoin, AnUnknownEndIsTakenForOneBeyond) {
  RejoinFacts facts = Facts(0);
  EXPECT_EQ(PlanRejoin(facts).way, RejoinWay::kDeltaCopy);
  EXPECT_EQ(PlanRejoin(facts).beyond, 0U);
}

TEST(PlanRejoin, AnInterruptedOneIsMendedByADeltaCopyOnly) {
  RejoinFacts facts = Facts(400);
  facts.interrupted = facts.has_rewind = true;
  EXPECT_EQ(PlanRejoin(facts).way, RejoinWay::kDeltaCopy);
}

TEST(PlanRejoin, APrimaryOnTheSameTimelineHasNotBeenPromotedYet) {
  RejoinFacts facts = Facts(400);
  facts.primary.timeline = Timeline{1};
  facts.primary.ancestors.clear();
  EXPECT_EQ(PlanRejoin(facts).way, RejoinWay::kWait);
  facts.primary_serves = true;
  facts.has_rewind = true;
  EXPECT_EQ(PlanRejoin(facts).way, RejoinWay::kDeltaCopy) << "promoted elsewhere, by that number";
}

TEST(PlanRejoin, ATimelineThatThePrimaryWasNeverOnIsNoCommonGround) {
  RejoinFacts facts = Facts(400);
  facts.timeline = Timeline{3};
  facts.has_rewind = true;
  EXPECT_EQ(PlanRejoin(facts).way, RejoinWay::kDeltaCopy);
}

TEST(PlanRejoin, AnotherSystemsDirectoryIsNotWrittenOver) {
  RejoinFacts facts = Facts(508);
  facts.primary.system_identifier = 8;
  EXPECT_EQ(PlanRejoin(facts).way, RejoinWay::kRefuse);
}

}  // namespace
}  // namespace howdah::host
