// Protects: PostgreSQL speaks TLS itself only with a TLS library that somebody mends, unless the
// operator says otherwise, and never where it cannot take over a client's socket.
#include "host/data_path.h"

#include <gtest/gtest.h>

namespace howdah::host {
namespace {

const postgres::Engine kMended{.version = {.major = 15, .minor = 20}};
const postgres::Engine kOld{.version = {.major = 14, .minor = 17},
                            .own_tls_library = "OpenSSL 1.1"};

nodes::Endpoint At(nodes::DataPath path, nodes::TlsPlace tls) {
  return {.host_address = "127.0.1.5", .data_path = path, .tls = tls};
}

TEST(DataPath, TlsEndsInTheServerWhereItsLibraryIsMended) {
  const auto endpoint = At(nodes::DataPath::kAuto, nodes::TlsPlace::kAuto);
  EXPECT_TRUE(ServerSpeaksTls(endpoint, kMended, true));
  EXPECT_FALSE(ServerSpeaksTls(endpoint, kOld, true));
}

TEST(DataPath, TheOperatorsWordCounts) {
  EXPECT_TRUE(ServerSpeaksTls(At(nodes::DataPath::kAuto, nodes::TlsPlace::kServer), kOld, true));
  EXPECT_FALSE(
      ServerSpeaksTls(At(nodes::DataPath::kAuto, nodes::TlsPlace::kGateway), kMended, true));
}

TEST(DataPath, ARelayedServerNeverSpeaksTls) {
  EXPECT_FALSE(
      ServerSpeaksTls(At(nodes::DataPath::kRelay, nodes::TlsPlace::kServer), kMended, true));
  EXPECT_FALSE(
      ServerSpeaksTls(At(nodes::DataPath::kAuto, nodes::TlsPlace::kServer), kMended, false));
  EXPECT_FALSE(ServerSpeaksTls({}, kMended, true)) << "without an address there is no certificate";
}

TEST(DataPath, SaysWhyItIsNotTheFastOne) {
  const auto endpoint = At(nodes::DataPath::kAuto, nodes::TlsPlace::kAuto);
  EXPECT_EQ(DescribeDataPath(endpoint, {.handover_socket = "/s", .server_tls = true}, ""),
            "handover");
  EXPECT_EQ(DescribeDataPath(endpoint, {}, "no library"), "relay: no library");
  EXPECT_NE(DescribeTls(endpoint, kOld, {.handover_socket = "/s"}).find("OpenSSL 1.1"),
            std::string::npos);
}

}  // namespace
}  // namespace howdah::host
