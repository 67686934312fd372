// Protects, on a real server: what was asked for comes, no more and no less, and an interrupt ends
// the wait.
#include "archive/receiver.h"

#include <thread>

#include "postgres/observe.h"
#include "postgres/server_test.h"
#include "postgres/wal_end.h"
#include "system/real/interrupt.h"

namespace howdah::archive {
namespace {

using postgres::Lsn;
using postgres::Timeline;

class MemorySink final : public WalSink {
 public:
  Result<> OnHistory(Timeline, std::string_view) override { return {}; }
  Result<> OnWal(Timeline, Lsn start, std::string_view bytes, Lsn, WallTime) override {
    if (wal.empty()) first = start;
    wal += bytes;
    return {};
  }
  Lsn Durable() override { return Lsn(first.value() + wal.size()); }

  Lsn first;
  std::string wal;
};

using ReceiverTest = postgres::ServerTest;

TEST_F(ReceiverTest, BringsExactlyWhatWasAskedForAlsoWhenTheEndIsSaidLater) {
  for (const postgres::Engine& engine : Engines()) {
    SCOPED_TRACE(engine.version.Format());
    postgres::Node node = MakeNode(engine, "n" + std::to_string(engine.version.major));
    StartPrimary(node);
    if (HasFatalFailure()) return;
    auto admin = node.Connect(5s);
    ASSERT_OK(admin);
    const Lsn flushed = *postgres::CurrentFlushLsn(*admin, 5s);
    const Lsn start(flushed.value() - flushed.value() % postgres::kWalSegment);
    system::Interrupt interrupt;
    MemorySink sink;
    WalReceiver receiver({.socket_dir = node.paths().socket_dir,
                          .password = postgres::kTestPassword,
                          .interrupt = interrupt.descriptor()},
                         sink, clock_);
    Result<> ended;
    std::jthread thread([&] { ended = receiver.Run(Timeline{1}, start); });
    ASSERT_OK(
        admin->Execute("SELECT pg_logical_emit_message(true, 'x', repeat('y', 3000000))", 9s));
    const Lsn stop = *postgres::CurrentFlushLsn(*admin, 5s);
    receiver.Stop(stop);
    ASSERT_OK(admin->Execute("SELECT pg_logical_emit_message(true, 'x', 'more')", 9s));
    thread.join();
    ASSERT_OK(ended);
    EXPECT_EQ(sink.first, start);
    EXPECT_EQ(receiver.Received(), stop);
    const auto file =
        disk_.Read(node.paths().Wal() + "/" + postgres::WalFileName(Timeline{1}, start));
    ASSERT_OK(file);
    EXPECT_TRUE(sink.wal == file->substr(0, BytesBetween(start, stop)));

    WalReceiver endless({.socket_dir = node.paths().socket_dir,
                         .password = postgres::kTestPassword,
                         .interrupt = interrupt.descriptor()},
                        sink, clock_);
    std::jthread waiting([&] { ended = endless.Run(Timeline{1}, stop); });
    interrupt.Raise();
    waiting.join();
    EXPECT_EQ(ended.error().code(), Code::kUnavailable);
    interrupt.Clear();
    EXPECT_EQ(endless.Run(Timeline{9}, stop).error().code(), Code::kInternal) << "no such timeline";
    ASSERT_OK(node.Fence(10s));
  }
}

}  // namespace
}  // namespace howdah::archive
