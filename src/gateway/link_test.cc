// One relayed session on real sockets: nothing is lost or reordered however slow the sides are, and
// ends are passed on.
#include "gateway/link.h"

#include <gtest/gtest.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include <array>
#include <vector>

#include "system/real/file_descriptor.h"

namespace howdah::gateway {
namespace {

class LinkTest : public testing::Test {
 protected:
  LinkTest() : epoll_(::epoll_create1(EPOLL_CLOEXEC)) {
    auto [client, its_end] = Pair();
    auto [backend, other_end] = Pair();
    client_ = std::move(client);
    backend_ = std::move(backend);
    link_.emplace(1, epoll_.get(), std::move(its_end), nullptr, std::move(other_end));
    link_->Begin(buffer_);
  }

  static std::pair<system::FileDescriptor, system::FileDescriptor> Pair() {
    std::array<int, 2> fds{-1, -1};
    ::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds.data());
    return {system::FileDescriptor(fds[0]), system::FileDescriptor(fds[1])};
  }

  // Moves all that can be moved now.
  void Settle() {
    std::array<epoll_event, 4> events;
    for (;;) {
      const int count = ::epoll_wait(epoll_.get(), events.data(), 4, 0);
      if (count == 0 && !link_->is_busy()) return;
      for (int i = 0; i < count; ++i)
        link_->Handle(static_cast<Link::Side>(events[i].data.u64 & 1), events[i].events, buffer_);
      if (link_->is_busy()) link_->GoOn(buffer_);
    }
  }

  static std::string ReadAll(int fd, std::size_t at_most = 1 << 20) {
    std::string got(at_most, '\0');
    const Progress progress = ReadSome(fd, got);
    got.resize(progress.count);
    return got;
  }
  static bool IsAtEnd(int fd) {
    std::array<char, 1> byte;
    return ReadSome(fd, byte).state == Progress::State::kEnded;
  }

  // As much as the gateway takes, then reads and sends in turns until all has arrived.
  void ExpectWhole(int from, int to) {
    std::string sent(3'000'000, '\0');
    for (std::size_t i = 0; i < sent.size(); ++i) sent[i] = static_cast<char>(i * 7 + i / 251);
    std::string arrived;
    std::size_t at = 0;
    for (int turns = 0; arrived.size() < sent.size() && turns < 10000; ++turns) {
      at += WriteSome(from, std::string_view(sent).substr(at)).count;
      Settle();
      arrived += ReadAll(to, 50'000);
      Settle();
    }
    EXPECT_TRUE(arrived == sent);
  }

  system::FileDescriptor epoll_;
  system::FileDescriptor client_, backend_;
  std::array<char, 4096> buffer_;
  std::optional<Link> link_;
};

TEST_F(LinkTest, PassesBothWays) {
  WriteSome(client_.get(), "select");
  WriteSome(backend_.get(), "row");
  Settle();
  EXPECT_EQ(ReadAll(backend_.get()), "select");
  EXPECT_EQ(ReadAll(client_.get()), "row");
}

TEST_F(LinkTest, MuchDataThroughASlowSideArrivesWhole) {
  ExpectWhole(client_.get(), backend_.get());
  ExpectWhole(backend_.get(), client_.get());
}

TEST_F(LinkTest, AStalledClientStopsTheBackendAndNotItsOwnInput) {
  const std::string much(1 << 16, 'x');
  std::size_t taken = 0;
  for (int i = 0; i < 200; ++i) {
    taken += WriteSome(backend_.get(), much).count;
    Settle();
  }
  EXPECT_LT(taken, much.size() * 100);  // sockets' buffers, and one of ours
  WriteSome(client_.get(), "cancel");
  Settle();
  EXPECT_EQ(ReadAll(backend_.get()), "cancel");
}

TEST_F(LinkTest, TakesTurnsWhenThereIsMuch) {
  while (WriteSome(client_.get(), std::string(1 << 14, 'x')).count > 0) continue;
  std::array<epoll_event, 4> events;
  ASSERT_GT(::epoll_wait(epoll_.get(), events.data(), 4, 0), 0);
  link_->Handle(Link::Side::kClient, EPOLLIN, buffer_);
  EXPECT_TRUE(link_->is_busy());
}

TEST_F(LinkTest, HalfCloseIsPassedOnAndTheAnswerStillComes) {
  WriteSome(client_.get(), "last");
  ::shutdown(client_.get(), SHUT_WR);
  Settle();
  EXPECT_EQ(ReadAll(backend_.get()), "last");
  EXPECT_TRUE(IsAtEnd(backend_.get()));
  EXPECT_FALSE(link_->is_over());
  WriteSome(backend_.get(), "answer");
  backend_ = system::FileDescriptor();
  Settle();
  EXPECT_EQ(ReadAll(client_.get()), "answer");
  EXPECT_TRUE(link_->is_over());
}

TEST_F(LinkTest, TheBackendsLastWordsReachAClientThatStillSpeaks) {
  WriteSome(backend_.get(), "terminating");
  backend_ = system::FileDescriptor();
  WriteSome(client_.get(), "select");
  Settle();
  WriteSome(client_.get(), "select");
  Settle();
  EXPECT_TRUE(link_->is_ending());
  EXPECT_FALSE(link_->is_over());
  EXPECT_EQ(ReadAll(client_.get()), "terminating");
  EXPECT_TRUE(IsAtEnd(client_.get()));
  client_ = system::FileDescriptor();
  Settle();
  EXPECT_TRUE(link_->is_over());
}

TEST_F(LinkTest, AClientThatIsGoneEndsTheSession) {
  client_ = system::FileDescriptor();
  WriteSome(backend_.get(), "row");
  Settle();
  EXPECT_TRUE(link_->is_over() || IsAtEnd(backend_.get()));
}

}  // namespace
}  // namespace howdah::gateway
