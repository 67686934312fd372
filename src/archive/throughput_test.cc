// Measures how fast 1 GB of WAL gets from a server into a repository in a directory, beside
// pg_receivewal of the same engine, which writes the same WAL into plain or lz4 files. Run by hand:
//   howdah_archive_test --gtest_also_run_disabled_tests --gtest_filter='*Throughput*'
#include <cstdio>

#include "archive/archiver.h"
#include "archive/slot.h"
#include "archive/trial_test.h"
#include "postgres/observe.h"
#include "postgres/server_test.h"
#include "repository/directory.h"

namespace howdah::archive {
namespace {

constexpr std::uint64_t kBytes = 1'000'000'000;

class Throughput : public postgres::ServerTest {
 protected:
  Lsn Execute(const std::string& sql) {
    auto session = postgres::Connection::Open(node_->AdminOptions("appdb"), clock_, 5s);
    if (session && !sql.empty()) EXPECT_TRUE(session->Execute(sql, 300s));
    const auto lsn = session ? postgres::CurrentFlushLsn(*session, 5s) : Lsn();
    return lsn.value_or(Lsn());
  }

  void Say(const std::string& what, double seconds, const std::string& directory) {
    const double size = double(*disk_.TreeBytes(directory)) / 1e6;
    std::printf("%-12s %6.2f s  %5.0f MB/s  %5.0f MB\n", what.c_str(), seconds,
                double(kBytes) / 1e6 / seconds, size);
    (void)disk_.RemoveTree(directory);
  }

  void Receive(const std::string& what, const std::vector<std::string>& more) {
    const std::string directory = root_ + "/received";
    const std::string slot = what + std::to_string(++slots_);
    EXPECT_TRUE(disk_.MakeDirectories(directory));
    Execute("SELECT pg_copy_physical_replication_slot('keep', '" + slot + "')");
    system::SpawnSpec spec{.argv = {node_->engine().Program("pg_receivewal"), "-D", directory, "-h",
                                    node_->paths().socket_dir, "-U", "rdsrepladmin", "--slot", slot,
                                    "--no-loop", "--endpos", end_.Format()},
                           .env = {{"PGPASSWORD", postgres::kTestPassword}}};
    spec.argv.insert(spec.argv.end(), more.begin(), more.end());
    const MonotonicTime began = clock_.Monotonic();
    EXPECT_TRUE(processes_.Run(spec, 300s));
    Say(what, Seconds(began), directory);
  }

  void Archive() {
    Trial trial;
    const std::string place = root_ + "/repository";
    auto repository = repository::DirectoryRepository::Open(place, trial.entropy);
    ASSERT_OK(repository);
    repository::Keys keys(**repository, trial.keyring, trial.entropy);
    // As if all before had been archived.
    const Range before{.epoch = 1, .timeline = Timeline{1}, .start = Lsn(1), .end = begin_};
    const std::string name = ObjectName(kTrialInstance, before);
    ASSERT_OK((*repository)
                  ->Put(name, repository::SealObject(name, "before", *keys.Make(), trial.entropy)));
    Archiver archiver({.instance = kTrialInstance,
                       .epoch = 1,
                       .socket_dir = node_->paths().socket_dir,
                       .password = postgres::kTestPassword},
                      {.repository = **repository,
                       .keys = keys,
                       .entropy = trial.entropy,
                       .clock = clock_,
                       .log = log_});
    const MonotonicTime began = clock_.Monotonic();
    archiver.Start();
    std::mutex mutex;
    std::unique_lock lock(mutex);
    std::condition_variable nobody;
    while (archiver.Read().lsn < end_) nobody.wait_for(lock, 2ms);
    const double seconds = Seconds(began);
    archiver.Stop();
    Say("archiver", seconds, place);
  }

  double Seconds(MonotonicTime began) const {
    return std::chrono::duration<double>(clock_.Monotonic() - began).count();
  }

  std::optional<postgres::Node> node_;
  Lsn begin_, end_;
  int slots_ = 0;
};

TEST_F(Throughput, DISABLED_BesidePgReceivewal) {
  for (const postgres::Engine& engine : Engines()) {
    if (!*disk_.Exists(engine.Program("pg_receivewal"))) continue;
    node_.emplace(MakeNode(engine, "n"));
    StartPrimary(*node_);
    if (HasFatalFailure()) return;
    Execute("CREATE TABLE public.load (n int, filler char(84), b int, t text)");
    Execute("SELECT pg_switch_wal()");
    Execute("CHECKPOINT");
    Execute("SELECT pg_create_physical_replication_slot('keep', true)");
    begin_ = end_ = Execute("");
    while (BytesBetween(begin_, end_) < kBytes) {
      end_ = Execute(
          "INSERT INTO public.load SELECT n, '', n % 100, md5(n::text) FROM "
          "generate_series(1, 200000) AS n");
    }
    Execute("CHECKPOINT");
    for (int round = 0; round < 4; ++round) {
      Receive("plain", {});
      Receive("lz4", {"--compress=lz4"});
      Receive("synchronous", {"--synchronous", "--compress=lz4"});
      Archive();
      if (HasFatalFailure()) return;
    }
  }
}

}  // namespace
}  // namespace howdah::archive
