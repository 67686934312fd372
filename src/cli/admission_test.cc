// Protects the beginning of a task: the gateway learns of its interface a moment after it is made,
// and what it closes until then is tried again, for a bounded time.
#include "cli/admission.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <thread>

#include "system/real/file_descriptor.h"
#include "system/real/real_clock.h"

namespace howdah::cli {
namespace {

// Closes so many connections before it reads; then answers each with 'S'.
class Endpoint {
 public:
  explicit Endpoint(int closes) : listener_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    bind(listener_.get(), reinterpret_cast<sockaddr*>(&address), sizeof address);
    listen(listener_.get(), 8);
    socklen_t size = sizeof address;
    getsockname(listener_.get(), reinterpret_cast<sockaddr*>(&address), &size);
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this, closes] { Serve(closes); });
  }
  ~Endpoint() {
    shutdown(listener_.get(), SHUT_RDWR);
    thread_.join();
  }
  RelayRoute route() const {
    return {
        .source_address = "127.77.3.5", .endpoint_address = "127.0.0.1", .endpoint_port = port_};
  }

 private:
  void Serve(int closes) {
    for (int accepted = 1;; ++accepted) {
      const system::FileDescriptor client(accept(listener_.get(), nullptr, nullptr));
      if (!client.valid()) return;
      char request[8];
      if (accepted <= closes || recv(client.get(), request, sizeof request, MSG_WAITALL) != 8) {
        continue;
      }
      send(client.get(), "S", 1, MSG_NOSIGNAL);
    }
  }

  system::FileDescriptor listener_;
  std::uint16_t port_ = 0;
  std::thread thread_;
};

TEST(AwaitAdmissionTest, TriesAgainUntilTheEndpointAnswers) {
  const system::RealClock clock;
  Endpoint endpoint(3);
  EXPECT_TRUE(AwaitAdmission(endpoint.route(), clock, 30s));
}

TEST(AwaitAdmissionTest, AStrangerIsToldSoInTime) {
  const system::RealClock clock;
  Endpoint endpoint(1'000'000);
  EXPECT_FALSE(AwaitAdmission(endpoint.route(), clock, 100ms));
}

TEST(AwaitAdmissionTest, NobodyThereIsNotWaitedForForLonger) {
  const system::RealClock clock;
  const RelayRoute nowhere = {
      .source_address = "127.77.3.5", .endpoint_address = "127.0.0.1", .endpoint_port = 1};
  EXPECT_FALSE(AwaitAdmission(nowhere, clock, 50ms));
}

}  // namespace
}  // namespace howdah::cli
