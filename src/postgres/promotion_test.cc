// Protects, on real servers: a recruited standby follows nobody and says how far its WAL goes, a
// promotion keeps all of it and begins a new timeline, whether the server ran or not; where the WAL
// of a stopped server ends; and what a heartbeat says of a primary that is well, whose standby is
// silent, and that is frozen.
#include "postgres/promotion.h"

#include <signal.h>

#include "postgres/heartbeat.h"
#include "postgres/server_pair_test.h"
#include "postgres/wal_end.h"

namespace howdah::postgres {
namespace {

class PromotionTest : public ServerPairTest {};

// Polls until the server says what is asked for; the last answer.
Recovery Await(Node& node, const std::function<bool(const Recovery&)>& done) {
  Recovery recovery;
  for (int i = 0; i < 2000; ++i) {
    auto admin = node.Connect(5s);
    if (!admin) continue;
    for (; i < 2000; ++i) {
      const auto read = ReadRecovery(*admin, 5s);
      if (!read) break;
      recovery = *read;
      if (done(recovery)) return recovery;
      (void)admin->AwaitReadable(5ms);
    }
  }
  ADD_FAILURE() << "in recovery " << recovery.in_recovery << ", receives " << recovery.receives
                << ", received " << recovery.received.Format() << ", replayed "
                << recovery.replayed.Format();
  return recovery;
}

TEST_F(PromotionTest, ARecruitKeepsAllThatWasConfirmedAndBeginsATimeline) {
  for (const Engine& engine : Engines()) {
    SCOPED_TRACE(engine.version.Format());
    StartPair(engine);
    if (HasFatalFailure()) return;
    auto master = AsMaster(*primary_);
    ASSERT_OK(master);
    ASSERT_OK(master->Execute("CREATE TABLE kept AS SELECT generate_series(1, 1000) AS n", 10s));
    EXPECT_TRUE(*standby_->HasSource());
    ASSERT_OK(primary_->Fence(10s));

    EXPECT_TRUE(*standby_->ConfigureAlone());
    EXPECT_FALSE(*standby_->ConfigureAlone()) << "the second time nothing";
    EXPECT_FALSE(*standby_->HasSource());
    EXPECT_TRUE(*disk_.Exists(standby_->paths().StandbySignal()));
    ASSERT_OK(standby_->Reload());
    const Recovery recruit = Await(*standby_, [](const Recovery& seen) {
      return !seen.receives && seen.waits_for_wal && seen.replayed >= seen.received;
    });
    EXPECT_TRUE(recruit.in_recovery);
    EXPECT_EQ(ToNumber(recruit.timeline), 1U);

    auto admin = standby_->Connect(5s);
    ASSERT_OK(admin);
    ASSERT_OK(AskToPromote(*admin, 5s));
    const Recovery promoted =
        Await(*standby_, [](const Recovery& seen) { return !seen.in_recovery; });
    EXPECT_EQ(ToNumber(promoted.timeline), 2U);
    EXPECT_FALSE(*disk_.Exists(standby_->paths().StandbySignal()));
    EXPECT_EQ(AsMaster(*standby_)->Execute("SELECT count(*) AS n FROM kept", 5s)->Text(0, "n"),
              "1000");
    ASSERT_OK(AskToPromote(*admin, 5s));  // on a primary: nothing
    StopPair();
  }
}

TEST_F(PromotionTest, ARecruitWhoseServerWasDownIsStartedAloneAndPromoted) {
  for (const Engine& engine : Engines()) {
    SCOPED_TRACE(engine.version.Format());
    StartPair(engine);
    if (HasFatalFailure()) return;
    ASSERT_OK(primary_->Fence(10s));
    ASSERT_OK(standby_->Fence(10s));
    ASSERT_OK(standby_->ConfigureAlone());
    ASSERT_OK(standby_->Start());
    ASSERT_OK(standby_->AwaitReady(30s));
    const Recovery recruit = Await(*standby_, [](const Recovery& seen) {
      return seen.in_recovery && !seen.receives && seen.waits_for_wal;
    });
    EXPECT_FALSE(recruit.replayed.IsNone());
    auto admin = standby_->Connect(5s);
    ASSERT_OK(admin);
    ASSERT_OK(AskToPromote(*admin, 5s));
    Await(*standby_, [](const Recovery& seen) { return !seen.in_recovery; });
    EXPECT_EQ(ToNumber(Observe(*admin, 5s)->timeline), 2U);
    StopPair();
  }
}

TEST_F(PromotionTest, TheEndOfAStoppedServersWalIsOnItsStandby) {
  for (const Engine& engine : Engines()) {
    SCOPED_TRACE(engine.version.Format());
    StartPair(engine);
    if (HasFatalFailure()) return;
    auto master = AsMaster(*primary_);
    ASSERT_OK(master);
    ASSERT_OK(
        master->Execute("CREATE TABLE big AS SELECT repeat('x', 500) AS t, n FROM "
                        "generate_series(1, 60000) AS n",
                        30s));
    auto admin = primary_->Connect(5s);
    ASSERT_OK(admin);
    ASSERT_OK(admin->Execute("SELECT pg_switch_wal()", 5s));
    ASSERT_OK(master->Execute("CREATE TABLE more AS SELECT 1 AS n", 5s));
    EXPECT_TRUE(primary_->ReadShutdownEnd()->IsNone()) << "it runs";
    admin.value() = *primary_->Connect(5s);
    ASSERT_OK(primary_->Stop(StopMode::kFast, 20s));
    const auto end = primary_->ReadShutdownEnd();
    ASSERT_OK(end);
    const ControlData control = *primary_->ReadControl();
    EXPECT_GT(*end, control.checkpoint);
    const auto last =
        EndOfWal(disk_, primary_->paths().Wal(), control.timeline, control.checkpoint);
    ASSERT_OK(last);
    EXPECT_EQ(last->Format(), end->Format()) << "nothing comes after a clean stop";
    const Recovery at_end =
        Await(*standby_, [](const Recovery& seen) { return !seen.receives && seen.waits_for_wal; });
    EXPECT_EQ(at_end.received.Format(), end->Format());
    StopPair();
  }
}

TEST_F(PromotionTest, TheEndOfAKilledServersWalIsFound) {
  for (const Engine& engine : Engines()) {
    SCOPED_TRACE(engine.version.Format());
    StartPair(engine);
    if (HasFatalFailure()) return;
    auto master = AsMaster(*primary_);
    ASSERT_OK(master);
    ASSERT_OK(
        master->Execute("CREATE TABLE big AS SELECT repeat('x', 500) AS t, n FROM "
                        "generate_series(1, 60000) AS n",
                        30s));
    auto admin = primary_->Connect(5s);
    ASSERT_OK(admin);
    const Lsn flushed = *CurrentFlushLsn(*admin, 5s);
    ASSERT_OK(primary_->Fence(10s));
    const ControlData control = *primary_->ReadControl();
    EXPECT_TRUE(primary_->ReadShutdownEnd()->IsNone());
    const auto end = EndOfWal(disk_, primary_->paths().Wal(), control.timeline, control.checkpoint);
    ASSERT_OK(end);
    EXPECT_GE(*end, flushed);
    EXPECT_LT(BytesBetween(flushed, *end), 1U << 20U);
    StopPair();
  }
}

TEST_F(PromotionTest, AHeartbeatSaysWhatFails) {
  const Engine engine = Engines().front();
  StartPair(engine);
  if (HasFatalFailure()) return;
  Heartbeat heart(primary_->AdminOptions(), clock_);
  EXPECT_EQ(heart.Beat(5s), "");
  const auto receiver = standby_->FindPostmaster();
  ASSERT_OK(receiver);
  // The whole standby stands still, so that its connection stays.
  for (const auto& process : processes_.List()) {
    if (process.working_directory == standby_->paths().Data()) {
      ASSERT_OK(processes_.Signal(process.identity, SIGSTOP));
    }
  }
  EXPECT_EQ(heart.Beat(900ms), kSilentStandby);
  EXPECT_EQ(heart.Beat(900ms), kSilentStandby);
  auto admin = primary_->Connect(5s);
  ASSERT_OK(admin);
  const auto waiting =
      admin->Execute("SELECT count(*) AS n FROM pg_stat_activity WHERE wait_event = 'SyncRep'", 5s);
  EXPECT_EQ(waiting->Text(0, "n"), "1") << "one commit waits, however many heartbeats";
  for (const auto& process : processes_.List()) {
    if (process.working_directory == standby_->paths().Data()) {
      ASSERT_OK(processes_.Signal(process.identity, SIGCONT));
    }
  }
  ASSERT_TRUE(primary_->Probe(15s)->acknowledged);
  EXPECT_EQ(heart.Beat(5s), "");
  const auto postmaster = primary_->FindPostmaster();
  ASSERT_OK(processes_.Signal(**postmaster, SIGSTOP));
  EXPECT_EQ(heart.Beat(500ms), kNoConnection);
  ASSERT_OK(processes_.Signal(**postmaster, SIGCONT));
  EXPECT_EQ(heart.Beat(5s), "");
  StopPair();
}

}  // namespace
}  // namespace howdah::postgres
