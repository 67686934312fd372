// What becomes of a client, by its first bytes and by what its route offers.
#include "gateway/first_look.h"

#include <gtest/gtest.h>

namespace howdah::gateway {
namespace {

using Kind = FirstLook::Kind;
using namespace std::string_literals;

const std::string kSsl = "\0\0\0\x08\x04\xd2\x16\x2f"s;
const std::string kGss = "\0\0\0\x08\x04\xd2\x16\x30"s;
const std::string kStartup = "\0\0\0\x12\0\3\0\0user\0ann\0\0"s;
const std::string kCancel = "\0\0\0\x10\x04\xd2\x16\x2e\0\0\0\1keys"s;
const std::string kRecord = "\x16\x03\x01\x02";

constexpr Doors kNoTls{.tls_here = false, .tls_in_server = false};
constexpr Doors kHere{.tls_here = true, .tls_in_server = false};
constexpr Doors kServer{.tls_here = true, .tls_in_server = true};

FirstLook At(const std::string& pending, const Doors& doors = kHere) {
  Asked asked;
  return Look(pending, doors, asked);
}

TEST(FirstLook, WaitsForAsManyBytesAsItTakes) {
  EXPECT_EQ(At("").size, 1U);
  EXPECT_EQ(At("\0\0"s).size, 4U);
  EXPECT_EQ(At(kStartup.substr(0, 4)).size, kStartup.size());
  for (std::size_t size = 0; size < kStartup.size(); ++size) {
    const FirstLook look = At(kStartup.substr(0, size));
    EXPECT_EQ(look.kind, Kind::kNeedMore) << size;
    EXPECT_GT(look.size, size);
  }
}

TEST(FirstLook, TlsEndsWhereTheRouteSays) {
  EXPECT_EQ(At(kSsl, kNoTls).kind, Kind::kAnswerNo);
  EXPECT_EQ(At(kSsl, kHere).kind, Kind::kTlsHere);
  EXPECT_EQ(At(kSsl, kServer).kind, Kind::kTlsInServer);
  EXPECT_EQ(At(kSsl).size, 8U);
  EXPECT_EQ(At(kRecord, kNoTls).kind, Kind::kHangUp);
  EXPECT_EQ(At(kRecord, kHere).kind, Kind::kDirectTlsHere);
  EXPECT_EQ(At(kRecord, kServer).kind, Kind::kTlsInServer);
}

TEST(FirstLook, GssIsRefusedHereAndSslMayFollow) {
  for (const Doors& doors : {kNoTls, kHere, kServer}) {
    Asked asked;
    EXPECT_EQ(Look(kGss, doors, asked).kind, Kind::kAnswerNo);
    EXPECT_NE(Look(kSsl, doors, asked).kind, Kind::kRefused);
    EXPECT_EQ(Look(kGss, doors, asked).kind, Kind::kRefused);
  }
}

TEST(FirstLook, ARequestCannotBeRepeatedForEver) {
  Asked asked;
  EXPECT_EQ(Look(kSsl, kNoTls, asked).kind, Kind::kAnswerNo);
  EXPECT_EQ(Look(kSsl, kNoTls, asked).kind, Kind::kRefused);
}

TEST(FirstLook, BytesBehindARequestAreRefusedBeforeAnythingIsHandedOver) {
  for (const Doors& doors : {kNoTls, kHere, kServer}) {
    EXPECT_EQ(At(kSsl + "x", doors).kind, Kind::kRefused);
    EXPECT_EQ(At(kGss + kStartup, doors).kind, Kind::kRefused);
  }
}

TEST(FirstLook, StartupAndCancelAreReadAndLeft) {
  const FirstLook startup = At(kStartup + "p");
  ASSERT_EQ(startup.kind, Kind::kStartup);
  EXPECT_EQ(startup.event.startup.Parameter("user"), "ann");
  const FirstLook cancel = At(kCancel);
  ASSERT_EQ(cancel.kind, Kind::kCancel);
  EXPECT_EQ(cancel.event.cancel_packet, kCancel);
}

TEST(FirstLook, TooLongOrUnknownIsRefused) {
  EXPECT_EQ(At("\xff\xff\xff\xff").kind, Kind::kRefused);
  EXPECT_EQ(At("GET / HTTP/1.1\r\n").kind, Kind::kRefused);
  EXPECT_EQ(At("\0\0\0\x08\0\2\0\0"s).kind, Kind::kRefused);
}

}  // namespace
}  // namespace howdah::gateway
