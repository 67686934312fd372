// The server's limits, and that it always answers and always stops.
#include "http/server.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>
#include <stdexcept>
#include <thread>

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
        [](const Request& request) {
          if (request.target == "/throw") throw std::runtime_error("a defect");
          Response response;
          response.body = request.method + " " + request.target + " " + request.body;
          return response;
        },
        log_);
    ASSERT_TRUE(server) << server.error().what();
    server_ = *std::move(server);
  }

  // Sends bytes and gives everything that comes until the server closes.
  std::string Raw(std::string_view bytes) {
    boost::asio::io_context loop;
    tcp::socket socket(loop);
    socket.connect({boost::asio::ip::make_address("127.0.0.1"), server_->port()});
    boost::system::error_code error;
    boost::asio::write(socket, boost::asio::buffer(bytes), error);
    std::string answer;
    boost::asio::read(socket, boost::asio::dynamic_buffer(answer), error);
    return answer;
  }

  Result<Response> Post(std::string body) {
    return Send({"127.0.0.1", std::to_string(server_->port())},
                {.method = "POST", .target = "/x", .body = std::move(body)}, 5s);
  }

  const Log log_;
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

TEST_F(ServerTest, TellsASlowClientThatItsTimeIsUp) {
  Start({.read_timeout = 50ms});
  EXPECT_THAT(Raw("POST / HTTP/1.1\r\nContent-Length: 5\r\n\r\nab"), StartsWith("HTTP/1.1 408"));
}

TEST_F(ServerTest, ClosesAnIdleConnection) {
  Start({.idle_timeout = 50ms});
  EXPECT_EQ(Raw(""), "");
}

TEST_F(ServerTest, TurnsBeyondItsConnectionsAway) {
  Start({.max_connections = 0});
  EXPECT_THAT(Raw(""), StartsWith("HTTP/1.1 503"));
}

TEST_F(ServerTest, AThrowingHandlerIsABare500) {
  Start();
  const std::string answer = Raw("GET /throw HTTP/1.1\r\nConnection: close\r\n\r\n");
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
