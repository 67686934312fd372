// Protects, on real servers: a former primary comes back as a standby of the new one, as it was
// where its WAL ends at the fork, by pg_rewind or by a delta copy where it does not; and a copy
// that was cut leaves a directory that starts only after the next one has ended.
#include "postgres/rewind.h"
#include "postgres/server_pair_test.h"
#include "postgres/wal_end.h"

namespace howdah::postgres {
namespace {

class RejoinTest : public ServerPairTest {
 protected:
  // The standby is promoted; the primary is dead. Its WAL goes beyond the fork if `diverged`.
  void FailOver(const Engine& engine, bool diverged) {
    StartPair(engine);
    if (HasFatalFailure()) return;
    Execute(*primary_, "CREATE TABLE kept AS SELECT generate_series(1, 20000) AS n");
    if (diverged) {
      ASSERT_OK(standby_->ConfigureAlone());
      ASSERT_OK(standby_->Reload());
      AwaitNobodyStreams(*primary_);
      ASSERT_OK(primary_->SetSynchronousStandby("", 5s));
      Execute(*primary_, "UPDATE kept SET n = -n");
      Execute(*primary_, "CREATE TABLE lost AS SELECT generate_series(1, 50000) AS n");
    }
    ASSERT_OK(primary_->Fence(10s));
    ASSERT_OK(standby_->ConfigureAlone());
    ASSERT_OK(standby_->Reload());
    auto admin = standby_->Connect(5s);
    ASSERT_OK(admin);
    ASSERT_OK(AskToPromoteAndWait(*admin));
    ASSERT_OK(admin->Execute("CHECKPOINT", 30s));
    Execute(*standby_, "CREATE TABLE since AS SELECT generate_series(1, 1000) AS n");
  }

  void Execute(Node& node, const std::string& sql) {
    auto session = AsMaster(node);
    ASSERT_OK(session);
    ASSERT_OK(session->Execute(sql, 60s));
  }

  std::string Ask(Node& node, const std::string& sql) {
    auto session = Connection::Open(node.AdminOptions("appdb"), clock_, 5s);
    if (!session) return session.error().what();
    const auto rows = session->Execute(sql, 60s);
    return rows ? rows->rows.at(0).at(0).value_or("") : rows.error().what();
  }

  void AwaitNobodyStreams(Node& node) {
    for (int i = 0; i < 500; ++i) {
      if (Ask(node, "SELECT count(*) FROM pg_stat_replication") == "0") return;
      ASSERT_OK(Pause(node));
    }
    FAIL() << "the standby does not let go";
  }

  // A moment, without a clock of our own.
  Result<> Pause(Node& node) {
    auto session = node.Connect(5s);
    if (!session) return Fail(session.error());
    TRY(session->Execute("SELECT pg_sleep(0.02)", 5s));
    return {};
  }

  Result<> AskToPromoteAndWait(Connection& admin) {
    TRY(admin.Execute("SELECT pg_promote(true, 30)", 40s));
    return {};
  }

  // The former primary as standby of the new one: it streams, and holds what that holds.
  void ExpectFollows() {
    StartStandby(*primary_, *standby_, "hd_2_nonce", "hd_n_old");
    if (HasFatalFailure()) return;
    ASSERT_OK(standby_->SetSynchronousStandby("hd_2_nonce", 5s));
    const auto probe = standby_->Probe(30s);
    ASSERT_OK(probe);
    ASSERT_TRUE(probe->acknowledged);
    for (int i = 0; i < 500 && Ask(*primary_, "SELECT count(*) FROM public.since") != "1000"; ++i) {
      ASSERT_OK(Pause(*primary_));
    }
    EXPECT_EQ(Ask(*primary_, "SELECT count(*) FROM public.since"), "1000");
    EXPECT_EQ(Ask(*primary_, "SELECT sum(n) FROM public.kept"), "200010000");
    EXPECT_EQ(Ask(*primary_, "SELECT count(*) FROM pg_tables WHERE tablename = 'lost'"), "0");
    EXPECT_EQ(Ask(*primary_, "SELECT pg_is_in_recovery()"), "t");
  }

  BaseBackupOptions FromNew() { return BackupFrom(*standby_, "hd_n_old"); }

  Result<Lsn> WalEnd() {
    TRY_ASSIGN(const ControlData control, primary_->ReadControl());
    return EndOfWal(disk_, primary_->paths().Wal(), control.timeline, control.checkpoint);
  }
};

TEST_F(RejoinTest, OneThatWasKilledAtTheForkFollowsAsItWas) {
  for (const Engine& engine : Engines()) {
    SCOPED_TRACE(engine.version.Format());
    FailOver(engine, false);
    if (HasFatalFailure()) return;
    const auto history = ReadPrimaryHistory(FromNew(), clock_);
    ASSERT_OK(history);
    EXPECT_EQ(history->timeline, Timeline{2});
    EXPECT_EQ(history->system_identifier, primary_->ReadControl()->system_identifier);
    const auto end = WalEnd();
    ASSERT_OK(end);
    const auto fork = history->ForkOf(Timeline{1});
    ASSERT_TRUE(fork);
    if (*end <= *fork) ExpectFollows();  // else it wrote a record more than it sent
    StopPair();
  }
}

TEST_F(RejoinTest, OneThatDivergedFollowsAfterADeltaCopy) {
  for (const Engine& engine : Engines()) {
    SCOPED_TRACE(engine.version.Format());
    FailOver(engine, true);
    if (HasFatalFailure()) return;
    const auto history = ReadPrimaryHistory(FromNew(), clock_);
    ASSERT_OK(history);
    EXPECT_GT(*WalEnd(), *history->ForkOf(Timeline{1}));
    EXPECT_FALSE(TakeDeltaCopy(primary_->paths(), FromNew(), disk_, clock_)) << "no marker";

    // Cut in the middle: nothing starts.
    ASSERT_OK(disk_.WriteDurably(primary_->paths().RejoinMarker(), "2\n"));
    BaseBackupOptions cut = FromNew();
    cut.on_progress = [](std::uint64_t done, std::uint64_t) { return done < 20'000'000; };
    EXPECT_FALSE(TakeDeltaCopy(primary_->paths(), cut, disk_, clock_));
    EXPECT_FALSE(*primary_->IsInitialized());
    EXPECT_FALSE(primary_->Start());

    const auto copied = TakeDeltaCopy(primary_->paths(), FromNew(), disk_, clock_);
    ASSERT_OK(copied);
    EXPECT_LT(copied->written, copied->bytes / 2) << "most was there already";
    EXPECT_TRUE(*disk_.Exists(primary_->paths().StandbySignal()));
    ASSERT_OK(disk_.RemoveTree(primary_->paths().RejoinMarker()));
    EXPECT_TRUE(*primary_->IsInitialized());
    ExpectFollows();
    StopPair();
  }
}

TEST_F(RejoinTest, OneThatDivergedFollowsAfterARewindWhereThereIsOne) {
  int rewound = 0;
  for (const Engine& engine : Engines()) {
    if (!*CanRewind(disk_, engine)) continue;
    SCOPED_TRACE(engine.version.Format());
    ++rewound;
    FailOver(engine, true);
    if (HasFatalFailure()) return;
    ASSERT_OK(ReadPrimaryHistory(FromNew(), clock_));  // makes the slot
    auto source = standby_->Connect(5s);
    ASSERT_OK(source);
    EXPECT_TRUE(*IsReadyToRewindFrom(*source, 5s));
    ASSERT_OK(disk_.WriteDurably(primary_->paths().RejoinMarker(), "2\n"));
    ASSERT_OK(Rewind(primary_->paths(), engine, standby_->AdminOptions(), disk_, processes_, 120s));
    EXPECT_FALSE(*disk_.Exists(primary_->paths().Config() + "/rewind.pass"));
    ASSERT_OK(disk_.RemoveTree(primary_->paths().RejoinMarker()));
    ExpectFollows();
    StopPair();
  }
  EXPECT_GT(rewound, 0) << "no engine here has pg_rewind; Debian's has";
}

TEST_F(RejoinTest, AFailedRewindIsMendedByADeltaCopy) {
  const Engine engine = Engines().front();
  FailOver(engine, true);
  if (HasFatalFailure()) return;
  Engine other = engine;
  other.bin_dir = "/nonexistent";
  ASSERT_OK(disk_.WriteDurably(primary_->paths().RejoinMarker(), "2\n"));
  EXPECT_FALSE(Rewind(primary_->paths(), other, standby_->AdminOptions(), disk_, processes_, 10s));
  // What a rewind that died half way leaves.
  ASSERT_OK(disk_.RemoveTree(primary_->paths().Data() + "/base"));
  ASSERT_OK(disk_.WriteDurably(primary_->paths().ControlFile(), "half"));
  ASSERT_OK(TakeDeltaCopy(primary_->paths(), FromNew(), disk_, clock_));
  ASSERT_OK(disk_.RemoveTree(primary_->paths().RejoinMarker()));
  ExpectFollows();
  StopPair();
}

}  // namespace
}  // namespace howdah::postgres
