// The startup parser, branch by branch, in whole and byte by byte.
#include "gateway/startup.h"

#include <gtest/gtest.h>

namespace howdah::gateway {
namespace {

using Kind = StartupEvent::Kind;
using namespace std::string_literals;

std::string Word(std::uint32_t value) {
  std::string bytes;
  for (int shift = 24; shift >= 0; shift -= 8) bytes += static_cast<char>(value >> shift & 255);
  return bytes;
}
std::string Packet(std::uint32_t code, const std::string& body = "") {
  return Word(static_cast<std::uint32_t>(body.size() + 8)) + Word(code) + body;
}
std::string Startup(const std::string& body, std::uint32_t version = 3 << 16) {
  return Packet(version, body);
}
const std::string kSsl = Packet(80877103);
const std::string kGss = Packet(80877104);

StartupEvent Parse(const std::string& bytes, bool encrypted = false) {
  StartupParser parser(encrypted);
  return parser.Feed(bytes);
}
std::string CodeOf(const StartupEvent& event) {
  return event.kind == Kind::kRefused ? event.refusal.sqlstate : "not refused";
}

TEST(StartupParser, ReadsStartupAndKeepsThePacketAsItCame) {
  const std::string packet = Startup("user\0ann\0database\0appdb\0\0"s);
  const auto event = Parse(packet);
  ASSERT_EQ(event.kind, Kind::kStartup);
  EXPECT_EQ(event.startup.packet, packet);
  EXPECT_EQ(event.startup.Parameter("user"), "ann");
  EXPECT_EQ(event.startup.Parameter("database"), "appdb");
  EXPECT_EQ(event.startup.Parameter("options"), "");
}

TEST(StartupParser, ComesToTheSameEventByteByByte) {
  StartupParser parser(false);
  const std::string packet = Startup("user\0ann\0\0"s);
  for (std::size_t i = 0; i + 1 < packet.size(); ++i)
    ASSERT_EQ(parser.Feed(packet.substr(i, 1)).kind, Kind::kNeedMore) << i;
  EXPECT_EQ(parser.Feed(packet.substr(packet.size() - 1)).kind, Kind::kStartup);
}

TEST(StartupParser, HandsOutWhatCameBehindTheStartup) {
  StartupParser parser(false);
  ASSERT_EQ(parser.Feed(Startup("user\0ann\0\0"s) + "pmore").kind, Kind::kStartup);
  EXPECT_EQ(parser.TakeRest(), "pmore");
}

TEST(StartupParser, UnknownMinorVersionsAreForPostgresToAnswer) {
  EXPECT_EQ(Parse(Startup("\0"s, 3 << 16 | 9999)).kind, Kind::kStartup);
  EXPECT_EQ(CodeOf(Parse(Startup("\0"s, 2 << 16))), "0A000");
  EXPECT_EQ(CodeOf(Parse(Startup("\0"s, 4 << 16))), "0A000");
  EXPECT_EQ(CodeOf(Parse(Packet(1234 << 16 | 1))), "0A000");
}

TEST(StartupParser, LengthLimits) {
  EXPECT_EQ(CodeOf(Parse(Word(0) + "xxxx")), "08P01");
  EXPECT_EQ(CodeOf(Parse(Word(7))), "08P01");
  EXPECT_EQ(CodeOf(Parse(Word(kMaxStartupBytes + 5))), "08P01");
  EXPECT_EQ(CodeOf(Parse(Word(0xffffffff))), "08P01");
  const std::string longest = "user\0"s + std::string(kMaxStartupBytes - 4 - 7, 'a') + "\0\0"s;
  EXPECT_EQ(Parse(Startup(longest)).kind, Kind::kStartup);
}

TEST(StartupParser, LayoutMustBeExact) {
  EXPECT_EQ(CodeOf(Parse(Startup(""))), "08P01");
  EXPECT_EQ(CodeOf(Parse(Startup("user"))), "08P01");
  EXPECT_EQ(CodeOf(Parse(Startup("user\0"s))), "08P01");
  EXPECT_EQ(CodeOf(Parse(Startup("user\0ann"s))), "08P01");
  EXPECT_EQ(CodeOf(Parse(Startup("user\0ann\0"s))), "08P01");
  EXPECT_EQ(CodeOf(Parse(Startup("user\0ann\0\0x"s))), "08P01");
}

TEST(StartupParser, EncryptionRequestsInAnyOrderOnceEach) {
  StartupParser parser(false);
  EXPECT_EQ(parser.Feed(kGss).kind, Kind::kGssRequest);
  EXPECT_EQ(parser.Feed(kSsl).kind, Kind::kSslRequest);
  EXPECT_EQ(CodeOf(parser.Feed(kSsl)), "08P01");
}

TEST(StartupParser, BytesInTheClearBehindAnEncryptionRequestAreRefused) {
  EXPECT_EQ(CodeOf(Parse(kSsl + Startup("user\0ann\0\0"s))), "08P01");
  EXPECT_EQ(CodeOf(Parse(kSsl + "x")), "08P01");
  EXPECT_EQ(CodeOf(Parse(kGss + "x")), "08P01");
}

TEST(StartupParser, NoEncryptionInsideEncryption) {
  EXPECT_EQ(CodeOf(Parse(kSsl, true)), "08P01");
  EXPECT_EQ(CodeOf(Parse(kGss, true)), "08P01");
  EXPECT_EQ(Parse(Startup("user\0ann\0\0"s), true).kind, Kind::kStartup);
}

TEST(StartupParser, CancelKeysOfAnyLegalLength) {
  const auto cancel = [](std::size_t key) {
    return Parse(Packet(80877102, Word(4711) + std::string(key, 'k')));
  };
  EXPECT_EQ(cancel(4).kind, Kind::kCancel);
  EXPECT_EQ(cancel(32).kind, Kind::kCancel);
  EXPECT_EQ(cancel(256).kind, Kind::kCancel);
  EXPECT_EQ(CodeOf(cancel(0)), "08P01");
  EXPECT_EQ(CodeOf(cancel(257)), "08P01");
  EXPECT_EQ(CodeOf(Parse(Packet(80877102))), "08P01");
  EXPECT_EQ(cancel(4).cancel_packet, Packet(80877102, Word(4711) + "kkkk"));
}

TEST(StartupParser, KnowsATlsRecord) {
  EXPECT_TRUE(IsTlsRecord(0x16));
  EXPECT_FALSE(IsTlsRecord(0));
}

std::string Check(const std::string& body, bool force_tls = false, bool encrypted = false) {
  const auto event = Parse(Startup(body));
  const auto refusal = CheckStartup(event.startup, {force_tls, encrypted, "10.0.0.9"});
  return refusal ? refusal->sqlstate + " " + refusal->message : "";
}

TEST(CheckStartup, LetsOrdinaryUsersIn) {
  EXPECT_EQ(Check("user\0ann\0database\0appdb\0replication\0false\0\0"s), "");
}

TEST(CheckStartup, KeepsHowdahsOwnRolesAndDatabaseToItself) {
  for (const auto& user : {"rdsadmin"s, "rdsrepladmin"s, "rdstopmgr"s, "rdsreplication"s})
    EXPECT_TRUE(Check("user\0"s + user + "\0\0"s).starts_with("28000")) << user;
  EXPECT_TRUE(Check("user\0ann\0database\0rdsadmin\0\0"s).starts_with("28000"));
  EXPECT_TRUE(Check("user\0rdsadmin\0user\0ann\0\0"s).starts_with("28000"));
  EXPECT_TRUE(Check("user\0ann\0user\0rdsadmin\0\0"s).starts_with("28000"));
}

TEST(CheckStartup, RefusesReplicationHoweverItIsSpelled) {
  for (const auto& value : {"true"s, "1"s, "database"s, "ON"s, "yes"s, "t"s, ""s})
    EXPECT_TRUE(Check("user\0ann\0replication\0"s + value + "\0\0"s).starts_with("0A000")) << value;
}

TEST(CheckStartup, ForcedTlsRefusesTheClearAsRdsDoes) {
  EXPECT_EQ(Check("user\0ann\0database\0appdb\0\0"s, true),
            "28000 no pg_hba.conf entry for host \"10.0.0.9\", user \"ann\", database \"appdb\", "
            "no encryption");
  EXPECT_EQ(Check("user\0ann\0\0"s, true, true), "");
}

TEST(FormatFatal, IsAnErrorResponse) {
  EXPECT_EQ(FormatFatal({"57P03", "no"}), "E"s + Word(30) + "SFATAL\0VFATAL\0C57P03\0Mno\0\0"s);
}

}  // namespace
}  // namespace howdah::gateway
