// The socket calls around a handover, on real sockets.
#include "gateway/handover.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cstring>
#include <string>

#include "system/real/pass_descriptor.h"

namespace howdah::gateway {
namespace {

bool IsReadable(int fd) {
  pollfd state{.fd = fd, .events = POLLIN, .revents = 0};
  return ::poll(&state, 1, 0) > 0;
}

class HandoverTest : public testing::Test {
 protected:
  void SetUp() override {
    const int listener = ::socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in name{};
    name.sin_family = AF_INET;
    name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t length = sizeof(name);
    auto* address = reinterpret_cast<sockaddr*>(&name);
    ASSERT_EQ(::bind(listener, address, length), 0);
    ASSERT_EQ(::listen(listener, 1), 0);
    ::getsockname(listener, address, &length);
    client_ = ::socket(AF_INET, SOCK_STREAM, 0);
    ASSERT_EQ(::connect(client_, address, length), 0);
    accepted_ = ::accept(listener, nullptr, nullptr);
    ::close(listener);
    ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM, 0, pair_.data()), 0);
  }
  void TearDown() override {
    for (const int fd : {client_, accepted_, pair_[0], pair_[1]}) ::close(fd);
  }
  void Say(const std::string& text) {
    ASSERT_EQ(::send(client_, text.data(), text.size(), 0), static_cast<ssize_t>(text.size()));
  }
  // As the postmaster does: one byte and one descriptor.
  int Receive() {
    char byte = 0;
    iovec data{.iov_base = &byte, .iov_len = 1};
    alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int))> control{};
    msghdr message{};
    message.msg_iov = &data;
    message.msg_iovlen = 1;
    message.msg_control = control.data();
    message.msg_controllen = control.size();
    EXPECT_EQ(::recvmsg(pair_[1], &message, MSG_DONTWAIT), 1);
    EXPECT_EQ(byte, system::kPassedByte);
    cmsghdr* header = CMSG_FIRSTHDR(&message);
    if (header == nullptr) return -1;
    int fd = -1;
    std::memcpy(&fd, CMSG_DATA(header), sizeof(fd));
    return fd;
  }

  int client_ = -1, accepted_ = -1;
  std::array<int, 2> pair_{-1, -1};
};

TEST_F(HandoverTest, TheReceiverReadsEverythingThatWasLookedAt) {
  Say("first words");
  std::array<char, 64> buffer{};
  const auto peeked = Peek(accepted_, buffer.data(), buffer.size());
  ASSERT_TRUE(peeked);
  EXPECT_EQ(std::string(buffer.data(), peeked->size), "first words");
  ASSERT_TRUE(system::PassDescriptor(pair_[0], accepted_));
  const int received = Receive();
  ASSERT_GE(received, 0);
  ::close(accepted_);
  accepted_ = -1;
  EXPECT_EQ(::recv(received, buffer.data(), buffer.size(), 0), 11);
  ASSERT_EQ(::send(received, "ok", 2, 0), 2);
  EXPECT_EQ(::recv(client_, buffer.data(), buffer.size(), 0), 2);
  // With no copy left here the receiver's close ends the connection.
  ::close(received);
  EXPECT_EQ(::recv(client_, buffer.data(), buffer.size(), 0), 0);
}

TEST_F(HandoverTest, APeerThatIsGoneIsAnError) {
  ::close(pair_[1]);
  pair_[1] = -1;
  EXPECT_FALSE(system::PassDescriptor(pair_[0], accepted_));
}

TEST_F(HandoverTest, PeekDoesNotWaitAndSeesTheEnd) {
  std::array<char, 4> buffer{};
  auto peeked = Peek(accepted_, buffer.data(), buffer.size());
  ASSERT_TRUE(peeked);
  EXPECT_EQ(peeked->size, 0U);
  EXPECT_FALSE(peeked->ended);
  Say("ab");
  ::shutdown(client_, SHUT_WR);
  peeked = Peek(accepted_, buffer.data(), buffer.size());
  ASSERT_TRUE(peeked);
  EXPECT_EQ(peeked->size, 2U);
  EXPECT_TRUE(peeked->ended);
}

TEST_F(HandoverTest, PiecesOfAPacketDoNotWakeUntilItIsWhole) {
  SetLowWater(accepted_, 8);
  Say("1234567");
  EXPECT_FALSE(IsReadable(accepted_));
  Say("8");
  EXPECT_TRUE(IsReadable(accepted_));
}

}  // namespace
}  // namespace howdah::gateway
