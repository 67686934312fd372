// A Fault is what a client of AWS is told when a call fails: AWS's own code, HTTP status and text.
// Handlers return Outcome<T>. The generated headers have a function for each modelled fault
// (rds::fault::DBInstanceNotFoundFault("...")); what AWS uses without modelling it is made here.
#pragma once

#include <expected>
#include <string>
#include <string_view>
#include <utility>

#include "base/result.h"

namespace howdah::aws {

struct Fault {
  std::string code;
  int http_status = 400;
  std::string message;
  bool sender = true;  // the caller's mistake, not ours

  bool operator==(const Fault&) const = default;
};

template <typename T>
using Outcome = std::expected<T, Fault>;

inline std::unexpected<Fault> Refuse(Fault fault) {
  return std::unexpected<Fault>(std::move(fault));
}
inline std::unexpected<Fault> Refuse(std::string code, std::string message, int http_status = 400) {
  return std::unexpected<Fault>(Fault{std::move(code), http_status, std::move(message), true});
}

Fault InvalidParameterValue(std::string message);
Fault InvalidParameterCombination(std::string message);
Fault MissingParameter(std::string message);
Fault ValidationError(std::string message);
// A defect of Howdah: 500. The text is for the log; the client gets a general sentence.
Fault InternalFailure();

// An Error that no handler gave a better fault: by its code, in the words of the query services.
// kInternal and kCorrupt become InternalFailure, whose text tells the client nothing.
Fault FaultOf(const Error& error);

}  // namespace howdah::aws

// OUTCOME_ASSIGN(auto x, F()) declares x with the value of an Outcome, or returns its fault.
#define OUTCOME_ASSIGN(declaration, expression) \
  OUTCOME_ASSIGN_IMPL(HOWDAH_CONCAT(outcome_, __LINE__), declaration, expression)
#define OUTCOME_ASSIGN_IMPL(tmp, declaration, expression)                         \
  auto tmp = (expression);                                                        \
  if (!tmp) return std::unexpected<::howdah::aws::Fault>(std::move(tmp).error()); \
  declaration = *std::move(tmp)

// OUTCOME_TRY(F()) returns the fault of an Outcome, if it has one.
#define OUTCOME_TRY(expression)                                                     \
  do {                                                                              \
    if (auto outcome_try = (expression); !outcome_try) {                            \
      return std::unexpected<::howdah::aws::Fault>(std::move(outcome_try).error()); \
    }                                                                               \
  } while (false)
