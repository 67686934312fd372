// The verifier is byte for byte PostgreSQL's, or nobody can log in.
#include "vault/scram.h"

#include <gtest/gtest.h>

#include "system/fake/seeded_entropy.h"
#include "vault/crypto.h"

namespace howdah::vault {
namespace {

// Password and salt of RFC 7677's example.
constexpr std::string_view kPencil =
    "SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:"
    "wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU=";

TEST(Scram, IsPostgresqlsVerifier) {
  EXPECT_EQ(ScramVerifier("pencil", *Base64Decode("W22ZaJ0SNY7soEsUEjb6gQ==")), kPencil);
}

TEST(Scram, AFreshSaltMakesAnotherVerifierThatStillMatches) {
  system::SeededEntropy entropy;
  const std::string one = NewScramVerifier("secret", entropy);
  EXPECT_NE(one, NewScramVerifier("secret", entropy));
  EXPECT_TRUE(ScramMatches(one, "secret"));
  EXPECT_FALSE(ScramMatches(one, "Secret"));
}

TEST(Scram, WhatIsNoVerifierMatchesNothing) {
  EXPECT_TRUE(ScramMatches(kPencil, "pencil"));
  for (const char* bad : {"", "md5abc", "SCRAM-SHA-256$", "SCRAM-SHA-256$x:AAAA$b:c",
                          "SCRAM-SHA-256$99999999999:AAAA$b:c", "SCRAM-SHA-256$0:AAAA$b:c",
                          "SCRAM-SHA-256$4096$AAAA:b:c", "SCRAM-SHA-256$4096:A$b:c"}) {
    EXPECT_FALSE(ScramMatches(bad, "pencil")) << bad;
  }
}

}  // namespace
}  // namespace howdah::vault
