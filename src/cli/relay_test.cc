// Protects the task's relay: connections come from the interface's address, bytes arrive whole in
// both directions, an end of writing is passed on, and a refusal is told.
#include "cli/relay.h"

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>

namespace howdah::cli {
namespace {

constexpr const char* kTaskAddress = "127.77.3.4";

struct Endpoint {
  system::FileDescriptor listener;
  std::uint16_t port = 0;
};

Endpoint ListenOnLoopback() {
  Endpoint endpoint;
  endpoint.listener = system::FileDescriptor(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  bind(endpoint.listener.get(), reinterpret_cast<sockaddr*>(&address), sizeof address);
  listen(endpoint.listener.get(), 8);
  socklen_t size = sizeof address;
  getsockname(endpoint.listener.get(), reinterpret_cast<sockaddr*>(&address), &size);
  endpoint.port = ntohs(address.sin_port);
  return endpoint;
}

system::FileDescriptor ConnectTo(const Relay& relay) {
  system::FileDescriptor fd(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const std::string path = relay.directory() + "/.s.PGSQL.5432";
  std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
  EXPECT_EQ(connect(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  return fd;
}

// Advances the relay until it has had nothing to do for a moment.
void Settle(Relay& relay) {
  while (true) {
    std::vector<pollfd> watched;
    relay.Watch(watched);
    if (poll(watched.data(), watched.size(), 100) <= 0) return;
    relay.Advance();
  }
}

// Reads what has come, up to the end, while the relay works.
std::string ReadAll(Relay& relay, int fd, std::size_t wanted) {
  std::string text;
  while (text.size() < wanted) {
    Settle(relay);
    char buffer[65536];
    const ssize_t got = recv(fd, buffer, sizeof buffer, MSG_DONTWAIT);
    if (got <= 0) break;
    text.append(buffer, static_cast<std::size_t>(got));
  }
  return text;
}

class RelayTest : public ::testing::Test {
 protected:
  void SetUp() override {
    endpoint_ = ListenOnLoopback();
    auto relay = Relay::Open({.source_address = kTaskAddress,
                              .endpoint_address = "127.0.0.1",
                              .endpoint_port = endpoint_.port},
                             ::testing::TempDir(),
                             [this](const std::string& why) { complaints_.push_back(why); });
    ASSERT_TRUE(relay) << relay.error().what();
    relay_ = *std::move(relay);
  }

  Endpoint endpoint_;
  std::vector<std::string> complaints_;
  std::unique_ptr<Relay> relay_;
};

TEST_F(RelayTest, ConnectsFromTheTasksAddress) {
  const auto client = ConnectTo(*relay_);
  Settle(*relay_);
  sockaddr_in peer{};
  socklen_t size = sizeof peer;
  const system::FileDescriptor server(
      accept(endpoint_.listener.get(), reinterpret_cast<sockaddr*>(&peer), &size));
  char text[INET_ADDRSTRLEN];
  EXPECT_STREQ(inet_ntop(AF_INET, &peer.sin_addr, text, sizeof text), kTaskAddress);
}

TEST_F(RelayTest, CarriesMoreThanItsBuffersInBothDirectionsAndHalfCloses) {
  const auto client = ConnectTo(*relay_);
  Settle(*relay_);
  const system::FileDescriptor server(accept(endpoint_.listener.get(), nullptr, nullptr));
  const std::string question(100000, 'q');
  std::size_t sent = 0;
  std::string heard;
  while (heard.size() < question.size()) {
    const ssize_t put =
        send(client.get(), question.data() + sent, question.size() - sent, MSG_DONTWAIT);
    if (put > 0) sent += static_cast<std::size_t>(put);
    heard += ReadAll(*relay_, server.get(), 1);
  }
  EXPECT_EQ(heard, question);
  shutdown(client.get(), SHUT_WR);
  Settle(*relay_);
  char byte = 0;
  EXPECT_EQ(recv(server.get(), &byte, 1, MSG_DONTWAIT), 0) << "the end of writing is passed on";
  ASSERT_EQ(send(server.get(), "answer", 6, 0), 6);
  EXPECT_EQ(ReadAll(*relay_, client.get(), 6), "answer") << "the other direction goes on";
}

TEST_F(RelayTest, TellsOnceThatTheEndpointRefuses) {
  for (int i = 0; i < 2; ++i) {
    const auto client = ConnectTo(*relay_);
    Settle(*relay_);
    system::FileDescriptor(accept(endpoint_.listener.get(), nullptr, nullptr)).Close();
    Settle(*relay_);
    char byte = 0;
    EXPECT_EQ(recv(client.get(), &byte, 1, MSG_DONTWAIT), 0);
  }
  EXPECT_THAT(complaints_, ::testing::ElementsAre(::testing::HasSubstr("security")));
}

TEST_F(RelayTest, TellsWhenNobodyListens) {
  endpoint_.listener.Close();
  const auto client = ConnectTo(*relay_);
  Settle(*relay_);
  EXPECT_THAT(complaints_, ::testing::ElementsAre(::testing::HasSubstr("refused")));
}

TEST_F(RelayTest, IsPrivateAndLeavesNothingBehind) {
  const std::string directory = relay_->directory();
  struct stat info{};
  ASSERT_EQ(stat(directory.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777U, 0700U);
  relay_.reset();
  EXPECT_NE(stat(directory.c_str(), &info), 0);
}

}  // namespace
}  // namespace howdah::cli
