// The decision looked at by itself: every kind of sight in every phase leads along an edge that is
// meant to be; and the walks of a failover and a switchover, broken off after each of their steps.
#include <gtest/gtest.h>

#include <map>
#include <set>

#include "ha/model_rules.h"

namespace howdah::ha::model {
namespace {

// With sanitizers a sample has to do.
constexpr int kStride = kIsSlowBuild ? 21 : 1;

constexpr Token kToken = 2 * 8;
constexpr Token kOther = 1 * 8 + 1;

Core CoreIn(Phase phase, bool armed) {
  const bool may =
      phase == Phase::kProtected || phase == Phase::kPrepare || phase == Phase::kSwitch;
  return {.phase = phase,
          .cause = Cause::kNone,
          .epoch = 2,
          .primary = 0,
          .token = kToken,
          .armed = armed || may,
          .protected_ = may,
          .revive = 1,
          .checkpoint = 1,
          .shutdown_lsn = 3,
          .failovers = 0,
          .unused = {}};
}

template <typename Look>
void EachPrimary(const Look& look) {
  for (int bits = 0; bits < 64; bits += kStride) {
    for (const State state : {State::kStarting, State::kUp, State::kDown, State::kFailed,
                              State::kStopped, State::kFenced}) {
      for (const Token effective : {Token{0}, kToken, kOther}) {
        for (const Token streaming : {Token{0}, kToken, kOther}) {
          const auto bit = [&](int n) { return static_cast<Byte>(bits >> n & 1); };
          look(Observed{.epoch = static_cast<Byte>(1 + bit(0)),
                        .seeded = 1,
                        .state = state,
                        .in_recovery = bit(1),
                        .unresponsive = bit(2),
                        .recruited = bit(1),
                        .received = static_cast<Byte>(2 + bit(3)),
                        .shutdown_lsn = bit(3),
                        .revive = bit(4),
                        .checkpoint = bit(4),
                        .effective = effective,
                        .streaming = streaming,
                        .proven = bit(5) != 0 ? effective : Token{0}});
        }
      }
    }
  }
}

template <typename Look>
void EachStandby(const Look& look) {
  for (int bits = 0; bits < 8; ++bits) {
    for (const State state : {State::kStarting, State::kUp, State::kDown, State::kFailed,
                              State::kStopped, State::kFenced}) {
      look(Observed{.epoch = static_cast<Byte>(1 + (bits & 1)),
                    .seeded = static_cast<Byte>(bits >> 1 & 1),
                    .state = state,
                    .in_recovery = static_cast<Byte>(bits >> 2 & 1)});
    }
  }
}

// What every decision has to keep, whatever it saw.
bool IsSound(const Record& before, const Record& after) {
  const bool epoch_kept = after.epoch == before.epoch && after.primary == before.primary;
  const bool epoch_raised = after.epoch == before.epoch + 1 && after.primary == before.standby &&
                            after.standby == before.primary && after.token != before.token &&
                            (before.protected_ || before.phase == Phase::kFailover);
  const bool permission_is_earned =
      !after.protected_ || before.protected_ || before.phase == Phase::kCatchup;
  const bool waits = !WantedOf(after).primary_waits_for.empty();
  return (epoch_kept || epoch_raised) && permission_is_earned && (!after.protected_ || waits) &&
         after.seq == before.seq + (after == before ? 0 : 1);
}

std::set<std::pair<Phase, Phase>> EdgesFrom(Phase phase, bool armed) {
  std::set<std::pair<Phase, Phase>> edges;
  World world{};
  world.record = CoreIn(phase, armed);
  const Record before = ToRecord(world.record);
  const auto look = [&](bool over) {
    const Record after = Step({}, before, SightOf(world, over)).record;
    edges.emplace(phase, after.phase);
    ASSERT_TRUE(IsSound(before, after)) << FormatRecord(before) << FormatRecord(after);
  };
  EachPrimary([&](const Observed& primary) {
    world.observed[0] = primary;
    EachStandby([&](const Observed& standby) {
      world.observed[1] = standby;
      for (const Byte route : {Byte{0}, Byte{1}, Byte{2}}) {
        world.gateway_reported = route;
        look(false);
        look(true);
      }
    });
  });
  return edges;
}

TEST(Edges, EverySightInEveryPhaseLeadsWhereItMayAndEveryPhaseCanBeLeft) {
  std::map<Phase, int> exits;
  for (int phase = 0; phase <= static_cast<int>(Phase::kHalted); ++phase) {
    for (const bool armed : {false, true}) {
      for (const auto& [from, to] : EdgesFrom(static_cast<Phase>(phase), armed)) {
        if (from == to) continue;
        EXPECT_TRUE(IsEdge(from, to)) << PhaseName(from) << " -> " << PhaseName(to);
        EXPECT_NE(from, Phase::kSingle);
        ++exits[from];
      }
    }
  }
  for (int phase = 1; phase <= static_cast<int>(Phase::kHalted); ++phase)
    EXPECT_GT(exits[static_cast<Phase>(phase)], 0) << PhaseName(static_cast<Phase>(phase));
}

TEST(Edges, NobodyIsPromotedFromDegradedByItself) {
  for (const Phase phase : {Phase::kDegraded, Phase::kRejoin, Phase::kHalted, Phase::kSeeding}) {
    EXPECT_FALSE(EdgesFrom(phase, false).contains({phase, Phase::kFailover})) << PhaseName(phase);
  }
}

// The control plane, one store operation at a time. False when there is nothing left to do.
bool OneOperation(const Rules& rules, World& world) {
  return WritePlan(rules, world, 0) || WritePlan(rules, world, 1) || WriteRoute(world) ||
         DecideAndCommit(rules, world, false);
}

std::string OthersUntilQuiet(const Rules& rules, World& world) {
  for (bool changed = true; changed;) {
    changed = false;
    const auto after = [&](bool (*part)(const Rules&, World&, int), int n) {
      const World before = world;
      if (!part(rules, world, n)) return std::string();
      Settle(world);
      changed = true;
      for (const Invariant& invariant : Invariants()) {
        if (!invariant.holds(before, world)) return std::string(invariant.name);
      }
      return std::string();
    };
    for (int n = 0; n < kNodes; ++n) {
      for (const auto part :
           {+[](const Rules&, World& w, int i) { return Read(w, i); }, &Act, &Stream, &Confirm,
            &Probe, +[](const Rules&, World& w, int i) { return Report(w, i); },
            +[](const Rules&, World& w, int) { return TakeRoute(w); },
            +[](const Rules&, World& w, int) { return ReportRoute(w); }}) {
        std::string wrong = after(part, n);
        if (!wrong.empty()) return wrong;
      }
    }
  }
  return "";
}

// The control plane does `operations` of its own and dies; the rest of the world goes on until
// nothing moves; then another control plane begins. Returns how many operations there were.
int Interrupted(World world, int operations, Epoch ends_in) {
  Policy policy;
  policy.hold_down = policy.window = Duration(0);
  policy.failovers_in_window = 100;
  const Rules rules{.policy = policy};
  int done = 0;
  for (int round = 0; round < 100 && done < operations; ++round) {
    while (done < operations && OneOperation(rules, world)) ++done;
    EXPECT_EQ(OthersUntilQuiet(rules, world), "") << Describe(world);
  }
  EXPECT_EQ(OthersUntilQuiet(rules, world), "") << Describe(world);
  std::string where;
  EXPECT_TRUE(ComesToProtected(
      rules, world,
      [&](const World& passing) {
        world = passing;
        return false;
      },
      &where))
      << "after " << operations << " operations\n"
      << where;
  EXPECT_EQ(world.record.epoch, ends_in) << "after " << operations << " operations";
  return done;
}

World WithOneCommit() {
  World world = Begin(Phase::kProtected, {});
  Node& primary = world.node[0];
  primary.wal[primary.length++] = 1;
  primary.pending = 1U << 1;
  primary.session = 1;
  world.next_commit = 2;
  return world;
}

TEST(Interrupted, AFailoverEndsProtectedWhereverItsControlPlaneDies) {
  World world = WithOneCommit();
  Stream({}, world, 1);
  EndServer(world, 0);
  world.node[0].ended = 1;
  Report(world, 0);
  int operations = 0;
  while (Interrupted(world, operations, 2) == operations) ++operations;
  EXPECT_GT(operations, 10);
}

TEST(Interrupted, ASwitchoverEndsProtectedWhereverItsControlPlaneDies) {
  World world = WithOneCommit();
  world.record = FromRecord(*Switchover(ToRecord(world.record)));
  int operations = 0;
  while (Interrupted(world, operations, 2) == operations) ++operations;
  EXPECT_GT(operations, 12);
}

}  // namespace
}  // namespace howdah::ha::model
