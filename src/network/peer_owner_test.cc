// The kernel's answer counts only for an established peer that a process holds.
#include "network/peer_owner.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

namespace howdah::network {
namespace {

// A connection over loopback, with both ends in this process.
class PeerOwnerTest : public testing::Test {
 protected:
  void SetUp() override {
    listener_ = Bind("127.77.0.1");
    ASSERT_EQ(listen(listener_, 4), 0);
    server_ = Name(listener_);
    client_fd_ = Bind("127.77.0.2");
    client_ = Name(client_fd_);
    ASSERT_EQ(connect(client_fd_, reinterpret_cast<sockaddr*>(&server_), sizeof(server_)), 0);
    accepted_ = accept(listener_, nullptr, nullptr);
    ASSERT_GE(accepted_, 0);
  }
  void TearDown() override {
    for (const int fd : {listener_, client_fd_, accepted_})
      if (fd >= 0) close(fd);
  }
  void CloseClient() {
    close(client_fd_);
    client_fd_ = -1;
  }

  static int Bind(const char* address) {
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in name{};
    name.sin_family = AF_INET;
    inet_pton(AF_INET, address, &name.sin_addr);
    EXPECT_EQ(bind(fd, reinterpret_cast<sockaddr*>(&name), sizeof(name)), 0);
    return fd;
  }
  static sockaddr_in Name(int fd) {
    sockaddr_in name{};
    socklen_t length = sizeof(name);
    EXPECT_EQ(getsockname(fd, reinterpret_cast<sockaddr*>(&name), &length), 0);
    return name;
  }
  static Endpoint ToEndpoint(const sockaddr_in& name) {
    return {Ipv4(ntohl(name.sin_addr.s_addr)), ntohs(name.sin_port)};
  }

  int listener_ = -1, client_fd_ = -1, accepted_ = -1;
  sockaddr_in server_{}, client_{};
};

TEST_F(PeerOwnerTest, TellsWhoHoldsThePeer) {
  EXPECT_EQ(PeerOwner(accepted_), getuid());
  EXPECT_EQ(SocketOwner(ToEndpoint(client_), ToEndpoint(server_)), getuid());
}

TEST_F(PeerOwnerTest, FollowsTheSocketsOwnerNotTheAddress) {
  if (getuid() != 0) GTEST_SKIP() << "only root can give a socket away";
  ASSERT_EQ(fchown(client_fd_, 12345, -1), 0);
  EXPECT_EQ(PeerOwner(accepted_), uid_t{12345});
}

TEST_F(PeerOwnerTest, KnowsIpv4InsideAnIpv6Socket) {
  close(accepted_);
  accepted_ = -1;
  const int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in6 to{};
  to.sin6_family = AF_INET6;
  to.sin6_port = server_.sin_port;
  inet_pton(AF_INET6, "::ffff:127.77.0.1", &to.sin6_addr);
  ASSERT_EQ(connect(fd, reinterpret_cast<sockaddr*>(&to), sizeof(to)), 0);
  accepted_ = accept(listener_, nullptr, nullptr);
  ASSERT_GE(accepted_, 0);
  EXPECT_EQ(PeerOwner(accepted_), getuid());
  close(fd);
  EXPECT_EQ(PeerOwner(accepted_), std::nullopt);
}

TEST_F(PeerOwnerTest, AClosedPeerIsNobody) {
  CloseClient();
  EXPECT_EQ(PeerOwner(accepted_), std::nullopt);
}

TEST_F(PeerOwnerTest, AListenerOnTheClientsAddressIsNoAnswer) {
  CloseClient();
  close(accepted_);
  accepted_ = -1;
  const int fd = Bind("127.77.0.2");
  ASSERT_EQ(listen(fd, 1), 0);
  EXPECT_EQ(SocketOwner(ToEndpoint(Name(fd)), ToEndpoint(server_)), std::nullopt);
  close(fd);
}

TEST_F(PeerOwnerTest, NoSuchConnectionIsNobody) {
  EXPECT_EQ(SocketOwner({Ipv4(0x7f4d0003), 1}, ToEndpoint(server_)), std::nullopt);
  EXPECT_EQ(PeerOwner(listener_), std::nullopt);
}

}  // namespace
}  // namespace howdah::network
