// A judge that overlooks what it is there for is worse than none: every invariant of the small
// world is shown one step that breaks it.
#include "ha/model_rules.h"

#include <gtest/gtest.h>

#include <set>

namespace howdah::ha::model {
namespace {

constexpr Byte kOne = 1U << 1;  // the set of commit 1

struct Step {
  const char* invariant;
  void (*make)(World& before, World& after);
};

// The standby becomes primary, by the record and by itself.
void Promote(World& before, World& after) {
  before.record.phase = Phase::kPromoting;
  before.record.protected_ = 0;
  before.record.primary = 1;
  before.node[0].server = Server::kNone;
  before.node[1].connects = before.node[1].streams = 0;
  after = before;
  after.node[1].server = Server::kPrimary;
}

constexpr Step kSteps[] = {
    {"I1",
     [](World& before, World& after) {
       before.ack_epoch = 2;
       after.ack_epoch = 1;
       after.acknowledged = kOne;
     }},
    {"I2",
     [](World& before, World& after) {
       before.acknowledged = kOne;
       Promote(before, after);
     }},
    {"I3", [](World&, World& after) { after.node[0].ssn = 77; }},
    {"I4", [](World&, World& after) { after.node[0].ssn = 0; }},
    {"I5", [](World&, World& after) { after.record.epoch += 2; }},
    {"I5", [](World&, World& after) { after.record.primary = 1; }},
    {"I6", [](World&, World& after) { after.node[1].promise = 0; }},
    {"I7", [](World&, World& after) { after.node[1].server = Server::kPrimary; }},
    {"I8",
     [](World& before, World& after) {
       before.record.protected_ = after.record.protected_ = 0;
       before.acknowledged = after.acknowledged = kOne;
       before.node[1].wal[before.node[1].length++] = 1;
     }},
    {"I8", [](World&, World& after) { after.node[1].torn = 1; }},
    {"I9",
     [](World&, World& after) {
       ++after.node[0].visible;
       after.node[1].connects = 77;
     }},
    {"I9, identities",
     [](World& before, World& after) {
       before.record.phase = Phase::kDegraded;
       after.record.phase = Phase::kCatchup;
     }},
    {"I10", [](World&, World& after) { after.acknowledged = after.cut = kOne; }},
    {"I11",
     [](World& before, World& after) {
       before.seen = kOne;
       Promote(before, after);
     }},
    {"I12", [](World& before, World&) { before.gateway_epoch = 5; }},
    {"I14",
     [](World&, World& after) {
       after.acknowledged = kOne;
       after.ack_epoch = 1;
       after.ack_unconfirmed = 1;
     }},
    {"I15", [](World&, World& after) { after.node[1].server = Server::kNone; }},
    {"I16, edges", [](World&, World& after) { after.record.phase = Phase::kHalted; }},
    {"I17",
     [](World& before, World& after) {
       Promote(before, after);
       before.node[1].connects = before.record.token;
     }},
    {"I18", [](World&, World& after) { after.node[1].torn = 1; }},
    {"I20",
     [](World& before, World& after) {
       before.record.phase = Phase::kDegraded;
       before.record.protected_ = 0;
       after.record.phase = Phase::kFailover;
       after.record.cause = Cause::kPrimaryDown;
     }},
    {"I22",
     [](World& before, World& after) {
       before.record.cause = Cause::kSwitchover;
       before.node[0].wal[before.node[0].length++] = kShutdown;
       before.node[0].shutdown_lsn = before.node[0].length;
       Promote(before, after);
     }},
};

std::set<std::string> BrokenBy(const World& before, const World& after) {
  std::set<std::string> broken;
  for (const Invariant& invariant : Invariants()) {
    if (!invariant.holds(before, after)) broken.insert(invariant.name);
  }
  return broken;
}

TEST(Judges, AStepThatChangesNothingBreaksNothing) {
  const World world = Begin(Phase::kProtected, {});
  EXPECT_EQ(BrokenBy(world, world), std::set<std::string>());
}

TEST(Judges, EachInvariantIsBrokenByAStepThatBreaksIt) {
  std::set<std::string> shown;
  for (const Step& step : kSteps) {
    World before = Begin(Phase::kProtected, {});
    World after = before;
    step.make(before, after);
    EXPECT_TRUE(BrokenBy(before, after).contains(step.invariant)) << step.invariant;
    shown.insert(step.invariant);
  }
  for (const Invariant& invariant : Invariants())
    EXPECT_TRUE(shown.contains(invariant.name)) << invariant.name;
}

TEST(Judges, FailoversThatFollowEachOtherTooSoonAreCounted) {
  World before = Begin(Phase::kProtected, {});
  before.unasked = 1;
  World after = before;
  after.unasked = 2;
  after.record.cause = Cause::kPrimaryUnresponsive;
  EXPECT_FALSE(I19FailoversAreLimited({}, before, after));
  after.record.cause = Cause::kPrimaryDown;
  EXPECT_TRUE(I19FailoversAreLimited({}, before, after));
  before.unasked = 3;
  after.unasked = 4;
  EXPECT_FALSE(I19FailoversAreLimited({}, before, after));
}

TEST(Judges, TheWalksEndWhereNothingMoves) {
  World world = Begin(Phase::kProtected, {});
  const Rules deaf{.mutant = Mutant::kBelievesInTheStream};
  EXPECT_TRUE(AcknowledgesAlone({}, world));
  EXPECT_TRUE(GoesOnWithout({}, world, 1));
  EXPECT_FALSE(GoesOnWithout(deaf, world, 1));
  world.node[1].frozen = 1;
  world.node[1].streams = 0;
  EXPECT_FALSE(AcknowledgesAlone({}, world));
  std::string where;
  EXPECT_FALSE(ComesToProtected(
      {.mutant = Mutant::kCompareIgnored}, World{}, [](const World&) { return false; }, &where));
}

}  // namespace
}  // namespace howdah::ha::model
