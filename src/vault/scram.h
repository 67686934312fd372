// What PostgreSQL stores instead of a password (pg_authid.rolpassword). We send it this and never
// the password itself, so that no statement, log or activity view can hold one.
// Source: PostgreSQL's src/common/scram-common.c, RFC 5802, RFC 7677.
#pragma once

#include <string>
#include <string_view>

#include "system/entropy.h"

namespace howdah::vault {

// "SCRAM-SHA-256$<iterations>:<salt>$<StoredKey>:<ServerKey>". `salt` is raw bytes. The password is
// printable ASCII (as RDS demands), where SASLprep changes nothing.
std::string ScramVerifier(std::string_view password, std::string_view salt, int iterations = 4096);
// With a fresh 16-byte salt.
std::string NewScramVerifier(std::string_view password, system::Entropy& entropy);
// Whether `verifier` was made of this password; false for anything that is no verifier.
bool ScramMatches(std::string_view verifier, std::string_view password);

}  // namespace howdah::vault
