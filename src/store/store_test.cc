// The contract suite on SQLite, and what is SQLite's own: the file, its lock, its damage, its
// limit.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "store/fault_store.h"
#include "store/sqlite/sqlite_store.h"
#include "store/store_contract.h"
#include "system/fake/fake_clock.h"
#include "system/fake/seeded_entropy.h"

namespace howdah::store {
namespace {

class TemporaryDirectory {
 public:
  TemporaryDirectory() {
    std::string name = (std::filesystem::temp_directory_path() / "howdah-store-XXXXXX").string();
    path_ = mkdtemp(name.data());
  }
  ~TemporaryDirectory() { std::filesystem::remove_all(path_); }
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;
  std::string File(const std::string& name) const { return (path_ / name).string(); }

 private:
  std::filesystem::path path_;
};

class SqliteUnderTest final : public StoreUnderTest {
 public:
  SqliteUnderTest() { Open(); }

  Store& store() override { return *store_; }
  void Restart() override {
    store_.reset();
    Open();
  }
  void PassTime(Duration time) override { clock_.Advance(time); }
  void ForgetHistory() override {
    for (int i = 0; i < 11'100; ++i) {
      (void)store_->Commit({.compares = {}, .puts = {{"/forget", "x", ""}}, .deletes = {}});
    }
  }

 private:
  void Open() {
    auto opened = OpenSqlite(directory_.File("store"), clock_, entropy_, {.durable = false});
    ASSERT_TRUE(opened) << opened.error().what();
    store_ = *std::move(opened);
  }

  TemporaryDirectory directory_;
  system::FakeClock clock_;
  system::SeededEntropy entropy_;
  std::unique_ptr<Store> store_;
};

std::unique_ptr<StoreUnderTest> MakeSqlite() {
  return std::make_unique<SqliteUnderTest>();
}
INSTANTIATE_TEST_SUITE_P(Sqlite, StoreContract, testing::Values(&MakeSqlite));

class SqliteStoreTest : public testing::Test {
 protected:
  Result<std::unique_ptr<Store>> Open(SqliteOptions options = {}) {
    return OpenSqlite(path_, clock_, entropy_, options);
  }
  static Result<Revision> PutText(Store& store, const std::string& key, std::string value) {
    return store.Commit({.compares = {}, .puts = {{key, std::move(value), ""}}, .deletes = {}});
  }

  TemporaryDirectory directory_;
  const std::string path_ = directory_.File("store");
  system::FakeClock clock_;
  system::SeededEntropy entropy_;
};

TEST_F(SqliteStoreTest, NobodyElseMayReadTheFiles) {
  const auto store = Open();
  ASSERT_TRUE(store);
  ASSERT_TRUE(PutText(**store, "/a", "1"));
  for (const char* suffix : {"", "-wal", "-shm", ".lock"}) {
    struct stat is = {};
    ASSERT_EQ(stat((path_ + suffix).c_str(), &is), 0) << suffix;
    EXPECT_EQ(is.st_mode & 0777U, 0600U) << suffix;
  }
}

TEST_F(SqliteStoreTest, ASecondOpenIsRefusedUntilTheFirstIsGone) {
  auto first = Open();
  ASSERT_TRUE(first);
  const auto second = Open();
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code(), Code::kInUse);
  first->reset();
  EXPECT_TRUE(Open());
}

TEST_F(SqliteStoreTest, ADurableStoreKeepsWhatItAcknowledged) {
  {
    const auto store = Open();
    ASSERT_TRUE(PutText(**store, "/a", "1"));
  }
  EXPECT_EQ((*Open())->Get("/a")->value, "1");
}

TEST_F(SqliteStoreTest, AFileThatIsNoStoreIsSaidToBeDamagedAndIsLeftAlone) {
  const std::string text(5000, 'x');
  std::ofstream(path_) << text;
  const auto store = Open();
  ASSERT_FALSE(store);
  EXPECT_EQ(store.error().code(), Code::kCorrupt);
  EXPECT_NE(store.error().what().find("backup"), std::string::npos) << "says what to do";
  std::ifstream in(path_);
  EXPECT_EQ(std::string(std::istreambuf_iterator<char>(in), {}), text);
}

TEST_F(SqliteStoreTest, ADamagedPageIsFoundWhenOpening) {
  {
    const auto store = Open();
    for (int i = 0; i < 200; ++i) {
      ASSERT_TRUE(PutText(**store, fmt::format("/{}", i), std::string(500, 'v')));
    }
  }
  const int file = open(path_.c_str(), O_RDWR | O_CLOEXEC);
  const std::string noise(4096, '\x5a');
  for (int page = 6; page < 12; ++page)
    ASSERT_EQ(pwrite(file, noise.data(), 4096, page * 4096), 4096);
  close(file);
  const auto store = Open();
  ASSERT_FALSE(store);
  EXPECT_EQ(store.error().code(), Code::kCorrupt);
}

TEST_F(SqliteStoreTest, AFullDiskIsSaidAndNothingIsHalfDone) {
  const auto store = Open({.durable = false, .max_bytes = 400'000});
  ASSERT_TRUE(store);
  const auto first = PutText(**store, "/a", "1");
  ASSERT_TRUE(first);
  const auto full =
      (*store)->Commit({.compares = {},
                        .puts = {{"/a", "2", ""}, {"/big", std::string(1'000'000, 'x'), ""}},
                        .deletes = {}});
  ASSERT_FALSE(full);
  EXPECT_EQ(full.error().code(), Code::kUnavailable);  // a client may try again
  EXPECT_NE(full.error().what().find(path_), std::string::npos) << full.error().what();
  EXPECT_EQ((*store)->Get("/a")->value, "1");
  EXPECT_EQ(*PutText(**store, "/a", "3"), *first + 1) << "goes on when there is room";
}

TEST_F(SqliteStoreTest, HistoryIsKeptForTenThousandRevisions) {
  const auto store = Open({.durable = false});
  for (int i = 1; i <= 12'500; ++i) ASSERT_TRUE(PutText(**store, "/a", std::to_string(i)));
  auto watch = *(*store)->WatchFrom("/", 2'501);
  EXPECT_EQ(watch->Next(Duration(0))->front().value, "2501");
  EXPECT_FALSE((*(*store)->WatchFrom("/", 1'000))->Next(Duration(0)));
}

TEST_F(SqliteStoreTest, FaultsStrikeBeforeOrAfterTheEffect) {
  const auto inner = Open({.durable = false});
  FaultPlan plan;
  FaultStore store(**inner, plan);
  plan.ArmCrash(2, FaultPlan::When::kBefore);
  ASSERT_TRUE(PutText(store, "/a", "1"));
  EXPECT_THROW((void)PutText(store, "/a", "2"), SimulatedCrash);
  EXPECT_EQ(store.Get("/a")->value, "1");
  plan.ArmCrash(1, FaultPlan::When::kAfter);
  EXPECT_THROW((void)PutText(store, "/a", "3"), SimulatedCrash);
  EXPECT_EQ(store.Get("/a")->value, "3");
  plan.Arm(1, FaultPlan::When::kBefore, [] { return Error(Code::kExhausted, "full"); });
  EXPECT_EQ(PutText(store, "/a", "4").error().code(), Code::kExhausted);
  EXPECT_EQ(store.Get("/a")->value, "3");
}

}  // namespace
}  // namespace howdah::store
