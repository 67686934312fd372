// Protects: what a timeline's history file says, what a delta copy writes and removes, the names of
// WAL segments, and that WAL which is not whole is no WAL.
#include <gtest/gtest.h>

#include "postgres/delta_sink.h"
#include "postgres/set_aside.h"
#include "postgres/timeline.h"
#include "postgres/wal_end.h"
#include "system/real/posix_disk.h"

namespace howdah::postgres {
namespace {

TEST(TimelineHistory, SaysWhereEachAncestorWasLeft) {
  const auto history = ParseTimelineHistory(
      "1\t0/3000158\tno recovery target specified\n\n# a remark\n2\t1/5000000\tbefore 2026\n");
  ASSERT_TRUE(history) << history.error().what();
  EXPECT_EQ(*history,
            (std::vector<TimelineSwitch>{{.timeline = Timeline{1}, .end = Lsn(0x3000158)},
                                         {.timeline = Timeline{2}, .end = Lsn(0x105000000)}}));
  const PrimaryHistory primary{.timeline = Timeline{3}, .ancestors = *history};
  EXPECT_EQ(primary.ForkOf(Timeline{2}), Lsn(0x105000000));
  EXPECT_FALSE(primary.ForkOf(Timeline{3}));
}

TEST(TimelineHistory, OtherBytesAreRefused) {
  for (const char* bad : {"x\t0/1\t\n", "1\n", "1 \n", "0\t0/1\n", "1\t0\n", "1\tzz/1\n",
                          "2\t0/1\n1\t0/2\n", "1\t0/1\n1\t0/2\n", "-1\t0/1\n"}) {
    EXPECT_FALSE(ParseTimelineHistory(bad)) << bad;
  }
  EXPECT_TRUE(ParseTimelineHistory("")->empty());
}

TEST(WalFiles, AreNamedByTimelineAndSegment) {
  EXPECT_EQ(WalFileName(Timeline{1}, Lsn(0x3000158)), "000000010000000000000003");
  EXPECT_EQ(WalFileName(Timeline{0x1a}, Lsn(0x2ff000000)), "0000001A00000002000000FF");
  const auto file = ParseWalFileName("0000001A00000002000000FF");
  ASSERT_TRUE(file);
  EXPECT_EQ(file->timeline, Timeline{0x1a});
  EXPECT_EQ(file->start, Lsn(0x2ff000000));
  for (const char* other : {"00000002.history", "archive_status", "", "00000001000000000000000G",
                            "000000010000000000000003.partial"}) {
    EXPECT_FALSE(ParseWalFileName(other)) << other;
  }
}

TEST(WalEnd, PagesThatAreNoneHaveNoRecord) {
  const WalPages none = [](std::uint64_t) { return std::nullopt; };
  const WalPages zeros = [](std::uint64_t) { return std::string(kWalPage, '\0'); };
  const WalPages ones = [](std::uint64_t) { return std::string(kWalPage, '\xff'); };
  for (const WalPages& pages : {none, zeros, ones}) {
    EXPECT_FALSE(FollowRecords(pages, Lsn(kWalSegment + 40), 10));
    EXPECT_FALSE(FollowRecords(pages, Lsn(kWalSegment), 10));
    EXPECT_FALSE(FollowRecords(pages, Lsn(kWalSegment + 43), 10));
  }
}

class DeltaSinkTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = testing::TempDir() + "howdah-delta-XXXXXX";
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    root_ = pattern;
  }
  void TearDown() override { (void)disk_.RemoveTree(root_); }

  void Put(DeltaSink& sink, const std::string& path, const std::string& contents) {
    ASSERT_TRUE(sink.OnEntry({.path = path, .size_bytes = contents.size(), .link_target = ""}));
    for (std::size_t at = 0; at < contents.size(); at += 1000) {
      ASSERT_TRUE(sink.OnData(std::string_view(contents).substr(at, 1000)));
    }
    ASSERT_TRUE(sink.OnEntryEnd());
  }
  std::string Read(const std::string& path) {
    return disk_.Read(root_ + "/" + path).value_or("absent");
  }
  void Write(const std::string& path, const std::string& contents) {
    ASSERT_TRUE(disk_.WriteDurably(root_ + "/" + path, contents));
  }

  system::PosixDisk disk_;
  std::string root_;
};

TEST_F(DeltaSinkTest, OnlyBlocksThatDifferAreWritten) {
  std::string contents(8192 * 300 + 17, 'a');
  Write("same", contents);
  Write("one", contents);
  contents[8192 * 200 + 5] = 'b';
  DeltaSink sink(disk_, root_);
  Put(sink, "same", std::string(8192 * 300 + 17, 'a'));
  EXPECT_EQ(sink.written_bytes(), 0U);
  Put(sink, "one", contents);
  EXPECT_EQ(sink.written_bytes(), 8192U);
  EXPECT_EQ(Read("one"), contents);
}

TEST_F(DeltaSinkTest, FilesGrowShrinkComeAndGo) {
  ASSERT_TRUE(disk_.MakeDirectories(root_ + "/old/deep"));
  ASSERT_TRUE(disk_.MakeDirectories(root_ + "/base"));
  ASSERT_TRUE(disk_.MakeDirectories(root_ + "/was_directory"));
  Write("old/deep/file", "x");
  Write("base/longer", std::string(20000, 'l'));
  Write("base/shorter", "s");
  Write("base/gone", "g");
  Write("was_file", "f");
  Write("postmaster.pid", "1");
  DeltaSink sink(disk_, root_);
  ASSERT_TRUE(
      sink.OnEntry({.path = "", .type = TarType::kDirectory, .size_bytes = 0, .link_target = ""}));
  ASSERT_TRUE(sink.OnEntry(
      {.path = "was_file", .type = TarType::kDirectory, .size_bytes = 0, .link_target = ""}));
  ASSERT_TRUE(sink.OnEntryEnd());
  Put(sink, "base/longer", "now short");
  Put(sink, "base/shorter", std::string(20000, 's'));
  Put(sink, "new/empty", "");
  Put(sink, "was_directory", "file");
  ASSERT_TRUE(sink.Finish());
  EXPECT_EQ(Read("base/longer"), "now short");
  EXPECT_EQ(Read("base/shorter"), std::string(20000, 's'));
  EXPECT_EQ(Read("new/empty"), "");
  EXPECT_EQ(Read("was_directory"), "file");
  EXPECT_TRUE(disk_.Inspect(root_ + "/was_file")->is_directory);
  EXPECT_EQ(*disk_.List(root_),
            (std::vector<std::string>{"base", "new", "was_directory", "was_file"}));
  EXPECT_EQ(*disk_.List(root_ + "/base"), (std::vector<std::string>{"longer", "shorter"}));
}

TEST_F(DeltaSinkTest, LinksAreNotFollowedOutOfTheDirectory) {
  DeltaSink sink(disk_, root_);
  EXPECT_EQ(sink.OnEntry({.path = "pg_tblspc/1",
                          .type = TarType::kSymlink,
                          .size_bytes = 0,
                          .link_target = "/elsewhere"})
                .error()
                .code(),
            Code::kUnsupported);
}

TEST_F(DeltaSinkTest, SegmentsFromTheForkOnAreSetAside) {
  ASSERT_TRUE(disk_.MakeDirectories(root_ + "/wal"));
  for (const char* name :
       {"000000010000000000000002", "000000010000000000000003", "000000010000000000000004",
        "000000010000000000000005", "000000020000000000000003", "00000002.history"}) {
    Write(std::string("wal/") + name, name);
  }
  SetAsideSpec spec{.wal_directory = root_ + "/wal",
                    .target = root_ + "/lost/epoch-2",
                    .timeline = Timeline{1},
                    .fork = Lsn(0x3000158),
                    .end = Lsn(0x4000100),
                    .most = 10 * kWalSegment};
  ASSERT_TRUE(SetWalAside(disk_, spec));
  EXPECT_EQ(
      *disk_.List(spec.target),
      (std::vector<std::string>{"000000010000000000000003", "000000010000000000000004", "README"}));
  spec.target = root_ + "/lost/epoch-3";
  spec.most = kWalSegment;
  ASSERT_TRUE(SetWalAside(disk_, spec));
  EXPECT_EQ(*disk_.List(spec.target),
            (std::vector<std::string>{"000000010000000000000003", "README"}));
  ASSERT_TRUE(KeepNewest(disk_, root_ + "/lost", 1));
  EXPECT_EQ(*disk_.List(root_ + "/lost"), std::vector<std::string>{"epoch-3"});
}

}  // namespace
}  // namespace howdah::postgres
