// Protects, on real servers of every engine: a client never reads success for a commit whose wait
// for the standby was cut short, whatever cuts it, however it was sent, and whatever the session
// has switched off; nobody else sees that commit before the standby has it or nobody is waited for;
// such a session stops no server from ending; sessions cannot do without the standby; and each
// session's settings are its own again afterwards.
#include "postgres/commit_guard_test.h"

#include <gmock/gmock.h>

#include <csignal>

namespace howdah::postgres {
namespace {

using testing::HasSubstr;

constexpr int kCount = static_cast<int>(std::size(kCases));
constexpr int kRows = kCount - 1;  // what is prepared only is not seen

// One server of each engine goes through all of it, one after the other: making and starting it is
// what takes long.
class CommitGuardOnEachEngine : public CommitGuardTest {
 protected:
  enum class Release { kStandby, kNobody };

  // All sessions begin while nobody is waited for.
  void NobodySeesWhatWasCutShort(Node& node, Release release) {
    std::vector<Connection> clients;
    for (const Case& each : kCases) {
      auto client = AsMaster(node);
      ASSERT_OK(client);
      ASSERT_OK(client->Execute(each.before, 5s));
      clients.push_back(*std::move(client));
    }
    WaitForNobody(node);
    const auto before = CurrentFlushLsn(*admin_, 5s);
    ASSERT_OK(before);
    for (std::size_t i = 0; i < clients.size() && !HasFatalFailure(); ++i) {
      SendAndCutShort(clients[i], kCases[i]);
    }
    if (!HasFatalFailure()) CutAgain();
    if (!HasFatalFailure() && release == Release::kStandby) ReleaseByStandby(node, *before);
    ASSERT_OK(node.SetSynchronousStandby("", 5s));
    Await("all see it", [&] { return Seen() == kRows; });
    Await("the sessions end", [&] { return Sessions() == 0; });
    ASSERT_OK(watcher_->Execute("ROLLBACK PREPARED 'a'", 5s));
    ASSERT_OK(watcher_->Execute("TRUNCATE t", 5s));
  }

  // Whatever comes, and however often; also to one that has just been woken and waits again.
  void CutAgain() {
    for (const char* how : {"pg_cancel_backend", "pg_terminate_backend", "pg_cancel_backend",
                            "pg_terminate_backend"}) {
      EXPECT_EQ(Seen(), 0) << "others see what no standby has";
      EXPECT_EQ(Number(*admin_, std::string("(SELECT count(*) FILTER (WHERE ") + how +
                                    "(pid)) FROM pg_stat_activity WHERE usename = 'app' AND "
                                    "state = 'active')"),
                kCount);
      Await("they wait on", [&] { return Waiting() == kCount; });
    }
    EXPECT_EQ(Seen(), 0) << "others see what no standby has";
    EXPECT_EQ(Sessions(), kCount);
  }

  void ReleaseByStandby(Node& node, Lsn before) {
    FakeStandby standby;
    ASSERT_OK(standby.Follow(node, before, clock_));
    Await("it is the standby", [&] {
      EXPECT_TRUE(standby.Confirm(before));
      return Number(*admin_,
                    "(SELECT count(*) FROM pg_stat_replication WHERE sync_state = 'quorum' AND "
                    "state = 'streaming' AND flush_lsn IS NOT NULL)") == 1;
    });
    EXPECT_EQ(Seen(), 0) << "others see what the standby does not have";
    const auto after = CurrentFlushLsn(*admin_, 5s);
    ASSERT_OK(after);
    ASSERT_OK(standby.Confirm(*after));
    Await("all see it", [&] { return Seen() == kRows; });
    Await("the sessions end", [&] { return Sessions() == 0; });
  }

  void SettingsAreTheSessionsOwn(Node& node) {
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
    ASSERT_OK(client->Execute("TRUNCATE t", 5s));
    ASSERT_OK(admin_->Execute("ALTER ROLE app RESET log_min_messages", 5s));
    ASSERT_OK(admin_->Execute("ALTER ROLE app RESET synchronous_commit", 5s));
  }

  // Where it is not enforced, a session commits as it likes.
  void WithoutEnforcementASessionDecides(Node& node) {
    ASSERT_OK(admin_->Execute("ALTER SYSTEM SET howdah.enforce_synchronous_commit = off", 5s));
    WaitForNobody(node);
    if (HasFatalFailure()) return;
    auto client = AsMaster(node);
    ASSERT_OK(client);
    ASSERT_OK(client->Execute("SET synchronous_commit = local", 5s));
    ASSERT_OK(client->Execute(kInsert, 5s));
    ASSERT_OK(node.SetSynchronousStandby("", 5s));
    ASSERT_OK(admin_->Execute("ALTER SYSTEM RESET howdah.enforce_synchronous_commit", 5s));
    ASSERT_OK(node.Reload());
    ASSERT_OK(watcher_->Execute("TRUNCATE t", 5s));
  }

  // One session that was terminated, and waits on.
  void LetOneWait(Node& node) {
    auto client = AsMaster(node);
    ASSERT_OK(client);
    WaitForNobody(node);
    if (HasFatalFailure()) return;
    SendAndCutShort(*client, kTerminated);
    Await("it waits on", [&] { return Waiting() == 1; });
  }

  void TheServerEndsAtOnce(Node& node) {
    LetOneWait(node);
    if (HasFatalFailure()) return;
    const MonotonicTime begin = clock_.Monotonic();
    ASSERT_OK(node.Stop(StopMode::kImmediate, 20s));
    EXPECT_LT(clock_.Monotonic() - begin, 5s) << "only the postmaster's SIGKILL ended it";
    Again(node);
    if (HasFatalFailure()) return;
    LetOneWait(node);
    if (HasFatalFailure()) return;
    const auto postmaster = node.FindPostmaster();
    ASSERT_OK(postmaster);
    ASSERT_OK(processes_.Signal(postmaster->value(), SIGKILL));
    Await("no orphan is left", [&] {
      const auto life = node.Look();
      return life && !life->anything;
    });
  }

  void Again(Node& node) {
    ASSERT_OK(node.Start());
    ASSERT_OK(node.AwaitReady(30s));
    Connect(node);
  }

  static constexpr Case kTerminated = {"terminated", "SELECT 1", kInsert, Sent::kSimple,
                                       Cut::kTerminate};
};

TEST_F(CommitGuardOnEachEngine, KeepsItsPromiseToClientsAndToThoseWhoOnlyRead) {
  for (const Engine& engine : Engines()) {
    SCOPED_TRACE(engine.version.Format());
    Node node = MakeNode(engine, "g" + std::to_string(engine.version.major));
    Begin(node);
    if (!HasFatalFailure()) SettingsAreTheSessionsOwn(node);
    if (!HasFatalFailure()) WithoutEnforcementASessionDecides(node);
    Release release = Release::kStandby;
    for (const char* threshold : {"warning", "panic", "log"}) {
      SCOPED_TRACE(threshold);
      if (HasFatalFailure()) return;
      ASSERT_OK(
          admin_->Execute(std::string("ALTER ROLE app SET log_min_messages = ") + threshold, 5s));
      NobodySeesWhatWasCutShort(node, release);
      if (HasFatalFailure()) return;
      ASSERT_OK(admin_->Execute("ALTER ROLE app SET client_min_messages = error", 5s));
      release = Release::kNobody;
    }
    TheServerEndsAtOnce(node);
    if (HasFatalFailure()) return;
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

TEST_F(CommitGuardOnEachEngine, AFastStopIsBoundedAndAServerWithoutTheGuardSaysSo) {
  const auto engines = Engines();
  Node node = MakeNode(engines.front(), "n");
  Begin(node);
  if (HasFatalFailure()) return;
  LetOneWait(node);
  if (HasFatalFailure()) return;
  const MonotonicTime begin = clock_.Monotonic();
  ASSERT_OK(node.Stop(StopMode::kFast, 1s));
  EXPECT_LT(clock_.Monotonic() - begin, 10s);
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
