// Protects: every commit's time is seen in the piece of WAL in which its record ends, wherever
// reading began and however the bytes were cut.
#include "archive/commit_scan.h"

#include <gtest/gtest.h>

#include <map>

#include "archive/wal_maker_test.h"

namespace howdah::archive {
namespace {

using postgres::kWalPage;
using postgres::kWalSegment;
using postgres::Lsn;

WallTime At(int seconds) {
  return FromMicros(1'700'000'000'000'000 + std::int64_t{seconds} * 1'000'000);
}

// Records of many sizes, over pages and a segment's end; every tenth is a commit.
struct Sample {
  WalMaker maker{kWalSegment - 40 * kWalPage};
  std::map<std::uint64_t, WallTime> commits;  // by the end of the record

  Sample() {
    for (int i = 0; i < 3000; ++i) {
      const auto size = static_cast<std::size_t>((i * 37) % 900);
      if (i % 10 == 0) {
        const unsigned info = i % 20 == 0 ? postgres::wal::kCommit : postgres::wal::kCommitPrepared;
        commits[maker.Commit(At(i), info, size)] = At(i);
      } else if (i % 501 == 7) {
        maker.Record(10, 0, std::string(30'000, 'r'));
      } else {
        maker.Record(1, 0x20, std::string(size, 'a'));  // an abort
      }
    }
  }
};

std::map<std::uint64_t, WallTime> Scan(const WalMaker& maker, std::size_t from, std::size_t piece) {
  CommitScanner scanner;
  std::map<std::uint64_t, WallTime> found;
  const std::string_view bytes = maker.bytes();
  for (std::size_t at = from; at < bytes.size(); at += piece) {
    const std::string_view part = bytes.substr(at, piece);
    scanner.Feed(Lsn(maker.start() + at), part);
    if (const auto time = scanner.TakeNewest()) found[maker.start() + at + part.size()] = *time;
  }
  return found;
}

TEST(CommitScan, FindsEveryCommitByteByByte) {
  const Sample sample;
  EXPECT_GT(sample.maker.at(), kWalSegment + 5 * kWalPage) << "the sample crosses a segment";
  EXPECT_EQ(Scan(sample.maker, 0, 1), sample.commits);
}

TEST(CommitScan, ACommitCountsWhereItsRecordEnds) {
  const Sample sample;
  for (const std::size_t piece : {7UL, 100UL, 8192UL, 10'000UL}) {
    std::map<std::uint64_t, WallTime> want;
    for (const auto& [end, time] : sample.commits) {
      const std::uint64_t offset = end - sample.maker.start();
      const std::uint64_t piece_end = std::min<std::uint64_t>((offset + piece - 1) / piece * piece,
                                                              sample.maker.bytes().size());
      auto& newest = want[sample.maker.start() + piece_end];
      newest = std::max(newest, time);
    }
    EXPECT_EQ(Scan(sample.maker, 0, piece), want) << piece;
  }
}

TEST(CommitScan, FallsIntoStepWhereverItBegins) {
  const Sample sample;
  const auto all = Scan(sample.maker, 0, 1);
  for (std::size_t from = 1; from < 200'000; from += 20011) {
    // From the first page on whose beginning it sees and on which a record begins.
    const auto found = Scan(sample.maker, from, 1);
    const std::uint64_t in_step = sample.maker.start() + from + kWalPage + 31'000;
    const std::map<std::uint64_t, WallTime> want(all.lower_bound(in_step), all.end());
    const std::map<std::uint64_t, WallTime> got(found.lower_bound(in_step), found.end());
    ASSERT_EQ(got, want) << from;
    for (const auto& [end, time] : found) ASSERT_EQ(all.at(end), time) << "never a false one";
  }
}

TEST(CommitScan, GoesOnAfterASwitchAndAfterARecordThatWasGivenUp) {
  WalMaker maker(kWalSegment);
  std::map<std::uint64_t, WallTime> commits;
  commits[maker.Commit(At(1))] = At(1);
  maker.Switch();
  ASSERT_EQ(maker.at(), 2 * kWalSegment);
  commits[maker.Commit(At(2))] = At(2);
  maker.BrokenRecord(50'000);
  commits[maker.Commit(At(3))] = At(3);
  EXPECT_EQ(Scan(maker, 0, 1), commits);
  EXPECT_EQ(Scan(maker, 0, 5), Scan(maker, 0, 5));
}

TEST(CommitScan, AHoleInTheStreamIsABeginning) {
  const Sample sample;
  CommitScanner scanner;
  const std::string_view bytes = sample.maker.bytes();
  scanner.Feed(Lsn(sample.maker.start()), bytes.substr(0, 5000));
  EXPECT_TRUE(scanner.IsInStep());
  scanner.Feed(Lsn(sample.maker.start() + 5100), bytes.substr(5100, 100));
  EXPECT_FALSE(scanner.IsInStep());
}

}  // namespace
}  // namespace howdah::archive
