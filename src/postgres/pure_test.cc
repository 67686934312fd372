// Protects: texts that PostgreSQL will read (quoting, configuration, verifiers) and those that it
// wrote.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "postgres/catalogue.h"
#include "postgres/config.h"
#include "postgres/control_file.h"
#include "postgres/extensions.h"
#include "postgres/formula.h"
#include "postgres/install.h"
#include "postgres/lsn.h"
#include "postgres/quote.h"
#include "postgres/roles.h"
#include "postgres/scram.h"

namespace howdah::postgres {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

TEST(Lsn, IsReadAndWrittenAsPostgresqlDoes) {
  ASSERT_TRUE(Lsn::Parse("16/B374D848"));
  EXPECT_EQ(Lsn::Parse("16/B374D848")->Format(), "16/B374D848");
  EXPECT_EQ(Lsn::Parse("0/0")->value(), 0U);
  EXPECT_LT(*Lsn::Parse("0/FFFFFFFF"), *Lsn::Parse("1/0"));
  for (const char* bad : {"", "/", "1/", "/1", "1", "g/1", "1/123456789", "1/2/3", "-1/2"}) {
    EXPECT_FALSE(Lsn::Parse(bad)) << bad;
  }
}

TEST(Lsn, DistanceIsNeverNegative) {
  EXPECT_EQ(BytesBetween(Lsn(5), Lsn(9)), 4U);
  EXPECT_EQ(BytesBetween(Lsn(9), Lsn(5)), 0U);
}

TEST(Quote, NoTextLeavesItsQuotes) {
  EXPECT_EQ(QuoteIdentifier("a\"b"), "\"a\"\"b\"");
  EXPECT_EQ(QuoteLiteral("it's"), "'it''s'");
  EXPECT_EQ(QuoteLiteral("a\\'b"), "E'a\\\\''b'");
  EXPECT_EQ(QuoteConninfoValue("a'b\\c d"), "'a\\'b\\\\c d'");
  EXPECT_EQ(QuoteConfigValue("a'b\\c"), "'a''b\\\\c'");
}

// A whole one is read in server_test.cc, from each engine.
TEST(ControlFile, BrokenOnesAreRefused) {
  std::string bytes(8192, '\0');
  EXPECT_EQ(ParseControlFile("short").error().code(), Code::kCorrupt);
  EXPECT_EQ(ParseControlFile(bytes).error().code(), Code::kUnsupported);
  bytes.replace(8, 2, "\x14\x05");  // layout 1300, but no checksum
  EXPECT_EQ(ParseControlFile(bytes).error().code(), Code::kCorrupt);
}

TEST(Formula, KnowsEveryFormOfTheDefaultGroups) {
  const FormulaVariables memory = {{"DBInstanceClassMemory", 1073741824}, {"DBInstanceVCPU", 2}};
  EXPECT_EQ(*EvaluateFormula("LEAST({DBInstanceClassMemory/9531392},5000)", memory), 112);
  EXPECT_EQ(*EvaluateFormula("{DBInstanceClassMemory/32768}", memory), 32768);
  EXPECT_EQ(*EvaluateFormula("GREATEST({DBInstanceClassMemory*1024/63963136},65536)", memory),
            65536);
  EXPECT_EQ(*EvaluateFormula("GREATEST({log(DBInstanceClassMemory/21474836480)*600},200)", memory),
            200);
  EXPECT_EQ(*EvaluateFormula("SUM({DBInstanceVCPU}, 3, 4)", memory), 9);
  EXPECT_EQ(*EvaluateFormula("IF({DBInstanceVCPU} > 1, 10, 20)", memory), 10);
  EXPECT_EQ(*EvaluateFormula("7/2", {}), 3);
}

TEST(Formula, RefusesWhatItDoesNotUnderstand) {
  for (const char* bad : {"", "{", "{Unknown}", "{1/0}", "GREATEST()", "NOPE(1)", "1 2", "{1",
                          "log(0)", "1;", "9999999999999999"}) {
    EXPECT_FALSE(EvaluateFormula(bad, {})) << bad;
  }
  EXPECT_FALSE(EvaluateFormula(std::string(500, '('), {}));
}

TEST(InstanceClass, MicroHasAboutTheConnectionsSeenOnRds) {
  const auto micro = FindInstanceClass("db.t3.micro");
  ASSERT_TRUE(micro);
  const auto settings = EvaluateParameters(DefaultParameters(14), VariablesOf(*micro, 20, 5432));
  ASSERT_TRUE(settings);
  const int connections = std::stoi(settings->at("max_connections"));
  EXPECT_GE(connections, 81);
  EXPECT_LE(connections, 87);
  EXPECT_EQ(settings->count("rds.force_ssl"), 0U);
  EXPECT_FALSE(FindInstanceClass("db.x9.huge"));
}

TEST(InstanceClass, EveryClassAndVersionEvaluates) {
  for (const InstanceClass& each : InstanceClasses()) {
    for (int major = kOldestMajor; major <= kNewestMajor; ++major) {
      EXPECT_TRUE(EvaluateParameters(DefaultParameters(major), VariablesOf(each, 20, 5432)))
          << each.name;
    }
  }
}

TEST(Config, ForcedSettingsWinAndAreQuoted) {
  const Settings forced = ForcedSettings({.major = 14, .socket_dir = "/run/it's", .log_dir = "/l"});
  const auto text = RenderConfig(Overlay({{"fsync", "off"}, {"work_mem", "4096"}}, forced));
  ASSERT_TRUE(text);
  EXPECT_THAT(*text, HasSubstr("fsync = 'on'\n"));
  EXPECT_THAT(*text, HasSubstr("work_mem = '4096'\n"));
  EXPECT_THAT(*text, HasSubstr("listen_addresses = ''\n"));
  EXPECT_THAT(*text, HasSubstr("unix_socket_directories = '\"/run/it''s\"'\n"));
  EXPECT_THAT(*text, HasSubstr("restart_after_crash = 'off'\n"));
}

TEST(Config, NoValueBringsALineOfItsOwn) {
  EXPECT_FALSE(RenderConfig({{"work_mem", "1\nfsync = off"}}));
  EXPECT_FALSE(RenderConfig({{"work_mem = 1\nfsync", "off"}}));
}

TEST(Config, HbaHasNoTrustAndLetsNobodyInOverTcpUnlessAsked) {
  EXPECT_THAT(RenderHba(TcpClients::kNone), Not(HasSubstr("trust")));
  EXPECT_THAT(RenderHba(TcpClients::kNone), HasSubstr("host all all all reject"));
  EXPECT_THAT(RenderHba(TcpClients::kOnlyTls), HasSubstr("hostssl all all all scram-sha-256"));
  EXPECT_THAT(RenderHba(TcpClients::kOnlyTls), Not(HasSubstr("\nhost all all all")));
  for (const TcpClients each : {TcpClients::kNone, TcpClients::kAny, TcpClients::kOnlyTls}) {
    EXPECT_THAT(RenderHba(each), HasSubstr("host all rdsadmin,rdsrepladmin all reject"));
    EXPECT_THAT(RenderHba(each), HasSubstr("host replication all all reject"));
  }
}

TEST(Config, TlsOfTheServerNeedsACertificate) {
  const ForcedInput without{.major = 14, .socket_dir = "/s", .log_dir = "/l"};
  EXPECT_EQ(ForcedSettings(without).at("ssl"), "off");
  ForcedInput with = without;
  with.handover_dir = "/s/h";
  with.tls = {.certificate_file = "/c/server.crt", .key_file = "/c/server.key"};
  const Settings settings = ForcedSettings(with);
  EXPECT_EQ(settings.at("ssl"), "on");
  EXPECT_EQ(settings.at("ssl_key_file"), "/c/server.key");
  EXPECT_EQ(settings.at("unix_socket_directories"), "\"/s\", \"/s/h\"");
}

TEST(Config, ARecoveryEndsWhereItIsToldToTheMicrosecond) {
  const auto time = ParseIso8601("2026-11-23T22:15:07Z");
  ASSERT_TRUE(time);
  const auto text = RenderRecovery({.restore_command = "'/h' restore-wal \"%f\"",
                                    .before = *time + Duration(1'002),
                                    .timeline = Timeline{3}});
  ASSERT_TRUE(text);
  EXPECT_THAT(*text, HasSubstr("recovery_target_time = '2026-11-23 22:15:07.001002+00'\n"));
  EXPECT_THAT(*text, HasSubstr("recovery_target_timeline = '3'\n"));
  EXPECT_THAT(*text, HasSubstr("restore_command = '''/h'' restore-wal \"%f\"'\n"));
  EXPECT_THAT(*text, Not(HasSubstr("recovery_target = ")));
  EXPECT_THAT(*RenderRecovery({.restore_command = "x"}), Not(HasSubstr("recovery_target_time =")));
  EXPECT_FALSE(RenderRecovery({.restore_command = "x\nfsync = off"}));
}

TEST(Config, WhileABackupIsRecoveredFromNobodyButTheAgentComesIn) {
  EXPECT_THAT(RenderRecoveryHba(), HasSubstr("local all all reject\n"));
  EXPECT_THAT(RenderRecoveryHba(), HasSubstr("host all all all reject\n"));
}

TEST(Config, SynchronousStandbyNamesQuoteTheIdentity) {
  EXPECT_EQ(SynchronousStandbyNames("hd_1_x"), "ANY 1 (\"hd_1_x\")");
  EXPECT_EQ(SynchronousStandbyNames(""), "");
}

// The example of RFC 7677: user "user", password "pencil".
TEST(Scram, MatchesTheExampleOfTheRfc) {
  const std::string salt("\x5b\x6d\x99\x68\x9d\x12\x35\x8e\xec\xa0\x4b\x14\x12\x36\xfa\x81", 16);
  const auto verifier = MakeScramVerifier("pencil", salt, 4096);
  ASSERT_TRUE(verifier);
  EXPECT_EQ(*verifier,
            "SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$"
            "WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:"
            "wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU=");
  EXPECT_TRUE(IsScramVerifier(*verifier));
  EXPECT_FALSE(IsScramVerifier("pencil"));
  EXPECT_FALSE(IsScramVerifier(*verifier + "'; DROP"));
  EXPECT_FALSE(MakeScramVerifier("p\xc3\xa4ss", salt, 4096));
}

TEST(Roles, NamesAndPasswordsAreQuoted) {
  const auto statements = RoleStatements({.master_user = "o\"m", .master_verifier = "v'"}, 14);
  const std::string all = testing::PrintToString(statements);
  EXPECT_THAT(statements, testing::Contains(HasSubstr("ALTER ROLE \"o\"\"m\" LOGIN CREATEDB")));
  EXPECT_THAT(statements, testing::Contains(HasSubstr("PASSWORD 'v'''")));
}

TEST(Catalogue, VersionsAreExact) {
  EXPECT_EQ(EngineVersion::Parse("14.17")->Format(), "14.17");
  for (const char* bad : {"14", "14.", "14.17.1", "../x", "14.07", "a.b", "9.6", ""}) {
    EXPECT_FALSE(EngineVersion::Parse(bad)) << bad;
  }
  EXPECT_EQ(ParseVersionOutput("postgres (PostgreSQL) 15.14 (Debian 15.14-0+deb12u1)\n")->Format(),
            "15.14");
  EXPECT_FALSE(ParseVersionOutput("postgres (PostgreSQL) 19devel\n"));
}

TEST(Catalogue, AMissingVersionSaysHowToGetIt) {
  const std::vector<Engine> engines = {{.version = {14, 17}}, {.version = {15, 14}}};
  EXPECT_TRUE(FindEngine(engines, "14.17"));
  const auto missing = FindEngine(engines, "14.18");
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code(), Code::kNotFound);
  EXPECT_THAT(missing.error().what(), HasSubstr("howdah engine install 14.18"));
}

TEST(Catalogue, UpgradesGoForwardOnly) {
  const std::vector<Engine> engines = {
      {.version = {14, 17}}, {.version = {14, 20}}, {.version = {15, 14}}};
  const auto targets = ValidUpgradeTargets({14, 17}, engines);
  ASSERT_EQ(targets.size(), 2U);
  EXPECT_FALSE(targets[0].is_major);
  EXPECT_TRUE(targets[1].is_major);
  using namespace std::chrono;
  EXPECT_TRUE(IsPastEndOfLife(14, 2026y / November / 13));
  EXPECT_FALSE(IsPastEndOfLife(14, 2026y / November / 12));
}

TEST(Install, TakesTheHighestBetaOfExactlyThatVersion) {
  const std::vector<std::string> available = {
      "14.1.0-beta.9",   "14.17.0-beta.9", "14.17.0-beta.15", "14.17.0-beta.2",
      "14.18.0-beta.16", "broken",         "14.17.0"};
  EXPECT_EQ(*ChoosePackageVersion(available, {14, 17}), "14.17.0-beta.15");
  const auto missing = ChoosePackageVersion(available, {14, 5});
  ASSERT_FALSE(missing);
  EXPECT_THAT(missing.error().what(), HasSubstr("14.1 and 14.17"));
}

TEST(Install, LinksStayInsideTheTree) {
  const auto pairs =
      ParseSymlinks(R"([{"source":"native/lib/libpq.so.5.14","target":"native/lib/libpq.so.5"}])");
  ASSERT_TRUE(pairs);
  EXPECT_EQ((*pairs)[0].link, "lib/libpq.so.5");
  EXPECT_EQ((*pairs)[0].target, "libpq.so.5.14");
  for (const char* bad :
       {R"([{"source":"native/../../x","target":"native/l"}])",
        R"([{"source":"native/x","target":"/etc/x"}])", R"([{"source":""}])", "{}", "", "[1]"}) {
    EXPECT_FALSE(ParseSymlinks(bad)) << bad;
  }
}

TEST(Install, PassesNpmItsSettingsAndNothingElse) {
  const auto kept = InstallEnvironment({"PATH=/bin", "npm_config_registry=r", "AWS_SECRET=x", "b"});
  EXPECT_EQ(kept.size(), 2U);
}

TEST(Extensions, NothingDangerousIsOnTheList) {
  for (const char* name : {"adminpack", "file_fdw", "plperlu", "plpython3u", "pltclu",
                           "pageinspect", "pg_surgery", "xml2", "earthdistance"}) {
    EXPECT_FALSE(IsAllowedExtension(name)) << name;
  }
  EXPECT_TRUE(IsAllowedExtension("pg_stat_statements"));
}

TEST(Extensions, TrustIsAddedOnce) {
  const std::string once = TrustControlFile("comment = 'x'\nrelocatable = true");
  EXPECT_TRUE(IsTrustedControlFile(once));
  EXPECT_EQ(TrustControlFile(once), once);
  EXPECT_FALSE(IsTrustedControlFile("# trusted = true\ntrusted = false\n"));
  EXPECT_TRUE(IsTrustedControlFile("trusted=true # yes\n"));
}

}  // namespace
}  // namespace howdah::postgres
