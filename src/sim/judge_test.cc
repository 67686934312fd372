// The judge of simulated worlds is shown what it is there for, where no mutant comes to it first.
#include "sim/judge.h"

#include <gtest/gtest.h>

#include "system/fake/fake_clock.h"

namespace howdah::sim {
namespace {

class JudgeTest : public testing::Test {
 protected:
  JudgeTest() {
    Machine& primary = postgres.machines[a];
    primary.proc = Proc::kReadWrite;
    primary.epoch_of_reign = 1;
    primary.sync_name = primary.sync_in_force = "hd_1_x";
    primary.wal = {1};
    primary.visible = 1;
    Machine& standby = postgres.machines[b];
    standby.proc = Proc::kRecovery;
    standby.wal = {1};
    judge.NoteCommit(1);
    ha::Record record{.phase = ha::Phase::kProtected,
                      .primary = a,
                      .standby = b,
                      .token = "hd_1_x",
                      .armed = true,
                      .protected_ = true,
                      .failovers = {}};
    judge.OnRecord({}, record, now);
  }

  void Degrade() {
    const ha::Record before = judge.record();
    ha::Record degraded = before;
    degraded.phase = ha::Phase::kDegraded;
    degraded.protected_ = false;
    judge.OnRecord(before, degraded, now);
  }
  std::string Broken() const { return judge.violation().substr(0, judge.violation().find(':')); }

  const NodeId a{"a"}, b{"b"};
  const MonotonicTime now{Duration(1000s)};
  system::FakeClock clock;
  MemoryStore store{clock};
  Random random{1};
  Postgres postgres{random};
  Gateway gateway{store, InstanceId("db"), Mutant::kNone};
  Judge judge{postgres, gateway};
  const Waiter commit{.end = 1, .entry = 1, .client = 0, .times_out = {}};
};

TEST_F(JudgeTest, AConfirmedCommitBreaksNothing) {
  judge.OnAcknowledged(a, commit, b);
  judge.OnPromised(1);
  judge.OnRead(a);
  judge.OnMoment();
  judge.OnEnd();
  EXPECT_EQ(judge.violation(), "");
}

TEST_F(JudgeTest, I1AnOlderEpochThatAcknowledgesOnceMore) {
  judge.OnAcknowledged(a, commit, b);
  postgres.machines[a].epoch_of_reign = 0;
  postgres.machines[a].sync_in_force = "hd_0_x";
  judge.OnAcknowledged(a, commit, b);
  EXPECT_EQ(Broken(), "I1");
}

TEST_F(JudgeTest, I2AnAcknowledgedCommitThatIsOnOneCopyOnly) {
  judge.OnPromised(1);
  postgres.machines[b].wal.clear();
  judge.OnEnd();
  EXPECT_EQ(Broken(), "I2");
}

TEST_F(JudgeTest, I7TwoPrimaries) {
  postgres.machines[b].proc = Proc::kReadWrite;
  judge.OnMoment();
  EXPECT_EQ(Broken(), "I7");
}

TEST_F(JudgeTest, I8TheOnlyCopyIsOverwritten) {
  Degrade();
  judge.OnPromised(1);
  judge.BeforeOverwriting(a, "a copy");
  EXPECT_EQ(Broken(), "");
  postgres.machines[b].wal.clear();
  judge.BeforeOverwriting(a, "a copy");
  EXPECT_EQ(Broken(), "I8");
}

TEST_F(JudgeTest, I9AConfirmationOfSomebodyElse) {
  postgres.machines[b].wal.clear();
  judge.OnAcknowledged(a, commit, b);
  EXPECT_EQ(Broken(), "I9");
}

TEST_F(JudgeTest, I10AnAnswerToACutWait) {
  Waiter cut = commit;
  cut.cut = true;
  judge.OnAcknowledged(a, cut, b);
  EXPECT_EQ(Broken(), "I10");
}

TEST_F(JudgeTest, I12AReadThatLacksWhatWasPromised) {
  judge.OnPromised(1);
  postgres.machines[a].visible = 0;
  judge.OnRead(a);
  EXPECT_EQ(Broken(), "I12");
}

TEST_F(JudgeTest, I14AnAnswerWithoutTheStandbyThatMayBePromoted) {
  judge.OnAcknowledged(a, commit, NodeId());
  EXPECT_EQ(Broken(), "I14");
}

TEST_F(JudgeTest, I17OneTimelineTwice) {
  ha::Record promoting = judge.record();
  promoting.phase = ha::Phase::kPromoting;
  promoting.epoch = 2;
  promoting.token = "hd_2_x";
  promoting.cause = ha::Cause::kPrimaryDown;
  std::swap(promoting.primary, promoting.standby);
  judge.OnRecord({}, promoting, now);
  postgres.machines[b].visible = 1;
  judge.OnPromotion(b);
  EXPECT_EQ(Broken(), "");
  judge.OnPromotion(b);
  EXPECT_EQ(Broken(), "I17");
}

TEST_F(JudgeTest, I20OneThatGoesOnAloneInSilence) {
  Degrade();
  judge.OnTold({}, {});
  EXPECT_EQ(Broken(), "I20");
}

}  // namespace
}  // namespace howdah::sim
