// Protects, on real servers: the life of a node, the limits of a master user, the clearing of
// orphans, and a standby that commits wait for.
#include "postgres/server_test.h"

#include <gmock/gmock.h>
#include <signal.h>

#include <algorithm>

namespace howdah::postgres {
namespace {

using testing::HasSubstr;

TEST_F(ServerTest, ANodeIsMadeStartedAdoptedAndStopped) {
  for (const Engine& engine : Engines()) {
    SCOPED_TRACE(engine.version.Format());
    Node node = MakeNode(engine, "a" + std::to_string(engine.version.major));
    StartPrimary(node);
    if (HasFatalFailure()) return;
    const auto first = node.FindPostmaster();
    ASSERT_OK(first);
    ASSERT_TRUE(*first);
    EXPECT_EQ(*node.Start(), **first) << "a running server is not started again";
    EXPECT_FALSE(node.ClearOrphans(1s)) << "nothing is an orphan while the postmaster lives";
    EXPECT_FALSE(node.Remove());
    EXPECT_FALSE(node.ConfigurePrimary().value_or(true));
    EXPECT_EQ(node.CheckReadiness(2s).value_or(Readiness::kDown), Readiness::kReady);

    auto admin = node.Connect(5s);
    ASSERT_OK(admin);
    const auto seen = Observe(*admin, 5s);
    ASSERT_OK(seen);
    EXPECT_THAT(seen->server_version, HasSubstr(engine.version.Format()));
    EXPECT_FALSE(seen->in_recovery);
    EXPECT_EQ(ToNumber(seen->timeline), 1U);
    EXPECT_TRUE(seen->pending_restart.empty());

    ASSERT_OK(node.Stop(StopMode::kFast, 20s));
    EXPECT_EQ(node.CheckReadiness(1s).value_or(Readiness::kReady), Readiness::kDown);
    const auto control = node.ReadControl();
    ASSERT_OK(control);
    EXPECT_EQ(control->state, ClusterState::kShutDown);
    EXPECT_EQ(ToNumber(control->timeline), 1U);
    ASSERT_OK(node.Initialize(60s));  // never again over a data directory (H16)
    EXPECT_EQ(node.ReadControl()->system_identifier, control->system_identifier);
    EXPECT_EQ(disk_.Exists(node.paths().root + "/initdb.pass").value_or(true), false);
    ASSERT_OK(node.Remove());
  }
}

TEST_F(ServerTest, AMasterUserIsNoSuperuser) {
  for (const Engine& engine : Engines()) {
    SCOPED_TRACE(engine.version.Format());
    Node node = MakeNode(engine, "m" + std::to_string(engine.version.major));
    StartPrimary(node);
    if (HasFatalFailure()) return;
    auto master = AsMaster(node);
    ASSERT_OK(master);
    for (const char* forbidden :
         {"COPY (SELECT 1) TO PROGRAM 'cat'", "ALTER SYSTEM SET work_mem = '8MB'",
          "SELECT pg_read_file('postmaster.pid')", "COPY (SELECT 1) TO '/tmp/hd-x'",
          "GRANT pg_execute_server_program TO app", "GRANT pg_read_server_files TO app",
          "GRANT pg_write_server_files TO app", "GRANT rdsadmin TO app", "DROP ROLE rdsrepladmin",
          "ALTER ROLE rdsrepladmin PASSWORD 'x'", "ALTER ROLE rdsrepladmin RENAME TO y",
          "GRANT rdsrepladmin TO app", "ALTER ROLE app SUPERUSER", "DROP DATABASE rdsadmin",
          "SELECT * FROM pg_authid", "CREATE EXTENSION file_fdw", "SELECT lo_import('/etc/passwd')",
          "CREATE LANGUAGE plpython3u", "SELECT lo_export(1, '/tmp/hd-x')"}) {
      const auto done = master->Execute(forbidden, 10s);
      EXPECT_FALSE(done) << forbidden;
    }
    for (const char* allowed :
         {"CREATE TABLE t (id int)", "CREATE EXTENSION pgcrypto", "CREATE EXTENSION pg_trgm",
          "CREATE ROLE other LOGIN PASSWORD 'some-password'", "GRANT rds_superuser TO other",
          "CREATE DATABASE second", "CREATE SCHEMA s", "SELECT * FROM pg_stat_activity"}) {
      const auto done = master->Execute(allowed, 30s);
      EXPECT_TRUE(done) << allowed << ": " << done.error().what();
    }
    // An extension that only our own copies of an engine may give away.
    const bool is_ours = engine.source == EngineSource::kHome;
    const auto statements = master->Execute("CREATE EXTENSION pg_stat_statements", 30s);
    EXPECT_EQ(statements.has_value(), is_ours);

    EXPECT_FALSE(AsMaster(node, "rdsadmin"));
    auto wrong = Connection::Open({.socket_dir = node.paths().socket_dir,
                                   .user = "app",
                                   .database = "appdb",
                                   .password = "not-the-password"},
                                  clock_, 5s);
    ASSERT_FALSE(wrong);
    EXPECT_EQ(wrong.error().code(), Code::kPermission);
    EXPECT_THAT(wrong.error().what(), testing::Not(HasSubstr("not-the-password")));
  }
}

TEST_F(ServerTest, AnOwnersSearchPathDoesNotReachTheAdmin) {
  const Engine engine = Engines().front();
  Node node = MakeNode(engine, "p");
  StartPrimary(node);
  if (HasFatalFailure()) return;
  auto master = AsMaster(node);
  ASSERT_OK(master);
  ASSERT_OK(master->Execute("ALTER DATABASE appdb SET search_path = evil, pg_catalog", 5s));
  auto admin = Connection::Open(node.AdminOptions("appdb"), clock_, 5s);
  ASSERT_OK(admin);
  const auto rows = admin->Execute("SHOW search_path", 5s);
  ASSERT_OK(rows);
  EXPECT_EQ(rows->Text(0, "search_path"), "pg_catalog");
}

TEST_F(ServerTest, OrphansOfAKilledPostmasterAreClearedBeforeTheNextStart) {
  for (const Engine& engine : Engines()) {
    SCOPED_TRACE(engine.version.Format());
    Node node = MakeNode(engine, "o" + std::to_string(engine.version.major));
    StartPrimary(node);
    if (HasFatalFailure()) return;
    auto busy = AsMaster(node);
    ASSERT_OK(busy);
    ASSERT_OK(busy->Execute("CREATE TABLE kept AS SELECT 7 AS n", 5s));
    // A backend that burns CPU does not notice that its postmaster is gone (L12).
    ASSERT_NE(PQsendQuery(busy->raw(), "SELECT count(*) FROM generate_series(1, 1000000000000)"),
              0);
    ASSERT_FALSE(busy->AwaitReadable(200ms).value_or(true));
    const auto postmaster = node.FindPostmaster();
    ASSERT_OK(postmaster);
    ASSERT_OK(processes_.Signal(**postmaster, SIGKILL));
    ASSERT_TRUE(processes_.AwaitExit(**postmaster, 5s));
    ASSERT_OK(node.FindPostmaster());
    EXPECT_FALSE(*node.FindPostmaster());
    const auto cleared = node.ClearOrphans(10s);
    ASSERT_OK(cleared);
    EXPECT_GE(*cleared, 1);
    ASSERT_OK(node.Start());
    ASSERT_OK(node.AwaitReady(30s));
    auto again = AsMaster(node);
    ASSERT_OK(again);
    EXPECT_EQ(again->Execute("SELECT n FROM kept", 5s)->Text(0, "n"), "7");
    ASSERT_OK(node.Stop(StopMode::kImmediate, 10s));
  }
}

// The standby's flush position as the primary knows it.
Lsn FlushOf(Connection& admin, const std::string& name) {
  const auto seen = Observe(admin, 5s);
  if (!seen) return {};
  const auto peer = std::ranges::find(seen->peers, name, &ReplicationPeer::application_name);
  return peer == seen->peers.end() ? Lsn() : peer->flush;
}

TEST_F(ServerTest, CommitsWaitForTheNamedStandbyAndOnlyForIt) {
  for (const Engine& engine : Engines()) {
    SCOPED_TRACE(engine.version.Format());
    const std::string suffix = std::to_string(engine.version.major);
    Node primary = MakeNode(engine, "x" + suffix);
    StartPrimary(primary);
    if (HasFatalFailure()) return;
    Node standby = MakeNode(engine, "y" + suffix);
    std::uint64_t reported = 0;
    const auto backup = TakeBaseBackup(standby.paths(),
                                       {.socket_dir = primary.paths().socket_dir,
                                        .password = kTestPassword,
                                        .slot_name = "hd_slot",
                                        .on_progress =
                                            [&](std::uint64_t done, std::uint64_t) {
                                              reported = done;
                                              return true;
                                            }},
                                       disk_, clock_);
    ASSERT_OK(backup);
    EXPECT_EQ(backup->bytes, reported);
    EXPECT_LT(backup->start, backup->end);
    EXPECT_TRUE(*disk_.Exists(standby.paths().StandbySignal()));
    EXPECT_EQ(standby.ReadControl()->system_identifier, primary.ReadControl()->system_identifier);
    Configure(standby);
    const StandbySource source{.socket_dir = primary.paths().socket_dir,
                               .application_name = "hd_1_nonce",
                               .slot_name = "hd_slot",
                               .password = kTestPassword};
    ASSERT_OK(standby.ConfigureStandby(source));
    EXPECT_FALSE(standby.ConfigureStandby(source).value_or(true)) << "the second time nothing";
    ASSERT_OK(standby.Start());
    ASSERT_OK(standby.AwaitReady(30s));
    auto on_standby = standby.Connect(5s);
    ASSERT_OK(on_standby);
    EXPECT_TRUE(Observe(*on_standby, 5s)->in_recovery);

    ASSERT_OK(primary.SetSynchronousStandby("hd_1_nonce", 5s));
    const auto probe = primary.Probe(15s);
    ASSERT_OK(probe);
    EXPECT_TRUE(probe->acknowledged);
    auto admin = primary.Connect(5s);
    ASSERT_OK(admin);
    // The probe's commit waited for the standby; the position after it may be a little further.
    for (int i = 0; i < 100 && FlushOf(*admin, "hd_1_nonce") < probe->lsn; ++i) {
      (void)primary.Probe(1s);
    }
    EXPECT_GE(FlushOf(*admin, "hd_1_nonce"), probe->lsn);

    // Another name: nobody confirms, and nobody else may stand in.
    ASSERT_OK(primary.SetSynchronousStandby("hd_2_other", 5s));
    const auto unheard = primary.Probe(500ms);
    ASSERT_OK(unheard);
    EXPECT_FALSE(unheard->acknowledged);
    ASSERT_OK(standby.ConfigureStandby({.socket_dir = source.socket_dir,
                                        .application_name = "hd_2_other",
                                        .slot_name = "hd_slot",
                                        .password = kTestPassword}));
    ASSERT_OK(standby.Reload());
    const auto heard = primary.Probe(15s);
    ASSERT_OK(heard);
    EXPECT_TRUE(heard->acknowledged) << "the standby came back under its new name";

    ASSERT_OK(standby.Stop(StopMode::kFast, 20s));
    EXPECT_FALSE(primary.Probe(500ms)->acknowledged);
    ASSERT_OK(primary.SetSynchronousStandby("", 5s));
    EXPECT_TRUE(primary.Probe(5s)->acknowledged);
    ASSERT_OK(DropSlot(*admin, "hd_slot", 5s));
    ASSERT_OK(DropSlot(*admin, "hd_slot", 5s));
    EXPECT_FALSE(TakeBaseBackup(standby.paths(), {}, disk_, clock_))
        << "never over a data directory";
    ASSERT_OK(primary.Stop(StopMode::kFast, 20s));
  }
}

TEST_F(ServerTest, AServerThatCannotStartSaysWhy) {
  Node node = MakeNode(Engines().front(), "w");
  ASSERT_OK(node.Initialize(60s));
  ASSERT_OK(node.WriteConfiguration("shared_buffers = 'nonsense'\n", RenderHba(TcpClients::kNone)));
  ASSERT_OK(node.Start());
  const auto ready = node.AwaitReady(10s);
  ASSERT_FALSE(ready);
  EXPECT_THAT(ready.error().what(), HasSubstr("shared_buffers"));
}

}  // namespace
}  // namespace howdah::postgres
