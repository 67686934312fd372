// Protects, on real servers: a client's own socket becomes PostgreSQL's; nothing that arrives on
// the handover socket can stop the server or get in another way; commands that the server starts
// inherit nothing of it.
#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cstring>
#include <thread>

#include "postgres/server_test.h"

namespace howdah::postgres {
namespace {

using testing::HasSubstr;
using testing::Not;

// Stands where the gateway stands: accepts on loopback and hands over what comes.
class Door {
 public:
  explicit Door(std::string socket_path) : socket_path_(std::move(socket_path)) {
    listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t length = sizeof(address);
    EXPECT_EQ(::bind(listener_, reinterpret_cast<sockaddr*>(&address), length), 0);
    EXPECT_EQ(::listen(listener_, 8), 0);
    ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &length);
    port_ = ntohs(address.sin_port);
    thread_ = std::jthread([this] { Serve(); });
  }
  ~Door() {
    ::shutdown(listener_, SHUT_RDWR);
    thread_.join();
    ::close(listener_);
  }
  int port() const { return port_; }

 private:
  void Serve() {
    for (;;) {
      // As the gateway does: its sockets do not block.
      const int client = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
      if (client < 0) return;
      EXPECT_TRUE(HandOver(socket_path_, client));
      ::close(client);
    }
  }

  std::string socket_path_;
  int listener_ = -1;
  int port_ = 0;
  std::jthread thread_;
};

// One question as an ordinary client over TCP: one value, or the error's text.
Result<std::string> AskOverTcp(int port, const char* user, const char* password, const char* sql) {
  PGconn* client =
      PQsetdbLogin("127.0.0.1", std::to_string(port).c_str(), "", nullptr, "appdb", user, password);
  Result<std::string> answer = Fail(Code::kUnavailable, PQerrorMessage(client));
  if (PQstatus(client) == CONNECTION_OK) {
    PGresult* result = PQexec(client, sql);
    if (PQresultStatus(result) == PGRES_TUPLES_OK) answer = PQgetvalue(result, 0, 0);
    PQclear(result);
  }
  PQfinish(client);
  return answer;
}

int ConnectPlainly(const std::string& path) {
  const int descriptor = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strncpy(address.sun_path, path.c_str(), sizeof(address.sun_path) - 1);
  EXPECT_EQ(::connect(descriptor, reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
  return descriptor;
}

TEST_F(ServerTest, AClientsOwnSocketBecomesTheServers) {
  for (const Engine& engine : Engines()) {
    SCOPED_TRACE(engine.version.Format());
    Node node = MakeNode(engine, "h" + std::to_string(engine.version.major));
    StartPrimary(node);
    if (HasFatalFailure()) return;
    const auto proof = ProveHandover(node.paths().HandoverSocket(), 5s);
    ASSERT_OK(proof);
    EXPECT_FALSE(proof->tls) << "no certificate was given";
    const Door door(node.paths().HandoverSocket());
    const auto seen = AskOverTcp(door.port(), "app", kMasterPassword,
                                 "select host(inet_client_addr()) || ' ' || inet_server_port()");
    ASSERT_OK(seen);
    EXPECT_EQ(*seen, "127.0.0.1 " + std::to_string(door.port()));
    const auto admin = AskOverTcp(door.port(), "rdsadmin", kTestPassword, "select 1");
    ASSERT_FALSE(admin) << "Howdah's own roles come over local sockets only";
    EXPECT_THAT(admin.error().what(), HasSubstr("pg_hba.conf rejects"));
  }
}

TEST_F(ServerTest, WhatIsNoClientsSocketStopsNobody) {
  const auto engines = Engines();
  Node node = MakeNode(engines.front(), "p");
  StartPrimary(node);
  if (HasFatalFailure()) return;
  const std::string path = node.paths().HandoverSocket();
  const int silent = ConnectPlainly(path);
  const int talking = ConnectPlainly(path);
  EXPECT_GT(::send(talking, "\0\0\0\10garbage", 11, MSG_NOSIGNAL), 0);
  std::array<int, 2> pipe_ends{};
  ASSERT_EQ(::pipe(pipe_ends.data()), 0);
  EXPECT_TRUE(HandOver(path, pipe_ends[0]));
  const int unconnected = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  EXPECT_TRUE(HandOver(path, unconnected));
  ASSERT_OK(ProveHandover(path, 5s));
  auto master = AsMaster(node);
  ASSERT_OK(master);
  for (const int descriptor : {silent, talking, pipe_ends[0], pipe_ends[1], unconnected}) {
    ::close(descriptor);
  }
}

TEST_F(ServerTest, AServerWithoutTheLibrarySaysSo) {
  const auto engines = Engines();
  Node with = MakeNode(engines.front(), "w");
  NodePaths paths = with.paths();
  paths.handover_library.clear();
  Node node(paths, engines.front(), kTestPassword,
            {.disk = disk_, .processes = processes_, .clock = clock_, .log = log_});
  StartPrimary(node);
  if (HasFatalFailure()) return;
  const auto proof = ProveHandover(paths.HandoverSocket(), 5s);
  ASSERT_FALSE(proof);
  EXPECT_EQ(proof.error().code(), Code::kUnsupported);
}

TEST_F(ServerTest, CommandsOfTheServerInheritNothingOfTheHandover) {
  const auto engines = Engines();
  Node node = MakeNode(engines.front(), "e");
  StartPrimary(node);
  if (HasFatalFailure()) return;
  auto admin = node.Connect(5s);
  ASSERT_OK(admin);
  const std::string file = root_ + "/environment";
  ASSERT_OK(admin->Execute("copy (select 1) to program 'env > " + file + "'", 5s));
  const auto environment = disk_.Read(file);
  ASSERT_OK(environment);
  EXPECT_THAT(*environment, HasSubstr("PATH="));
  EXPECT_THAT(*environment, Not(HasSubstr("LD_PRELOAD")));
  EXPECT_THAT(*environment, Not(HasSubstr("HOWDAH")));
}

}  // namespace
}  // namespace howdah::postgres
