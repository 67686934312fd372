// Protects, on real servers of every engine: a client never reads success for a commit whose wait
// for the standby was cut short, whatever cuts it, however it was sent, and whatever the session
// has switched off; sessions cannot do without the standby; the server lives on; and each session's
// settings are its own again afterwards.
#include "postgres/commit_guard.h"

#include <gmock/gmock.h>

#include "postgres/server_test.h"

namespace howdah::postgres {
namespace {

using testing::HasSubstr;

enum class Sent { kSimple, kExtended, kPipeline };
enum class Cut { kCancelBackend, kCancelRequest, kTerminate, kByItself };

struct Case {
  const char* name;
  const char* before;  // in the same session, while nobody is waited for
  const char* commit;
  Sent sent = Sent::kSimple;
  Cut cut = Cut::kCancelBackend;
};

constexpr const char* kInsert = "INSERT INTO t VALUES (1)";
constexpr const char* kDo = "DO $$ BEGIN INSERT INTO t VALUES (1); COMMIT; END $$";

constexpr Case kCases[] = {
    {"a statement of its own", "SELECT 1", kInsert},
    {"several in one message", "SELECT 1", "INSERT INTO t VALUES (1); SELECT 1"},
    {"a transaction", "BEGIN; INSERT INTO t VALUES (1)", "COMMIT"},
    {"the client's own cancel, without notices", "SET client_min_messages = error", kInsert,
     Sent::kSimple, Cut::kCancelRequest},
    {"terminated", "SELECT 1", kInsert, Sent::kSimple, Cut::kTerminate},
    {"statement_timeout in DO", "SET statement_timeout = '150ms'", kDo, Sent::kSimple,
     Cut::kByItself},
    {"statement_timeout in a procedure", "SET statement_timeout = '150ms'", "CALL p()",
     Sent::kSimple, Cut::kByItself},
    {"extended", "SELECT 1", kInsert, Sent::kExtended},
    {"extended, terminated", "SELECT 1", kInsert, Sent::kExtended, Cut::kTerminate},
    {"extended COMMIT, the client's own cancel", "BEGIN; INSERT INTO t VALUES (1)", "COMMIT",
     Sent::kExtended, Cut::kCancelRequest},
    {"extended DO", "SET statement_timeout = '150ms'", kDo, Sent::kExtended, Cut::kByItself},
    {"pipeline", "SELECT 1", kInsert, Sent::kPipeline},
    {"pipeline COMMIT, terminated", "BEGIN; INSERT INTO t VALUES (1)", "COMMIT", Sent::kPipeline,
     Cut::kTerminate},
    {"PREPARE TRANSACTION", "BEGIN; INSERT INTO t VALUES (1)", "PREPARE TRANSACTION 'a'"},
    {"COMMIT PREPARED", "BEGIN; INSERT INTO t VALUES (1); PREPARE TRANSACTION 'b'",
     "COMMIT PREPARED 'b'"},
    {"synchronous_commit off", "SET synchronous_commit = off", kInsert},
    {"synchronous_commit local in the transaction",
     "BEGIN; SET LOCAL synchronous_commit = local; INSERT INTO t VALUES (1)", "COMMIT"},
    {"synchronous_commit remote_write, extended", "SET synchronous_commit = remote_write", kInsert,
     Sent::kExtended},
    {"synchronous_commit of a function", "SELECT 1", "SELECT f()"},
    {"COMMIT PREPARED, synchronous_commit local",
     "SET synchronous_commit = local; BEGIN; INSERT INTO t VALUES (1); PREPARE TRANSACTION 'c'",
     "/* two */ commit\n prepared 'c'"},
};

constexpr const char* kObjects =
    "CREATE TABLE t (n int);"
    "CREATE PROCEDURE p() LANGUAGE plpgsql AS $$ BEGIN INSERT INTO t VALUES (1); COMMIT; "
    "INSERT INTO t VALUES (2); COMMIT; END $$;"
    "CREATE FUNCTION f() RETURNS void LANGUAGE plpgsql SET synchronous_commit = local AS $$ BEGIN "
    "INSERT INTO t VALUES (1); SET synchronous_commit = off; END $$";

class CommitGuardTest : public ServerTest {
 protected:
  // A primary with the objects of the cases; the admin's own session, opened before anybody waits.
  void Begin(Node& node) {
    StartPrimary(node);
    if (HasFatalFailure()) return;
    auto admin = node.Connect(5s);
    ASSERT_OK(admin);
    admin_.emplace(*std::move(admin));
    ASSERT_OK(CheckCommitGuard(*admin_, 5s));
    auto master = AsMaster(node);
    ASSERT_OK(master);
    for (std::string_view all = kObjects; !all.empty();) {
      const std::size_t end = all.find(";CREATE");
      ASSERT_OK(master->Execute(std::string(all.substr(0, end)), 5s));
      all.remove_prefix(end == std::string_view::npos ? all.size() : end + 1);
    }
  }

  bool IsWaiting(int pid) {
    const auto rows = admin_->Execute(
        "SELECT FROM pg_stat_activity WHERE wait_event = 'SyncRep' "
        "AND pid = " +
            std::to_string(pid),
        5s);
    return rows && !rows->empty();
  }

  // Until commits really wait: the checkpointer tells the backends (H7).
  void WaitForNobody(Node& node) {
    ASSERT_OK(node.SetSynchronousStandby("hd_1_nobody", 5s));
    const MonotonicTime deadline = clock_.Monotonic() + 10s;
    for (;;) {
      const auto probe = node.Probe(100ms);  // an error: too slow to connect
      if (probe && !probe->acknowledged) return;
      ASSERT_LT(clock_.Monotonic(), deadline) << "commits do not wait";
    }
  }

  void Send(PGconn* client, const Case& each) {
    if (each.sent == Sent::kSimple) ASSERT_EQ(PQsendQuery(client, each.commit), 1);
    if (each.sent == Sent::kPipeline) ASSERT_EQ(PQenterPipelineMode(client), 1);
    if (each.sent != Sent::kSimple) {
      ASSERT_EQ(PQsendQueryParams(client, each.commit, 0, nullptr, nullptr, nullptr, nullptr, 0),
                1);
    }
    if (each.sent == Sent::kPipeline) ASSERT_EQ(PQpipelineSync(client), 1);
    ASSERT_EQ(PQflush(client), 0);
  }

  void CutShort(PGconn* client, const Case& each) {
    const int pid = PQbackendPID(client);
    if (each.cut == Cut::kByItself) return;
    const MonotonicTime deadline = clock_.Monotonic() + 10s;
    while (!IsWaiting(pid)) {
      ASSERT_LT(clock_.Monotonic(), deadline) << "it does not wait";
    }
    const std::string argument = "(" + std::to_string(pid) + ")";
    if (each.cut == Cut::kCancelBackend) {
      ASSERT_OK(admin_->Execute("SELECT pg_cancel_backend" + argument, 5s));
    } else if (each.cut == Cut::kTerminate) {
      ASSERT_OK(admin_->Execute("SELECT pg_terminate_backend" + argument, 5s));
    } else {
      char why[256] = "";
      PGcancel* cancel = PQgetCancel(client);
      EXPECT_EQ(PQcancel(cancel, why, sizeof(why)), 1) << why;
      PQfreeCancel(cancel);
    }
  }

  // What the client reads: nothing that looks like success, then the end of its connection.
  void ExpectLost(Connection& client) {
    PGconn* raw = client.raw();
    const MonotonicTime deadline = clock_.Monotonic() + 10s;
    for (;;) {
      while (PQisBusy(raw) != 0) {
        const auto readable = client.AwaitReadable(deadline - clock_.Monotonic());
        if (!readable) break;
        ASSERT_TRUE(*readable) << "nothing happens";
      }
      PGresult* result = PQgetResult(raw);
      if (result == nullptr) break;
      const ExecStatusType status = PQresultStatus(result);
      EXPECT_TRUE(status == PGRES_FATAL_ERROR || status == PGRES_PIPELINE_ABORTED)
          << PQresStatus(status) << " " << PQcmdStatus(result);
      PQclear(result);
      if (PQstatus(raw) != CONNECTION_OK) break;
    }
    EXPECT_NE(PQstatus(raw), CONNECTION_OK) << "the connection is still there";
  }

  // All sessions begin while nobody is waited for.
  void TryAll(Node& node) {
    std::vector<Connection> clients;
    for (const Case& each : kCases) {
      auto client = AsMaster(node);
      ASSERT_OK(client);
      ASSERT_OK(client->Execute(each.before, 5s));
      clients.push_back(*std::move(client));
    }
    WaitForNobody(node);
    for (std::size_t i = 0; i < clients.size() && !HasFatalFailure(); ++i) {
      SCOPED_TRACE(kCases[i].name);
      Send(clients[i].raw(), kCases[i]);
      if (!HasFatalFailure()) CutShort(clients[i].raw(), kCases[i]);
      if (!HasFatalFailure()) ExpectLost(clients[i]);
    }
    ASSERT_OK(node.SetSynchronousStandby("", 5s));
    ASSERT_OK(admin_->Execute("SELECT 1", 5s));  // the server lives on
  }

  std::optional<Connection> admin_;
};

TEST_F(CommitGuardTest, ACommitThatIsCutShortIsNeverAnsweredAsSuccess) {
  for (const Engine& engine : Engines()) {
    SCOPED_TRACE(engine.version.Format());
    Node node = MakeNode(engine, "g" + std::to_string(engine.version.major));
    Begin(node);
    if (HasFatalFailure()) return;
    for (const char* threshold : {"warning", "panic", "log"}) {
      SCOPED_TRACE(threshold);
      ASSERT_OK(
          admin_->Execute(std::string("ALTER ROLE app SET log_min_messages = ") + threshold, 5s));
      TryAll(node);
      if (HasFatalFailure()) return;
      auto master = AsMaster(node);
      ASSERT_OK(master);
      ASSERT_OK(master->Execute("ROLLBACK PREPARED 'a'", 5s));
      ASSERT_OK(admin_->Execute("ALTER ROLE app SET client_min_messages = error", 5s));
    }
  }
}

TEST_F(CommitGuardTest, SettingsAreTheSessionsOwnAgainAfterItsCommits) {
  for (const Engine& engine : Engines()) {
    SCOPED_TRACE(engine.version.Format());
    Node node = MakeNode(engine, "s" + std::to_string(engine.version.major));
    Begin(node);
    if (HasFatalFailure()) return;
    ASSERT_OK(admin_->Execute("ALTER ROLE app SET log_min_messages = fatal", 5s));
    ASSERT_OK(admin_->Execute("ALTER ROLE app SET synchronous_commit = remote_write", 5s));
    auto client = AsMaster(node);
    ASSERT_OK(client);
    const auto expect = [&](const char* commit, const char* log) {
      EXPECT_EQ(client->Execute("SHOW synchronous_commit", 5s)->Text(0, "synchronous_commit"),
                commit);
      EXPECT_EQ(client->Execute("SHOW log_min_messages", 5s)->Text(0, "log_min_messages"), log);
    };
    expect("remote_write", "fatal");
    ASSERT_OK(client->Execute("SET synchronous_commit = off", 5s));
    ASSERT_OK(client->Execute(kInsert, 5s));
    expect("off", "fatal");
    ASSERT_OK(
        client->Execute("BEGIN; SET LOCAL synchronous_commit = local; INSERT INTO t VALUES "
                        "(2); COMMIT",
                        5s));
    expect("off", "fatal");
    EXPECT_FALSE(client->Execute("COMMIT PREPARED 'unknown'", 5s)) << "leaves the hook by an error";
    expect("off", "fatal");
    EXPECT_FALSE(client->Execute("BEGIN; SET synchronous_commit = on; SELECT 1/0; COMMIT", 5s));
    ASSERT_OK(client->Execute("ROLLBACK", 5s));
    expect("off", "fatal");
    ASSERT_OK(
        client->Execute("DO $$ BEGIN SET synchronous_commit = local; -- prepared\n"
                        "INSERT INTO t VALUES (3); COMMIT; END $$",
                        5s));
    expect("local", "fatal");
    EXPECT_FALSE(client->Execute("SET howdah.enforce_synchronous_commit = off", 5s));
    EXPECT_FALSE(client->Execute("ALTER ROLE app SET howdah.enforce_synchronous_commit = off", 5s));
    EXPECT_FALSE(client->Execute("SET howdah.commit_guard = ''", 5s));
  }
}

// Where it is not enforced, a session commits as it likes.
TEST_F(CommitGuardTest, WithoutEnforcementASessionMayDoWithoutTheStandby) {
  for (const Engine& engine : Engines()) {
    SCOPED_TRACE(engine.version.Format());
    Node node = MakeNode(engine, "w" + std::to_string(engine.version.major));
    Begin(node);
    if (HasFatalFailure()) return;
    ASSERT_OK(admin_->Execute("ALTER SYSTEM SET howdah.enforce_synchronous_commit = off", 5s));
    WaitForNobody(node);
    if (HasFatalFailure()) return;
    auto client = AsMaster(node);
    ASSERT_OK(client);
    ASSERT_OK(client->Execute("SET synchronous_commit = local", 5s));
    ASSERT_OK(client->Execute(kInsert, 5s));
  }
}

TEST_F(CommitGuardTest, AnEngineIsProvenOnceAndRemembered) {
  for (const Engine& engine : Engines()) {
    SCOPED_TRACE(engine.version.Format());
    const CommitGuards::Needs needs{
        .disk = disk_, .processes = processes_, .clock = clock_, .entropy = entropy_, .log = log_};
    const auto first = CommitGuards(root_, needs).For(engine);
    ASSERT_OK(first);
    const MonotonicTime begin = clock_.Monotonic();
    EXPECT_EQ(CommitGuards(root_, needs).For(engine).value_or(""), *first);
    EXPECT_LT(clock_.Monotonic() - begin, 500ms);
    EXPECT_EQ(disk_.Exists(root_ + "/lib/proof-" + engine.version.Format()).value_or(true), false);
  }
}

TEST_F(CommitGuardTest, AServerWithoutTheGuardSaysSo) {
  const auto engines = Engines();
  Node node = MakeNode(engines.front(), "n");
  StartPrimary(node);
  if (HasFatalFailure()) return;
  ASSERT_OK(node.Stop(StopMode::kFast, 20s));
  const auto text = disk_.Read(node.paths().ConfigFile());
  ASSERT_OK(text);
  ASSERT_OK(disk_.WriteDurably(node.paths().ConfigFile(), *text + "shared_preload_libraries = ''\n",
                               0600));
  ASSERT_OK(node.Start());
  ASSERT_OK(node.AwaitReady(30s));
  auto admin = node.Connect(5s);
  ASSERT_OK(admin);
  const auto checked = CheckCommitGuard(*admin, 5s);
  ASSERT_FALSE(checked);
  EXPECT_THAT(checked.error().what(), HasSubstr("without it"));
}

}  // namespace
}  // namespace howdah::postgres
