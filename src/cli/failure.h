// How a command fails: what could not be done, where, why, and what helps. Every command returns an
// Outcome; Main() prints a Failure to stderr and makes its exit code the process's.
#pragma once

#include <expected>
#include <string>
#include <utility>

#include "base/result.h"
#include "cli/main_face.h"

namespace howdah::cli {

struct Failure {
  std::string what;   // "stack prod-e was not created"
  std::string where;  // "stack.yaml:12:7", a path, an address; may be empty
  std::string why;    // may be empty
  std::string help;   // what to do next; may be empty
  int exit_code = kExitFailed;
};

using Outcome = std::expected<int, Failure>;

inline std::unexpected<Failure> Failed(Failure failure) {
  return std::unexpected<Failure>(std::move(failure));
}

// The exit code that an Error of the rooms below deserves.
inline int ExitCodeOf(Code code) {
  if (code == Code::kNotFound) return kExitNotFound;
  if (code == Code::kTimeout) return kExitTimedOut;
  return kExitFailed;
}

inline std::unexpected<Failure> Failed(std::string what, const Error& error,
                                       std::string help = "") {
  return Failed(Failure{.what = std::move(what),
                        .where = "",
                        .why = error.what(),
                        .help = std::move(help),
                        .exit_code = ExitCodeOf(error.code())});
}

}  // namespace howdah::cli

// CLI_ASSIGN(auto x, F()) declares x with F()'s value, or returns its Failure.
#define CLI_ASSIGN(declaration, expression) \
  CLI_ASSIGN_IMPL(HOWDAH_CONCAT(cli_result_, __LINE__), declaration, expression)
#define CLI_ASSIGN_IMPL(tmp, declaration, expression)                               \
  auto tmp = (expression);                                                          \
  if (!tmp) return std::unexpected<::howdah::cli::Failure>(std::move(tmp).error()); \
  declaration = *std::move(tmp)

// CLI_TRY(F()) returns F()'s Failure, if it has one.
#define CLI_TRY(expression)                                                       \
  do {                                                                            \
    if (auto cli_try = (expression); !cli_try) {                                  \
      return std::unexpected<::howdah::cli::Failure>(std::move(cli_try).error()); \
    }                                                                             \
  } while (false)
