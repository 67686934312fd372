// Protects, on real servers: what the archive says it has is there, byte for byte, whoever of those
// involved dies, fails or takes over.
#include "archive/archiver.h"

#include <algorithm>

#include "archive/slot.h"
#include "archive/trial_test.h"
#include "postgres/observe.h"
#include "postgres/server_pair_test.h"
#include "postgres/wal_end.h"
#include "repository/directory.h"

namespace howdah::archive {
namespace {

using postgres::Connection;
using postgres::Engine;
using postgres::kWalSegment;
using postgres::Node;

class ArchiverTest : public postgres::ServerPairTest {
 protected:
  void StartArchiver(const Node& node, std::int64_t epoch) {
    archiver_.reset();
    archiver_ = std::make_unique<Archiver>(ArchiverOptions{.instance = kTrialInstance,
                                                           .epoch = epoch,
                                                           .socket_dir = node.paths().socket_dir,
                                                           .password = postgres::kTestPassword,
                                                           .mark_interval = 1s},
                                           WriterNeeds{.repository = Place(),
                                                       .keys = Keys(),
                                                       .entropy = trial_->entropy,
                                                       .clock = clock_,
                                                       .log = log_});
    archiver_->Start();
  }
  repository::Repository& Place() { return directory_ ? *directory_ : trial_->repository; }
  repository::Keys& Keys() { return directory_ ? *directory_keys_ : trial_->keys; }
  Reader MakeReader() { return {Place(), Keys()}; }

  void FreshRepository(bool in_directory) {
    archiver_.reset();
    directory_keys_.reset();
    directory_.reset();
    trial_ = std::make_unique<Trial>();
    if (!in_directory) return;
    const std::string root = root_ + "/repository" + std::to_string(++repositories_);
    auto opened = repository::DirectoryRepository::Open(root, trial_->entropy);
    ASSERT_OK(opened);
    directory_ = *std::move(opened);
    directory_keys_ =
        std::make_unique<repository::Keys>(*directory_, trial_->keyring, trial_->entropy);
  }

  std::string Ask(const Node& node, const std::string& sql) {
    auto session = Connection::Open(node.AdminOptions("appdb"), clock_, 5s);
    if (!session) return session.error().what();
    const auto rows = session->Execute(sql, 120s);
    if (!rows) return rows.error().what();
    return rows->rows.empty() ? "" : rows->rows.at(0).at(0).value_or("");
  }
  Lsn Flushed(const Node& node) {
    return Lsn::Parse(Ask(node, "SELECT pg_current_wal_flush_lsn()")).value_or(Lsn());
  }
  WallTime Now(const Node& node) {
    const std::string micros =
        Ask(node, "SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::int8");
    return FromMicros(std::stoll(micros));
  }
  // WAL of about that size, in some transactions.
  void Write(const Node& node, int mib) {
    Ask(node, "CREATE TABLE IF NOT EXISTS public.load (n int8, text text)");
    for (int i = 0; i < mib; ++i) {
      ASSERT_EQ(Ask(node,
                    "INSERT INTO public.load SELECT n, repeat(md5(n::text), 4) FROM "
                    "generate_series(1, 4500) AS n"),
                "");
    }
  }
  template <typename Condition>
  void Await(Condition condition) {
    std::mutex mutex;
    std::unique_lock lock(mutex);
    std::condition_variable nobody;
    for (int i = 0; i < 3000 && !condition(); ++i) nobody.wait_for(lock, 10ms);
    const ArchiveStatus status = archiver_->Read();
    ASSERT_TRUE(condition()) << "archived up to " << status.lsn.Format() << ", problem: '"
                             << status.problem << "'";
  }
  // All that the server had flushed by now; and that time goes on by itself.
  void AwaitArchived(const Node& node) {
    const Lsn flushed = Flushed(node);
    const WallTime now = Now(node);
    ASSERT_FALSE(flushed.IsNone());
    Await([&] {
      const ArchiveStatus status = archiver_->Read();
      return status.lsn >= flushed && status.until && *status.until >= now;
    });
  }

  Reader::Contents Read() {
    auto contents = MakeReader().ReadContents(kTrialInstance);
    EXPECT_TRUE(contents) << contents.error().what();
    return contents.value_or(Reader::Contents());
  }

  // Every segment of the server's that the archive has whole, and what it has of the others, is the
  // same in both.
  void ExpectSameWal(Node& node) {
    const Reader::Contents contents = Read();
    const Coverage coverage = contents.NewestCoverage();
    ASSERT_EQ(coverage.intervals().size(), 1U);
    const auto [start, end] = coverage.intervals().front();
    const auto plan = MakeWalPlan(kTrialInstance, coverage, contents.listing.histories, start, end);
    ASSERT_OK(plan);
    const auto files = disk_.List(node.paths().Wal());
    ASSERT_OK(files);
    int compared = 0;
    for (const std::string& name : *files) {
      const auto segment = postgres::ParseWalFileName(name);
      if (!segment || segment->start < start || segment->start >= end) continue;
      const auto file = FindFile(*plan, name);
      ASSERT_OK(file);
      if (!*file) continue;  // of a timeline that does not lie there
      const auto archived = MakeReader().ReadFile(*plan, **file);
      ASSERT_OK(archived);
      const std::string there = *disk_.Read(node.paths().Wal() + "/" + name);
      ASSERT_EQ(archived->size(), there.size());
      const std::uint64_t known = (**file).end - (**file).start;
      EXPECT_TRUE(archived->substr(0, known) == there.substr(0, known)) << name;
      EXPECT_EQ(archived->find_first_not_of('\0', known), std::string::npos);
      ++compared;
    }
    EXPECT_GT(compared, 0);
  }

  std::unique_ptr<Trial> trial_ = std::make_unique<Trial>();
  std::unique_ptr<repository::Repository> directory_;
  std::unique_ptr<repository::Keys> directory_keys_;
  int repositories_ = 0;
  int nodes_ = 0;
  std::unique_ptr<Archiver> archiver_;
};

TEST_F(ArchiverTest, GoesOnHoweverOftenItIsKilledAndHasEveryByte) {
  for (const Engine& engine : Engines()) {
    SCOPED_TRACE(engine.version.Format());
    FreshRepository(true);
    Node node = MakeNode(engine, "n" + std::to_string(++nodes_));
    StartPrimary(node);
    if (HasFatalFailure()) return;
    StartArchiver(node, 1);
    Write(node, 2);
    AwaitArchived(node);
    const Lsn start = Read().NewestCoverage().intervals().front().start;
    for (int i = 0; i < 8; ++i) {
      Write(node, 3);
      StartArchiver(node, 1);  // in the middle of its work
    }
    const WallTime before = Now(node);
    Write(node, 1);
    const WallTime after = Now(node);
    AwaitArchived(node);
    if (HasFatalFailure()) return;
    EXPECT_EQ(archiver_->Read().problem, "");
    EXPECT_FALSE(archiver_->Read().gap);
    ExpectSameWal(node);
    const Coverage coverage = Read().NewestCoverage();
    EXPECT_TRUE(coverage.FirstCommitAfter(start, before));
    EXPECT_FALSE(coverage.FirstCommitAfter(start, after));
    // A listing alone knows how far time has got.
    Await([&] {
      const auto newest = Read().NewestCoverage().Newest(start);
      return newest && newest->until >= after;
    });
    archiver_.reset();
    ASSERT_OK(node.Fence(10s));
  }
}

TEST_F(ArchiverTest, GoesOnAcrossAFailover) {
  for (const Engine& engine : Engines()) {
    SCOPED_TRACE(engine.version.Format());
    FreshRepository(false);
    StartPair(engine);
    if (HasFatalFailure()) return;
    StartArchiver(*primary_, 1);
    Write(*primary_, 20);
    AwaitArchived(*primary_);
    const Lsn archived = archiver_->Read().lsn;
    auto admin = standby_->Connect(5s);
    ASSERT_OK(admin);
    ASSERT_OK(KeepArchiveSlot(*admin, archived, 5s));
    ASSERT_OK(KeepArchiveSlot(*admin, archived, 5s));
    EXPECT_EQ(Ask(*standby_,
                  "SELECT count(*) FROM pg_replication_slots WHERE slot_name = "
                  "'howdah_archive' AND restart_lsn >= '" +
                      Lsn(archived.value() - 1'000'000).Format() + "'"),
              "1");
    // What the archive has not seen when the primary dies is on the standby.
    archiver_.reset();
    Write(*primary_, 20);
    ASSERT_OK(primary_->Fence(10s));
    ASSERT_OK(standby_->ConfigureAlone());
    ASSERT_OK(standby_->Reload());
    StartArchiver(*standby_, 2);
    Await([&] { return archiver_->Read().problem.find("not a primary") != std::string::npos; });
    ASSERT_OK(admin->Execute("SELECT pg_promote(true, 30)", 40s));
    Write(*standby_, 3);
    AwaitArchived(*standby_);
    if (HasFatalFailure()) return;
    EXPECT_FALSE(archiver_->Read().gap);
    EXPECT_EQ(archiver_->Read().timeline, Timeline{2});
    ExpectSameWal(*standby_);
    const Reader::Contents contents = Read();
    EXPECT_EQ(contents.NewestCoverage().path().size(), 2U);
    const auto plan = MakeWalPlan(kTrialInstance, contents.NewestCoverage(),
                                  contents.listing.histories, archived, archiver_->Read().lsn);
    ASSERT_OK(plan);
    const auto history = FindFile(*plan, "00000002.history");
    ASSERT_OK(history);
    EXPECT_EQ(*MakeReader().ReadFile(*plan, **history),
              *disk_.Read(standby_->paths().Wal() + "/00000002.history"));
    archiver_.reset();
    StopPair();
  }
}

// Whoever was told of a commit at a time that the archive claims finds it there.
TEST_F(ArchiverTest, NeverClaimsMoreTimeThanItHas) {
  for (const Engine& engine : Engines()) {
    SCOPED_TRACE(engine.version.Format());
    FreshRepository(false);
    Node node = MakeNode(engine, "n" + std::to_string(++nodes_));
    StartPrimary(node);
    if (HasFatalFailure()) return;
    StartArchiver(node, 1);
    auto session = Connection::Open(node.AdminOptions("appdb"), clock_, 5s);
    ASSERT_OK(session);
    std::vector<std::pair<WallTime, Lsn>> told;
    std::vector<ArchiveStatus> claimed;
    for (int i = 0; i < 1500; ++i) {
      const std::string size = i % 200 == 0 ? "3000000" : "50";
      ASSERT_OK(session->Execute(
          "SELECT pg_logical_emit_message(true, 'x', repeat('y', " + size + "))", 10s));
      const auto rows = session->Execute(
          "SELECT pg_current_wal_flush_lsn() AS lsn, "
          "(extract(epoch FROM clock_timestamp()) * 1000000)::int8 AS now",
          10s);
      ASSERT_OK(rows);
      told.emplace_back(FromMicros(std::stoll(rows->Text(0, "now"))),
                        *Lsn::Parse(rows->Text(0, "lsn")));
      claimed.push_back(archiver_->Read());
    }
    AwaitArchived(node);
    if (HasFatalFailure()) return;
    std::vector<std::pair<WallTime, Lsn>> claims;
    for (const ArchiveStatus& status : claimed) {
      if (status.until) claims.emplace_back(*status.until, status.lsn);
    }
    for (const Range& range : Read().listing.ranges) {
      if (range.until) claims.emplace_back(*range.until, range.end);
    }
    EXPECT_GT(claims.size(), 10U);
    for (const auto& [until, lsn] : claims) {
      for (const auto& [time, position] : told) {
        ASSERT_TRUE(time > until || position <= lsn)
            << FormatIso8601(until) << " is claimed at " << lsn.Format() << ", and at "
            << FormatIso8601(time) << " the server had flushed " << position.Format();
      }
    }
    archiver_.reset();
    ASSERT_OK(node.Fence(10s));
  }
}

TEST_F(ArchiverTest, ConfirmsNothingThatTheRepositoryHasNot) {
  Node node = MakeNode(Engines().front(), "n");
  StartPrimary(node);
  if (HasFatalFailure()) return;
  StartArchiver(node, 1);
  Write(node, 1);
  AwaitArchived(node);
  trial_->repository.FailAfter(0, Error(Code::kUnavailable, "the repository is full"));
  Write(node, 3);
  Await([&] { return !archiver_->Read().problem.empty(); });
  const ArchiveStatus status = archiver_->Read();
  EXPECT_NE(status.problem.find("full"), std::string::npos) << status.problem;
  Await([&] { return archiver_->Read().lag_bytes > 2'000'000; });
  EXPECT_EQ(Ask(node, "SELECT restart_lsn <= '" + archiver_->Read().lsn.Format() +
                          "' FROM pg_replication_slots WHERE slot_name = 'howdah_archive'"),
            "t");
  EXPECT_LT(archiver_->Read().lsn, Flushed(node));
  trial_->repository.FailAfter(0, std::nullopt);
  AwaitArchived(node);
  EXPECT_EQ(archiver_->Read().problem, "");
  ExpectSameWal(node);
  archiver_.reset();
}

TEST_F(ArchiverTest, AStopOfTheServerIsArchivedToItsEndAndNeverHeldUp) {
  for (const Engine& engine : Engines()) {
    SCOPED_TRACE(engine.version.Format());
    FreshRepository(false);
    Node node = MakeNode(engine, "n" + std::to_string(++nodes_));
    StartPrimary(node);
    if (HasFatalFailure()) return;
    StartArchiver(node, 1);
    Write(node, 1);
    AwaitArchived(node);
    MonotonicTime began = clock_.Monotonic();
    ASSERT_OK(node.Stop(postgres::StopMode::kFast, 30s));
    EXPECT_LT(clock_.Monotonic() - began, 5s);
    const auto end = node.ReadShutdownEnd();
    ASSERT_OK(end);
    EXPECT_EQ(archiver_->Read().lsn, *end) << "also the checkpoint of the stop";

    ASSERT_OK(node.Start());
    ASSERT_OK(node.AwaitReady(30s));
    AwaitArchived(node);
    trial_->repository.FailAfter(0, Error(Code::kUnavailable, "gone"));
    Write(node, 1);
    began = clock_.Monotonic();
    ASSERT_OK(node.Stop(postgres::StopMode::kFast, 30s));
    EXPECT_LT(clock_.Monotonic() - began, 10s);
    ASSERT_OK(node.ReadShutdownEnd());  // it was not killed
    trial_->repository.FailAfter(0, std::nullopt);
    ASSERT_OK(node.Start());
    ASSERT_OK(node.AwaitReady(30s));
    AwaitArchived(node);
    ExpectSameWal(node);
    archiver_.reset();
    ASSERT_OK(node.Fence(10s));
  }
}

TEST_F(ArchiverTest, SaysAGapAndGoesOnBehindIt) {
  Node node = MakeNode(Engines().front(), "n");
  StartPrimary(node);
  if (HasFatalFailure()) return;
  StartArchiver(node, 1);
  Write(node, 1);
  AwaitArchived(node);
  archiver_->Stop();
  const Lsn had = archiver_->Read().lsn;
  auto admin = node.Connect(5s);
  ASSERT_OK(admin);
  Await([&] { return DropArchiveSlot(*admin, 5s).has_value(); });
  const std::string held = postgres::WalFileName(Timeline{1}, had);
  for (int i = 0; i < 40 && *disk_.Exists(node.paths().Wal() + "/" + held); ++i) {
    Write(node, 1);
    Ask(node, "SELECT pg_switch_wal()");
    ASSERT_OK(admin->Execute("CHECKPOINT", 60s));
  }
  ASSERT_FALSE(*disk_.Exists(node.paths().Wal() + "/" + held));
  for (int round = 0; round < 2; ++round) {  // also one that comes later says it
    StartArchiver(node, 1);
    AwaitArchived(node);
    if (HasFatalFailure()) return;
    const auto gap = archiver_->Read().gap;
    ASSERT_TRUE(gap);
    EXPECT_EQ(gap->start, had);
    EXPECT_EQ(gap->end.value() % kWalSegment, 0U);
    const Coverage coverage = Read().NewestCoverage();
    ASSERT_EQ(coverage.intervals().size(), 2U);
    EXPECT_EQ(coverage.intervals().back().start, gap->end);
  }
  archiver_.reset();
}

TEST_F(ArchiverTest, AnotherServersArchiveIsNotContinued) {
  Node node = MakeNode(Engines().front(), "n");
  StartPrimary(node);
  if (HasFatalFailure()) return;
  trial_->PutWal({.epoch = 1,
                  .timeline = Timeline{1},
                  .start = Lsn(kWalSegment),
                  .end = Lsn(900 * kWalSegment)},
                 "as if");
  StartArchiver(node, 1);
  Await([&] { return archiver_->Read().problem.find("not the server") != std::string::npos; });
  archiver_.reset();
}

}  // namespace
}  // namespace howdah::archive
