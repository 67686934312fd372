// SCRAM-SHA-256 verifiers (RFC 5803), so that a password never travels to the server in clear nor
// lands in a server log.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "system/entropy.h"

namespace howdah::postgres {

constexpr int kScramIterations = 4096;  // PostgreSQL's own default

// "SCRAM-SHA-256$4096:SALT$STORED:SERVER". Printable ASCII only: RDS allows no other passwords, and
// it spares SASLprep. kInvalid otherwise.
Result<std::string> MakeScramVerifier(std::string_view password, system::Entropy& entropy);
Result<std::string> MakeScramVerifier(std::string_view password, std::string_view salt,
                                      int iterations);  // pure
bool IsScramVerifier(std::string_view text);

}  // namespace howdah::postgres
