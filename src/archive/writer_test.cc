// Protects: what is received gets into the repository in order and whole, whatever the repository
// does; nothing counts as durable before; small objects become one, and go only then.
#include "archive/writer.h"

#include <algorithm>
#include <thread>

#include "archive/trial_test.h"
#include "archive/wal_maker_test.h"
#include "system/real/real_clock.h"

namespace howdah::archive {
namespace {

using postgres::kWalSegment;

WallTime At(int seconds) {
  return FromMicros(1'700'000'000'000'000 + std::int64_t{seconds} * 1'000'000);
}

class WriterTest : public testing::Test {
 protected:
  void Begin(std::int64_t epoch = 1, Duration group_age = 1ms) {
    queue_.emplace(clock_, group_age);
    writer_.emplace(kTrialInstance, epoch,
                    WriterNeeds{.repository = trial_.repository,
                                .keys = trial_.keys,
                                .entropy = trial_.entropy,
                                .clock = clock_,
                                .log = log_},
                    *queue_);
    ASSERT_TRUE(writer_->Adopt(trial_.Read().listing.ranges));
    queue_->Begin(Lsn(at_), Lsn(at_), Timeline{1}, {.timeline = Timeline{1}, .flushed = Lsn(at_)});
  }
  void Start() {
    thread_ = std::jthread([this](std::stop_token stop) { writer_->Run(stop); });
  }
  void Stop() {
    thread_.request_stop();
    thread_.join();
  }
  void Receive(const std::string& bytes) {
    ASSERT_TRUE(queue_->OnWal(Timeline{1}, Lsn(at_), bytes, Lsn(at_ + bytes.size()), At(++now_)));
    at_ += bytes.size();
  }
  // One group, written before the next begins.
  void ReceiveAlone(const std::string& bytes) {
    Receive(bytes);
    ASSERT_TRUE(queue_->AwaitEmpty(std::stop_token()));
  }
  // Waits until it holds; the writer works meanwhile.
  template <typename Condition>
  bool Eventually(Condition condition) {
    std::mutex mutex;
    std::unique_lock lock(mutex);
    std::condition_variable nobody;
    for (int i = 0; i < 2000; ++i) {
      if (condition()) return true;
      nobody.wait_for(lock, 5ms);
    }
    return false;
  }
  std::vector<Range> Ranges() { return trial_.Read().listing.ranges; }

  Trial trial_;
  system::RealClock clock_;
  Log log_;
  std::optional<WalQueue> queue_;
  std::optional<Writer> writer_;
  std::jthread thread_;
  std::uint64_t at_ = kWalSegment;
  int now_ = 0;
};

TEST_F(WriterTest, AGroupEndsWithItsSegmentAndSaysWhatIsInIt) {
  Begin(7, 10s);
  WalMaker maker(kWalSegment);
  while (maker.at() < 2 * kWalSegment + 50'000) {
    maker.Commit(At(100));
    maker.Record(10, 0, std::string(7000, 'r'));
  }
  const std::string& wal = maker.bytes();
  Receive(wal.substr(0, 1000));
  Receive(wal.substr(1000));
  Start();
  ASSERT_TRUE(Eventually([&] { return queue_->Durable() >= Lsn(2 * kWalSegment); }));
  EXPECT_EQ(queue_->Durable(), Lsn(2 * kWalSegment)) << "the rest waits for more";
  EXPECT_TRUE(queue_->OnHurry());
  ASSERT_TRUE(Eventually([&] { return queue_->Durable() == Lsn(at_); }));
  Stop();
  auto ranges = Ranges();
  std::erase_if(ranges, [](const Range& range) { return range.IsMark(); });
  ASSERT_EQ(ranges.size(), 2U);
  EXPECT_EQ(ranges[0].epoch, 7);
  EXPECT_EQ(ranges[0].end, Lsn(2 * kWalSegment));
  EXPECT_EQ(ranges[0].commit, At(100));
  EXPECT_FALSE(ranges[0].until) << "the server had flushed more by then";
  EXPECT_EQ(ranges[1].until, At(1));
  EXPECT_TRUE(*trial_.reader.Read(ObjectName(kTrialInstance, ranges[0])) ==
              wal.substr(0, kWalSegment));
}

TEST_F(WriterTest, NothingIsDurableWhileTheRepositoryFailsAndAllIsAfterwards) {
  Begin();
  Start();
  trial_.repository.FailAfter(0, Error(Code::kUnavailable, "it is full"));
  ASSERT_TRUE(queue_->OnHistory(Timeline{1}, "# the first\n"));
  Receive(std::string(1000, 'a'));
  ASSERT_TRUE(Eventually([&] { return !writer_->Problem().empty(); }));
  EXPECT_NE(writer_->Problem().find("it is full"), std::string::npos) << writer_->Problem();
  EXPECT_EQ(queue_->Durable(), Lsn(kWalSegment));
  trial_.repository.FailAfter(0, std::nullopt);
  ASSERT_TRUE(Eventually([&] { return queue_->Durable() == Lsn(at_); }));
  EXPECT_EQ(writer_->Problem(), "");
  Stop();
  EXPECT_EQ(Ranges().size(), 1U);
  EXPECT_EQ(trial_.Read().listing.histories.size(), 1U);
}

TEST_F(WriterTest, ANewEpochReplacesWhatAFormerOneHasInOnePiece) {
  Begin();
  queue_->Begin(Lsn(at_), Lsn(at_ + 100), Timeline{1},
                {.timeline = Timeline{1}, .flushed = Lsn(at_ + 150)});
  EXPECT_EQ(queue_->Durable(), Lsn(at_ + 100));
  Start();
  Receive(std::string(50, 'a'));
  EXPECT_TRUE(queue_->OnHurry());
  queue_->End();  // the stream broke: what came is in the repository already
  ASSERT_TRUE(queue_->AwaitEmpty(std::stop_token()));
  EXPECT_TRUE(Ranges().empty());
  at_ -= 50;
  queue_->Begin(Lsn(at_), Lsn(at_ + 100), Timeline{1},
                {.timeline = Timeline{1}, .flushed = Lsn(at_ + 150)});
  Receive(std::string(50, 'a'));
  Receive(std::string(70, 'b'));
  ASSERT_TRUE(Eventually([&] { return queue_->Durable() == Lsn(at_); }));
  Stop();
  EXPECT_EQ(Ranges().front().size_bytes(), 120U);
}

TEST_F(WriterTest, AStoppingServerWaitsForAFailingRepositoryOnlyShortly) {
  Begin();
  trial_.repository.FailAfter(0, Error(Code::kUnavailable, "gone"));
  Start();
  Receive("wal");
  const MonotonicTime began = clock_.Monotonic();
  EXPECT_TRUE(Eventually([&] { return !queue_->OnHurry(); }));
  EXPECT_LT(clock_.Monotonic() - began, 4s);
  Stop();
}

TEST_F(WriterTest, WithoutRoomNothingMoreIsTaken) {
  Begin();
  while (queue_->AwaitRoom(0s)) Receive(std::string(1 << 20, 'x'));
  EXPECT_LE(at_ - kWalSegment, WalQueue::kMostBytes + (1 << 20));
  Start();
  EXPECT_TRUE(queue_->AwaitRoom(10s));
  Stop();
}

TEST_F(WriterTest, SmallObjectsBecomeOneAndThenGo) {
  Begin();
  Start();
  std::string all;
  for (std::size_t i = 0; i < kMostParts; ++i) {
    all += std::string(10, static_cast<char>('a' + i % 26));
    ReceiveAlone(all.substr(all.size() - 10));
  }
  ASSERT_TRUE(Eventually([&] {
    return std::ranges::count_if(Ranges(), [](const Range& range) { return !range.IsMark(); }) == 1;
  }));
  const auto ranges = Ranges();
  const auto one = std::ranges::find_if(ranges, [](const auto& range) { return !range.IsMark(); });
  EXPECT_EQ(one->start, Lsn(kWalSegment));
  EXPECT_EQ(one->end, Lsn(at_));
  EXPECT_EQ(*trial_.reader.Read(ObjectName(kTrialInstance, *one)), all);
  Stop();
}

TEST_F(WriterTest, WhatAMergeLeftWhenItWasCutGoesWithTheNextStart) {
  const auto put = [&](std::uint64_t start, std::uint64_t end) {
    trial_.PutWal({.epoch = 1, .timeline = Timeline{1}, .start = Lsn(start), .end = Lsn(end)},
                  std::string(end - start, 'x'));
  };
  put(100, 200);
  put(200, 300);
  put(100, 300);
  at_ = 300;
  Begin();
  Start();
  ASSERT_TRUE(Eventually([&] { return Ranges().size() == 1; }));
  EXPECT_EQ(Ranges().front().end, Lsn(300));
  Stop();
}

TEST_F(WriterTest, AnIdleServersTimeIsMarkedAndOnlyTheNewestMarkStays) {
  Begin();
  writer_->SetMarkInterval(1s);
  Start();
  ReceiveAlone("wal");
  for (int second = 10; second < 13; ++second) {
    ASSERT_TRUE(queue_->OnAnswer(Lsn(at_), At(second)));
    ASSERT_TRUE(queue_->OnAnswer(Lsn(at_), At(second + 1)));
    ASSERT_TRUE(Eventually([&] {
      const auto ranges = Ranges();
      return ranges.size() == 2 && ranges.back().IsMark() && ranges.back().until == At(second);
    }));
  }
  EXPECT_EQ(trial_.Read().NewestCoverage().Newest(Lsn(kWalSegment))->until, At(12));
  Stop();
}

TEST_F(WriterTest, AnIdleServersTimeIsMarkedAlsoByOneThatHasWrittenNothingYet) {
  Begin();
  Start();
  ReceiveAlone("wal");
  Stop();
  Begin();
  Start();
  ASSERT_TRUE(queue_->OnAnswer(Lsn(at_), At(50)));
  ASSERT_TRUE(queue_->OnAnswer(Lsn(at_), At(51)));
  ASSERT_TRUE(Eventually([&] {
    const auto newest = trial_.Read().NewestCoverage().Newest(Lsn(kWalSegment));
    return newest && newest->until == At(50);
  }));
  Stop();
}

TEST_F(WriterTest, AnEpochGoesOnWithItsKey) {
  Begin();
  Start();
  ReceiveAlone("one");
  Stop();
  const auto keys = trial_.repository.List("keys/");
  Begin();
  Start();
  ReceiveAlone("two");
  Stop();
  EXPECT_EQ(trial_.repository.List("keys/")->size(), keys->size());
}

}  // namespace
}  // namespace howdah::archive
