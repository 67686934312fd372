// Backups of real servers, restored and started.
#include <gmock/gmock.h>

#include <fstream>
#include <thread>

#include "backup/catalogue.h"
#include "backup/restore.h"
#include "backup/sweep.h"
#include "backup/take.h"
#include "backup/test_repository.h"
#include "backup/verify.h"
#include "postgres/server_pair_test.h"

namespace howdah::backup {
namespace {

using postgres::Connection;
using postgres::Engine;
using postgres::Node;
using testing::Contains;
using testing::HasSubstr;

constexpr Duration kLimit = 120s;

class BackupTest : public postgres::ServerPairTest {
 protected:
  Engine AnyEngine() { return Engines().front(); }

  static Result<Connection> Open(const Node& node) {
    TRY_ASSIGN(Connection connection, node.Connect(10s));
    TRY(connection.Execute("SET search_path = public", kLimit));
    return connection;
  }
  static void Run(Node& node, const std::string& sql) {
    auto connection = Open(node);
    ASSERT_OK(connection);
    for (const auto& result = connection->Execute(sql, kLimit); !result;) {
      FAIL() << sql << ": " << result.error().what();
    }
  }
  static std::string Ask(Node& node, const std::string& sql) {
    auto connection = Open(node);
    if (!connection) return connection.error().what();
    const auto rows = connection->Execute(sql, kLimit);
    return rows ? rows->Text(0, rows->columns[0]) : rows.error().what();
  }

  Result<Manifest> Take(const Node& node, const std::string& id, bool full = false) {
    return TakeBackup(
        {
            .id = id,
            .instance = instance_,
            .server = node.AdminOptions(),
            .description = "described",
            .full = full,
        },
        repository_.needs, job_);
  }
  Result<RestoreOutcome> Restore(const std::string& id, Node& node, bool delta = false) {
    TRY(repository_.disk.MakeDirectories(node.paths().root));
    return RestoreBackup(
        {.instance = instance_, .backup = id, .directory = node.paths().Data(), .delta = delta},
        repository_.needs, job_);
  }
  void StartRestored(Node& node) {
    Configure(node);
    ASSERT_OK(node.ConfigurePrimary());
    ASSERT_OK(node.Start());
    ASSERT_OK(node.AwaitReady(60s));
  }
  void Stop(Node& node) { ASSERT_OK(node.Fence(20s)); }
  // Nothing but the test writes from here on: a vacuum beside it would change files of its own.
  void WithoutAutovacuum(Node& node) {
    Run(node, "ALTER SYSTEM SET autovacuum = off");
    Stop(node);
    ASSERT_OK(node.Start());
    ASSERT_OK(node.AwaitReady(60s));
  }

  // Money that only moves: its sum says whether a state is one that a transaction has left.
  static constexpr const char* kFill =
      "CREATE TABLE account (id int PRIMARY KEY, balance bigint, pad text);"
      "INSERT INTO account SELECT i, 1000, repeat(md5(i::text), 20)"
      " FROM generate_series(1, 20000) i;"
      "CREATE INDEX account_pad ON account (md5(pad))";
  static constexpr const char* kMove =
      "WITH r AS MATERIALIZED (SELECT 1 + (random() * 9999)::int AS x,"
      " 10001 + (random() * 9998)::int AS y)"
      " UPDATE account SET balance = balance + CASE WHEN id = x THEN -7 ELSE 7 END"
      " FROM r WHERE id = x OR id = y";
  void ExpectWhole(Node& node) {
    EXPECT_EQ(Ask(node, "SELECT sum(balance)::text FROM account"), "20000000");
    EXPECT_EQ(Ask(node,
                  "SET enable_seqscan = off; SELECT count(*)::text FROM account"
                  " WHERE md5(pad) = md5(repeat(md5(id::text), 20))"),
              "20000");
    // Every page of every relation through its checksum.
    EXPECT_EQ(
        Ask(node, "SELECT count(*)::text FROM account WHERE pad <> repeat(md5(id::text), 20)"),
        "0");
  }

  class Load {
   public:
    explicit Load(Node& node) : connection_(Open(node)) {
      thread_ = std::jthread([this](const std::stop_token& stop) {
        while (connection_ && !stop.stop_requested()) {
          if (connection_->Execute(kMove, kLimit)) ++moves;
        }
      });
    }
    std::atomic<int> moves = 0;

   private:
    Result<Connection> connection_;
    std::jthread thread_;
  };

  static void ExpectSameFiles(const std::string& left, const std::string& right) {
    std::size_t compared = 0;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(left + "/base")) {
      if (!entry.is_regular_file() || entry.path().filename() == "pg_internal.init") continue;
      const auto path = std::filesystem::relative(entry.path(), left);
      EXPECT_EQ(Contents(entry.path()), Contents(right / path)) << path;
      ++compared;
    }
    EXPECT_GT(compared, 500U);
  }
  static std::string Contents(const std::filesystem::path& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }

  TestRepository repository_;
  Job job_;
  InstanceId instance_{"db-TEST"};
};

TEST_F(BackupTest, TakenUnderLoadItRestoresOnEveryEngine) {
  for (const Engine& engine : Engines()) {
    SCOPED_TRACE(engine.version.Format());
    const std::string name = std::to_string(engine.version.major);
    instance_ = InstanceId("db-" + name);
    Node node = MakeNode(engine, "a" + name);
    StartPrimary(node);
    if (HasFatalFailure()) return;
    Run(node, kFill);
    const std::string id = "b-" + name;
    int moves_before = 0;
    {
      Load load(node);
      ASSERT_OK(Take(node, id + "a", true));
      moves_before = load.moves;
      const auto manifest = Take(node, id);
      ASSERT_OK(manifest);
      EXPECT_EQ(manifest->bad_page_count, 0U);
      EXPECT_TRUE(manifest->checksums);
      EXPECT_EQ(manifest->base, id + "a");
      EXPECT_EQ(manifest->major(), engine.version.major);
      EXPECT_LT(manifest->started, manifest->finished);
    }
    EXPECT_GT(moves_before, 0);
    Stop(node);
    const auto verified = VerifyBackups({.instance = instance_}, repository_.needs, job_);
    ASSERT_OK(verified);
    EXPECT_TRUE(verified->ok()) << verified->damages.front();
    for (const std::string& backup : {id + "a", id}) {
      Node restored = MakeNode(engine, "r" + backup.substr(2));
      ASSERT_OK(Restore(backup, restored));
      StartRestored(restored);
      if (HasFatalFailure()) return;
      ExpectWhole(restored);
      Stop(restored);
    }
    std::filesystem::remove_all(root_ + "/a" + name);
  }
}

TEST_F(BackupTest, IncrementalStoresWhatChangedAndRestoresAll) {
  Node node = MakeNode(AnyEngine(), "a");
  StartPrimary(node);
  WithoutAutovacuum(node);
  Run(node, kFill);
  Run(node, "CHECKPOINT");
  const auto first = Take(node, "b-1");
  ASSERT_OK(first);
  const auto none = Take(node, "b-2");
  ASSERT_OK(none);
  EXPECT_LT(none->stored_bytes, first->stored_bytes / 10);
  EXPECT_EQ(none->base, "b-1");
  Run(node, "UPDATE account SET balance = balance WHERE id % 500 = 0");
  const auto third = Take(node, "b-3");
  ASSERT_OK(third);
  EXPECT_LT(third->stored_bytes, first->stored_bytes / 3);
  // Bytes are what they were on disk when nothing was going on.
  Node restored = MakeNode(AnyEngine(), "r");
  ASSERT_OK(Restore("b-3", restored));
  ExpectSameFiles(node.paths().Data(), restored.paths().Data());
  StartRestored(restored);
  ExpectWhole(restored);
}

TEST_F(BackupTest, EveryDamageOfAnyObjectIsFoundAndNamed) {
  Node node = MakeNode(AnyEngine(), "a");
  StartPrimary(node);
  Run(node, kFill);
  ASSERT_OK(Take(node, "b-1"));
  Run(node, "UPDATE account SET balance = balance WHERE id % 500 = 0");
  ASSERT_OK(Take(node, "b-2"));
  const auto damages = [&] {
    const auto outcome = VerifyBackups({.instance = instance_}, repository_.needs, job_);
    return outcome ? outcome->damages : std::vector<std::string>{outcome.error().what()};
  };
  EXPECT_TRUE(damages().empty());
  int restores_refused = 0;
  for (const std::string& name : repository_.Names()) {
    const std::size_t size = repository_.objects.Get(name)->size();
    for (const std::size_t at : {std::size_t{0}, std::size_t{20}, size / 2, size - 1}) {
      repository_.Flip(name, at);
      EXPECT_THAT(damages(), Contains(HasSubstr(name))) << at;
      repository_.Flip(name, at);
    }
    const std::string whole = *repository_.objects.Get(name);
    repository_.objects.Overwrite(name, whole.substr(0, size - 1));
    EXPECT_THAT(damages(), Contains(HasSubstr(name))) << "cut off";
    ASSERT_OK(repository_.objects.Delete(name));
    EXPECT_THAT(damages(), Contains(HasSubstr(name))) << "missing";
    Node restored = MakeNode(AnyEngine(), "r");
    const auto outcome = Restore("b-2", restored);
    if (!outcome) {
      EXPECT_THAT(outcome.error().what(), HasSubstr(name));
      EXPECT_FALSE(*repository_.disk.Exists(restored.paths().Data())) << "half of it is no whole";
      ++restores_refused;
    }
    std::filesystem::remove_all(restored.paths().root);
    repository_.objects.Overwrite(name, whole);
  }
  EXPECT_GT(restores_refused, 3);
  EXPECT_TRUE(damages().empty());
}

TEST_F(BackupTest, OneObjectDoesNotStandForAnother) {
  Node node = MakeNode(AnyEngine(), "a");
  StartPrimary(node);
  ASSERT_OK(Take(node, "b-1", true));
  ASSERT_OK(Take(node, "b-2", true));
  const std::string prefix = "instances/db-TEST/backups/";
  for (const char* object : {"manifest", "files", "pages", "pack-000000", "wal-000000"}) {
    const std::string name = prefix + "b-2/" + object;
    const std::string whole = *repository_.objects.Get(name);
    repository_.objects.Overwrite(name, *repository_.objects.Get(prefix + "b-1/" + object));
    const auto outcome = VerifyBackups({.instance = instance_}, repository_.needs, job_);
    ASSERT_OK(outcome);
    EXPECT_THAT(outcome->damages, Contains(HasSubstr(name)));
    repository_.objects.Overwrite(name, whole);
  }
}

TEST_F(BackupTest, UnloggedTablesAreEmptyAndPreparedTransactionsAreThere) {
  Node node = MakeNode(AnyEngine(), "a");
  StartPrimary(node);
  Run(node, kFill);
  Run(node, "CREATE UNLOGGED TABLE scratch AS SELECT generate_series(1, 50000) AS i");
  Run(node,
      "BEGIN; UPDATE account SET balance = balance + 1 WHERE id = 1;"
      " PREPARE TRANSACTION 'kept'");
  const auto manifest = Take(node, "b-1");
  ASSERT_OK(manifest);
  Node restored = MakeNode(AnyEngine(), "r");
  ASSERT_OK(Restore("b-1", restored));
  StartRestored(restored);
  EXPECT_EQ(Ask(restored, "SELECT count(*)::text FROM scratch"), "0");
  Run(restored, "INSERT INTO scratch VALUES (1)");
  EXPECT_EQ(Ask(restored, "SELECT gid FROM pg_prepared_xacts"), "kept");
  Run(restored, "COMMIT PREPARED 'kept'");
  EXPECT_EQ(Ask(restored, "SELECT balance::text FROM account WHERE id = 1"), "1001");
}

TEST_F(BackupTest, OfAStandbyItRestores) {
  StartPair(AnyEngine());
  Run(*primary_, kFill);
  {
    Load load(*primary_);
    const auto manifest = Take(*standby_, "b-1");
    ASSERT_OK(manifest);
    EXPECT_TRUE(manifest->from_standby);
    EXPECT_EQ(manifest->bad_page_count, 0U);
  }
  Node restored = MakeNode(AnyEngine(), "r");
  ASSERT_OK(Restore("b-1", restored));
  EXPECT_FALSE(*repository_.disk.Exists(restored.paths().StandbySignal()));
  StartRestored(restored);
  ExpectWhole(restored);
}

TEST_F(BackupTest, TablespacesAreRefused) {
  Node node = MakeNode(AnyEngine(), "a");
  StartPrimary(node);
  std::filesystem::create_directory(root_ + "/elsewhere");
  Run(node, "CREATE TABLESPACE elsewhere LOCATION '" + root_ + "/elsewhere'");
  const auto manifest = Take(node, "b-1");
  ASSERT_FALSE(manifest);
  EXPECT_EQ(manifest.error().code(), Code::kUnsupported);
  EXPECT_THAT(manifest.error().what(), HasSubstr("elsewhere"));
}

TEST_F(BackupTest, InterruptedGoesOnWithWhatIsStored) {
  Node node = MakeNode(AnyEngine(), "a");
  StartPrimary(node);
  Run(node, kFill);
  Run(node,
      "CREATE TABLE noise AS SELECT gen_random_uuid() u1, gen_random_uuid() u2,"
      " gen_random_uuid() u3 FROM generate_series(1, 1500000)");
  Run(node, "CHECKPOINT");
  // Something fails at ever later moments; each time there is no backup, and in the end there is.
  std::uint64_t attempts = 0;
  for (int calls = 5;; calls += 4) {
    repository_.objects.FailAfter(calls, Error(Code::kUnavailable, "away"));
    const auto manifest = Take(node, "b-1");
    repository_.objects.FailAfter(0, std::nullopt);
    if (manifest) break;
    EXPECT_EQ(ReadManifest(repository_.needs, instance_, "b-1").error().code(), Code::kNotFound);
    ASSERT_LT(++attempts, 50U);
  }
  EXPECT_GT(attempts, 3U);
  const auto verified = VerifyBackups({.instance = instance_}, repository_.needs, job_);
  ASSERT_OK(verified);
  EXPECT_TRUE(verified->ok()) << verified->damages.front();
  for (const std::string& name : repository_.Names()) {
    EXPECT_THAT(name, testing::Not(HasSubstr("/part-")));
    EXPECT_THAT(name, testing::Not(HasSubstr("/begun")));
  }
  // Packs of the first attempts were used: together they are not much more than one backup.
  std::uint64_t packs = 0;
  const auto manifest = ReadManifest(repository_.needs, instance_, "b-1");
  ASSERT_OK(manifest);
  for (const PackUse& pack : manifest->packs) packs += pack.size_bytes;
  const auto full = Take(node, "b-2", true);
  ASSERT_OK(full);
  EXPECT_LT(packs, full->stored_bytes * 13 / 10);
  EXPECT_EQ(Take(node, "b-1")->stop_lsn, manifest->stop_lsn) << "a finished one is not taken again";
  Node restored = MakeNode(AnyEngine(), "r");
  ASSERT_OK(Restore("b-1", restored));
  StartRestored(restored);
  ExpectWhole(restored);
}

TEST_F(BackupTest, DeltaRestoreWritesOnlyWhatDiffers) {
  Node node = MakeNode(AnyEngine(), "a");
  StartPrimary(node);
  WithoutAutovacuum(node);
  Run(node, kFill);
  Run(node, "CHECKPOINT");
  ASSERT_OK(Take(node, "b-1"));
  Node restored = MakeNode(AnyEngine(), "r");
  ASSERT_OK(Restore("b-1", restored));
  EXPECT_EQ(Restore("b-1", restored).error().code(), Code::kAlreadyExists);
  const std::string data = restored.paths().Data();
  StartRestored(restored);
  Run(restored, "DELETE FROM account WHERE id % 100 = 0");
  Run(restored, "CREATE TABLE other AS SELECT generate_series(1, 10000)");
  Run(restored, "VACUUM account");
  Run(restored, "CHECKPOINT");
  Stop(restored);
  std::filesystem::create_directory(data + "/base/77777");
  std::filesystem::create_symlink("/etc", data + "/linked");
  const auto again = Restore("b-1", restored, true);
  ASSERT_OK(again);
  EXPECT_LT(again->written_bytes, again->manifest.size_bytes / 2);
  EXPECT_GT(again->written_bytes, 0U);
  ExpectSameFiles(node.paths().Data(), data);
  EXPECT_FALSE(std::filesystem::exists(data + "/base/77777"));
  EXPECT_FALSE(std::filesystem::exists(std::filesystem::symlink_status(data + "/linked")));
  StartRestored(restored);
  ExpectWhole(restored);
}

TEST_F(BackupTest, DeltaRestoreThatFailsLeavesNothingThatStarts) {
  Node node = MakeNode(AnyEngine(), "a");
  StartPrimary(node);
  Run(node, kFill);
  ASSERT_OK(Take(node, "b-1"));
  Node restored = MakeNode(AnyEngine(), "r");
  ASSERT_OK(Restore("b-1", restored));
  std::filesystem::resize_file(restored.paths().Data() + "/base/1/1259", 0);
  repository_.Flip("instances/db-TEST/backups/b-1/pack-000000", 20);
  repository_.Flip("instances/db-TEST/backups/b-1/pack-000001", 20);
  EXPECT_FALSE(Restore("b-1", restored, true));
  EXPECT_FALSE(*repository_.disk.Exists(restored.paths().ControlFile()));
}

TEST_F(BackupTest, SweepRemovesOnlyWhatNobodyNeeds) {
  Node node = MakeNode(AnyEngine(), "a");
  StartPrimary(node);
  Run(node, kFill);
  ASSERT_OK(Take(node, "b-1"));
  Run(node, "UPDATE account SET balance = balance WHERE id % 500 = 0");
  ASSERT_OK(Take(node, "b-2"));
  Run(node, "UPDATE account SET balance = balance WHERE id % 300 = 0");
  ASSERT_OK(Take(node, "b-3"));
  const auto ok = [&] {
    const auto outcome = VerifyBackups({.instance = instance_}, repository_.needs, job_);
    return outcome && outcome->ok();
  };
  // b-1 goes, but its packs stay: the others refer to them.
  const auto swept =
      Sweep({.instance = instance_, .remove = {"b-1", "b-never"}}, repository_.needs);
  ASSERT_OK(swept);
  EXPECT_EQ(swept->kept, "");
  EXPECT_GT(swept->removed_objects, 2U);
  EXPECT_TRUE(ok());
  EXPECT_THAT(repository_.Names(), Contains(HasSubstr("b-1/pack-000000")));
  // While another is being taken packs wait, even unreferenced ones.
  repository_.objects.FailAfter(12, Error(Code::kUnavailable, "away"));
  EXPECT_FALSE(Take(node, "b-4", true));
  repository_.objects.FailAfter(0, std::nullopt);
  const auto waits = Sweep({.instance = instance_, .remove = {"b-2", "b-3"}}, repository_.needs);
  ASSERT_OK(waits);
  EXPECT_THAT(waits->kept, HasSubstr("b-4"));
  EXPECT_THAT(repository_.Names(), Contains(HasSubstr("b-1/pack-000000")));
  // Given up: everything goes.
  const auto all = Sweep({.instance = instance_, .safe_age = 0s}, repository_.needs);
  ASSERT_OK(all);
  EXPECT_TRUE(repository_.Names().empty());
}

TEST_F(BackupTest, PackThatIsGoneIsStoredAnew) {
  Node node = MakeNode(AnyEngine(), "a");
  StartPrimary(node);
  Run(node, kFill);
  ASSERT_OK(Take(node, "b-1"));
  ASSERT_OK(repository_.objects.Delete("instances/db-TEST/backups/b-1/pack-000000"));
  ASSERT_OK(Take(node, "b-2"));
  const auto outcome =
      VerifyBackups({.instance = instance_, .backup = "b-2"}, repository_.needs, job_);
  ASSERT_OK(outcome);
  EXPECT_TRUE(outcome->ok()) << outcome->damages.front();
}

TEST_F(BackupTest, DescriptionComesBack) {
  Node node = MakeNode(AnyEngine(), "a");
  StartPrimary(node);
  ASSERT_OK(Take(node, "b-1"));
  const auto catalogue = ListBackups(repository_.needs, instance_);
  ASSERT_OK(catalogue);
  ASSERT_EQ(catalogue->backups.size(), 1U);
  EXPECT_EQ(catalogue->backups[0].description, "described");
  EXPECT_EQ(ListInstances(repository_.needs)->front(), instance_);
}

}  // namespace
}  // namespace howdah::backup
