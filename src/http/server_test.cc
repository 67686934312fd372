// The server's limits, and that it always answers and always stops.
#include "http/server.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <atomic>
#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/write.hpp>
#include <stdexcept>
#include <thread>
#include <vector>

#include "http/client.h"

namespace howdah::http {
namespace {

using boost::asio::ip::tcp;
using testing::HasSubstr;
using testing::StartsWith;

class ServerTest : public testing::Test {
 protected:
  void Start(Server::Options options = {}) {
    options.address = "127.0.0.1";
    auto server = Server::Start(
        options,
        [this](const Request& request) {
          if (request.target == "/throw") throw std::runtime_error("a defect");
          if (request.target == "/wait") {
            waiting_ = true;
            waiting_.notify_all();
            go_on_.wait(false);
          }
          Response response;
          response.body = request.method + " " + request.target + " " + request.body;
          return response;
        },
        log_);
    ASSERT_TRUE(server) << server.error().what();
    server_ = *std::move(server);
  }

  tcp::socket Connect() {
    tcp::socket socket(loop_);
    socket.connect({boost::asio::ip::make_address("127.0.0.1"), server_->port()});
    return socket;
  }
  // Everything that comes until the server closes.
  static std::string ReadAll(tcp::socket& socket) {
    std::string answer;
    boost::system::error_code error;
    boost::asio::read(socket, boost::asio::dynamic_buffer(answer), error);
    return answer;
  }
  std::string Raw(std::string_view bytes) {
    tcp::socket socket = Connect();
    boost::system::error_code error;
    boost::asio::write(socket, boost::asio::buffer(bytes), error);
    return ReadAll(socket);
  }
  // Whether the server serves over this open connection.
  static bool Serves(tcp::socket& socket) {
    boost::system::error_code error;
    boost::asio::write(socket, boost::asio::buffer(kGet), error);
    std::string answer;
    boost::asio::read_until(socket, boost::asio::dynamic_buffer(answer), "GET / ", error);
    return answer.starts_with("HTTP/1.1 200");
  }

  Result<Response> Post(std::string body) {
    return Send({"127.0.0.1", std::to_string(server_->port())},
                {.method = "POST", .target = "/x", .body = std::move(body)}, 5s);
  }

  static constexpr std::string_view kGet = "GET / HTTP/1.1\r\nHost: h\r\n\r\n";

  const Log log_;
  std::atomic<bool> waiting_ = false;  // a request for /wait is in its handler
  std::atomic<bool> go_on_ = false;
  boost::asio::io_context loop_;
  std::unique_ptr<Server> server_;
};

TEST_F(ServerTest, AnswersAndKeepsAlive) {
  Start();
  const std::string answer = Raw(
      "GET /1 HTTP/1.1\r\nHost: h\r\n\r\nGET /2 HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
  EXPECT_THAT(answer, HasSubstr("GET /1 "));
  EXPECT_THAT(answer, HasSubstr("GET /2 "));
  const auto response = Post("body");
  ASSERT_TRUE(response) << response.error().what();
  EXPECT_EQ(response->body, "POST /x body");
}

TEST_F(ServerTest, GoesOnWhenAskedToContinue) {
  Start();
  EXPECT_THAT(Raw("POST / HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nConnection: close\r\n"
                  "Content-Length: 2\r\n\r\nhi"),
              StartsWith("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK"));
}

TEST_F(ServerTest, RefusesWhatIsTooLargeOrNotHttp) {
  Start({.max_body_bytes = 1000, .max_header_bytes = 1000});
  EXPECT_EQ(Post(std::string(2000, 'x'))->status, 413);
  EXPECT_THAT(Raw("GET / HTTP/1.1\r\nX: " + std::string(2000, 'x') + "\r\n\r\n"),
              StartsWith("HTTP/1.1 431"));
  EXPECT_THAT(Raw("nonsense\r\n\r\n"), StartsWith("HTTP/1.1 400"));
}

TEST_F(ServerTest, RefusesRequestsWhoseEndIsInDoubt) {
  Start();
  for (const char* head :
       {"GET / HTTP/1.1\r\n", "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n",
        "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nContent-Length: 2\r\n",
        "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: -1\r\n",
        "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n",
        "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: gzip\r\n",
        "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: gzip, chunked\r\n",
        "GET / HTTP/1.1\r\nHost: h\r\nX: a\x01\r\n", "GET / HTTP/1.1\r\nHost: h\r\nX : a\r\n"}) {
    EXPECT_THAT(Raw(std::string(head) + "\r\nGET /smuggled HTTP/1.1\r\nHost: h\r\n\r\n"),
                testing::AllOf(StartsWith("HTTP/1.1 400"), Not(HasSubstr("smuggled"))))
        << head;
  }
  EXPECT_THAT(Raw("GET / HTTP/1.1\r\nHost: h\r\nExpect: 200-ok\r\n\r\n"),
              StartsWith("HTTP/1.1 417"));
  EXPECT_THAT(Raw("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), StartsWith("HTTP/1.1 "));
}

TEST_F(ServerTest, ReadsChunkedBodiesWithinBounds) {
  Start({.max_body_bytes = 1000, .max_header_bytes = 1000});
  const std::string head = "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n";
  EXPECT_THAT(Raw(head + "Connection: close\r\n\r\n2;x=y\r\nab\r\n3\r\ncde\r\n0\r\nT: 1\r\n\r\n"),
              testing::EndsWith("POST / abcde"));
  EXPECT_THAT(Raw(head + "\r\nfffffffffffffffffff\r\n"), StartsWith("HTTP/1.1 400"));
  EXPECT_THAT(Raw(head + "\r\n7d0\r\n" + std::string(2000, 'x')), StartsWith("HTTP/1.1 413"));
  EXPECT_THAT(Raw(head + "\r\n1;" + std::string(200'000, 'x')), StartsWith("HTTP/1.1 4"));
  EXPECT_THAT(Raw(head + "\r\n1\r\na\r\n0\r\nT: " + std::string(200'000, 'x')),
              StartsWith("HTTP/1.1 4"));
}

TEST_F(ServerTest, BoundsTheLargeBodiesInMemoryTogether) {
  Start({.large_body_bytes = 10, .max_large_bodies = 1});
  tcp::socket first = Connect();
  const std::string_view large = "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 20\r\n\r\n";
  boost::asio::write(first, boost::asio::buffer(large));
  while (!Raw(large).starts_with("HTTP/1.1 503")) {
  }
  EXPECT_EQ(Post("small")->status, 200);
  boost::asio::write(first, boost::asio::buffer(std::string(20, 'x')));
  std::string answer;
  boost::asio::read_until(first, boost::asio::dynamic_buffer(answer), "xxx");
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 200"));
  EXPECT_EQ(Post(std::string(20, 'x'))->status, 200);
}

TEST_F(ServerTest, TellsASlowClientThatItsTimeIsUp) {
  Start({.header_timeout = 50ms, .read_timeout = 100ms});
  EXPECT_THAT(Raw("GET / HTTP/1.1\r\nX-"), StartsWith("HTTP/1.1 408"));
  EXPECT_THAT(Raw("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nab"),
              StartsWith("HTTP/1.1 408"));
}

// A byte now and then does not put the deadline off.
TEST_F(ServerTest, CountsTheWholeHeaderAgainstItsDeadline) {
  Start({.header_timeout = 200ms});
  tcp::socket socket = Connect();
  const auto began = std::chrono::steady_clock::now();
  boost::system::error_code error;
  for (int i = 0; i < 100 && socket.available() == 0; ++i) {
    boost::asio::write(socket, boost::asio::buffer(i == 0 ? kGet.substr(0, 5) : "x"), error);
    std::this_thread::sleep_for(20ms);
  }
  EXPECT_THAT(ReadAll(socket), StartsWith("HTTP/1.1 408"));
  EXPECT_LT(std::chrono::steady_clock::now() - began, 1500ms);
}

TEST_F(ServerTest, ClosesAnIdleConnection) {
  Start({.idle_timeout = 50ms});
  EXPECT_EQ(Raw(""), "");
}

TEST_F(ServerTest, MakesRoomByClosingTheLongestIdleConnection) {
  Start({.max_connections = 2});
  tcp::socket first = Connect();
  EXPECT_TRUE(Serves(first));
  tcp::socket second = Connect();
  EXPECT_TRUE(Serves(second));
  tcp::socket third = Connect();
  EXPECT_TRUE(Serves(third));
  EXPECT_FALSE(Serves(first));
  EXPECT_TRUE(Serves(second));
}

TEST_F(ServerTest, SlowSendersDoNotKeepOthersOut) {
  Start({.max_connections = 8});
  std::vector<tcp::socket> slow;
  for (int i = 0; i < 8; ++i) {
    slow.push_back(Connect());
    boost::asio::write(slow.back(), boost::asio::buffer(kGet.substr(0, 20)));
  }
  const auto deadline = std::chrono::steady_clock::now() + 5s;  // less than the header's 10 s
  Result<Response> answer = Post("x");
  while ((!answer || answer->status != 200) && std::chrono::steady_clock::now() < deadline) {
    std::this_thread::sleep_for(50ms);
    answer = Post("x");
  }
  ASSERT_TRUE(answer) << answer.error().what();
  EXPECT_EQ(answer->status, 200);
}

TEST_F(ServerTest, TurnsAwayWhenEveryConnectionIsAtWork) {
  Start({.max_connections = 1});
  tcp::socket busy = Connect();
  boost::asio::write(
      busy, boost::asio::buffer(std::string_view("GET /wait HTTP/1.1\r\nHost: h\r\n\r\n")));
  waiting_.wait(false);
  EXPECT_THAT(Raw(kGet), StartsWith("HTTP/1.1 503"));
  go_on_ = true;
  go_on_.notify_all();
  std::string answer;
  boost::asio::read_until(busy, boost::asio::dynamic_buffer(answer), "GET /wait ");
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 200"));
}

// Descriptors run out: clients are told so, and the server recovers by itself.
TEST_F(ServerTest, RefusesCleanlyWithoutDescriptors) {
  // UBSan opens a pipe to look whether memory can be read, and takes its failure for a bad pointer.
  // The system tests use the descriptors of the whole program up.
#if __has_feature(undefined_behavior_sanitizer)
  GTEST_SKIP() << "the sanitizer itself needs descriptors";
#endif
  Start();
  tcp::socket probe = Connect();
  ASSERT_TRUE(Serves(probe));
  std::vector<tcp::socket> clients;
  for (int i = 0; i < 3; ++i) clients.emplace_back(loop_).open(tcp::v4());
  rlimit before{};
  getrlimit(RLIMIT_NOFILE, &before);
  const rlimit none{.rlim_cur = static_cast<rlim_t>(clients.back().native_handle()) + 1,
                    .rlim_max = before.rlim_max};
  setrlimit(RLIMIT_NOFILE, &none);
  const tcp::endpoint where(boost::asio::ip::make_address("127.0.0.1"), server_->port());
  clients[0].connect(where);  // the idle connection gives its place
  EXPECT_TRUE(Serves(clients[0]));
  EXPECT_FALSE(Serves(probe));
  setrlimit(RLIMIT_NOFILE, &before);
  clients[1].connect(where);
  EXPECT_TRUE(Serves(clients[1]));
  EXPECT_TRUE(Serves(clients[0]));
}

TEST_F(ServerTest, WordsItsRefusalsAsItIsTold) {
  Start({.max_body_bytes = 10,
         .refusal = [](const Request& request, int status, std::string_view reason) {
           Response response{.status = status};
           response.body = request.target + "|" + std::string(reason);
           return response;
         }});
  EXPECT_THAT(
      Raw("POST /x HTTP/1.1\r\nHost: h\r\nContent-Length: 11\r\n\r\n"),
      testing::AllOf(StartsWith("HTTP/1.1 413"), HasSubstr("/x|The request body is too large.")));
}

TEST_F(ServerTest, AThrowingHandlerIsABare500) {
  Start();
  const std::string answer = Raw("GET /throw HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 500"));
  EXPECT_THAT(answer, testing::Not(HasSubstr("a defect")));
}

TEST_F(ServerTest, StopsUnderLoad) {
  Start();
  std::atomic<bool> done = false;
  std::thread client([&] {
    while (!done) (void)Post("x");
  });
  while (!Post("y")) {
  }
  server_->Stop();
  done = true;
  client.join();
  EXPECT_EQ(Post("z").error().code(), Code::kUnavailable);
}

TEST(Endpoint, IsAnHttpUrlWithHostAndPort) {
  EXPECT_EQ(ParseEndpoint("http://127.0.0.1:4566/")->Authority(), "127.0.0.1:4566");
  EXPECT_EQ(ParseEndpoint("http://h")->port, "80");
  for (const char* url : {"", "https://h", "http://", "http://h:0", "http://h:x", "http://h/p"}) {
    EXPECT_FALSE(ParseEndpoint(url)) << url;
  }
}

}  // namespace
}  // namespace howdah::http
