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

  double Receive(const std::string& name, const std::vector<std::string>& more, Lsn end) {
    const std::string directory = root_ + "/" + name;
    EXPECT_TRUE(disk_.MakeDirectories(directory));
    system::SpawnSpec spec{.argv = {node_->engine().Program("pg_receivewal"), "-D", directory, "-h",
                                    node_->paths().socket_dir, "-U", "rdsrepladmin", "--slot", name,
                                    "--no-loop", "--endpos", end.Format()},
                           .env = {{"PGPASSWORD", postgres::kTestPassword}}};
    spec.argv.insert(spec.argv.end(), more.begin(), more.end());
    const MonotonicTime began = clock_.Monotonic();
    const auto ran = processes_.Run(spec, 300s);
    EXPECT_TRUE(ran);
    const double seconds = Seconds(began);
    std::printf("%-28s %6.2f s  %5.0f MB/s  %5.0f MB\n", name.c_str(), seconds,
                double(kBytes) / 1e6 / seconds, double(*disk_.TreeBytes(directory)) / 1e6);
    (void)disk_.RemoveTree(directory);
    return seconds;
  }

  double Seconds(MonotonicTime began) const {
    return std::chrono::duration<double>(clock_.Monotonic() - began).count();
  }

  std::optional<postgres::Node> node_;
};

TEST_F(Throughput, DISABLED_BesidePgReceivewal) {
  for (const postgres::Engine& engine : Engines()) {
    if (!*disk_.Exists(engine.Program("pg_receivewal"))) continue;
    node_.emplace(MakeNode(engine, "n"));
    StartPrimary(*node_);
    if (HasFatalFailure()) return;
    Trial trial;
    const std::string place = root_ + "/repository";
    auto repository = repository::DirectoryRepository::Open(place, trial.entropy);
    ASSERT_OK(repository);
    repository::Keys keys(**repository, trial.keyring, trial.entropy);
    const auto archive = [&] {
      return std::make_unique<Archiver>(ArchiverOptions{.instance = kTrialInstance,
                                                        .epoch = 1,
                                                        .socket_dir = node_->paths().socket_dir,
                                                        .password = postgres::kTestPassword},
                                        WriterNeeds{.repository = **repository,
                                                    .keys = keys,
                                                    .entropy = trial.entropy,
                                                    .clock = clock_,
                                                    .log = log_});
    };
    const auto await = [&](Archiver& archiver, Lsn lsn) {
      std::mutex mutex;
      std::unique_lock lock(mutex);
      std::condition_variable nobody;
      while (archiver.Read().lsn < lsn) nobody.wait_for(lock, 2ms);
    };
    auto archiver = archive();
    archiver->Start();
    await(*archiver, Execute("CREATE TABLE public.load (n int, filler char(84), b int, t text)"));
    archiver.reset();
    for (const char* slot : {"plain", "synchronous", "lz4"}) {
      Execute(std::string("SELECT pg_create_physical_replication_slot('") + slot + "', true)");
    }
    const Lsn begin = Execute("");
    Lsn end = begin;
    while (BytesBetween(begin, end) < kBytes) {
      end = Execute(
          "INSERT INTO public.load SELECT n, '', n % 100, md5(n::text) FROM "
          "generate_series(1, 200000) AS n");
    }
    Receive("plain", {}, end);
    Receive("lz4", {"--compress=lz4"}, end);
    Receive("synchronous", {"--synchronous", "--compress=lz4"}, end);
    const MonotonicTime began = clock_.Monotonic();
    archiver = archive();
    archiver->Start();
    await(*archiver, end);
    const double seconds = Seconds(began);
    std::printf("%-28s %6.2f s  %5.0f MB/s  %5.0f MB\n", "archiver", seconds,
                double(kBytes) / 1e6 / seconds, double(*disk_.TreeBytes(place)) / 1e6);
  }
}

}  // namespace
}  // namespace howdah::archive
