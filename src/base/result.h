// Expected failures are values: Result<T> holds a T or an Error. An Error has a code that callers
// may decide on, and a text for a person that gathers context on its way up.
// What is not expected (a broken invariant) is Check()'s business, in check.h.
#pragma once

#include <expected>
#include <string>
#include <string_view>
#include <utility>

namespace howdah {

// Few on purpose: the AWS face maps each to a fault at the edge and nowhere else.
enum class Code {
  kInvalid,        // the caller's input is wrong
  kNotFound,       // the thing named does not exist
  kAlreadyExists,  // the name is taken
  kConflict,       // a compare failed: somebody else was faster; read again and retry
  kFailedState,    // the thing exists but its state does not allow this
  kInUse,          // something else still depends on it
  kExhausted,      // a limit, a quota, a full disk
  kPermission,     // not allowed
  kTimeout,        // a deadline passed
  kUnavailable,    // a peer is gone or not yet there; trying again later may help
  kUnsupported,    // Howdah does not do this
  kCorrupt,        // stored bytes are not what they should be
  kInternal,       // a failure of the machine or of a library that nothing above can mend
};

std::string_view CodeName(Code code);

class [[nodiscard]] Error {
 public:
  Error(Code code, std::string what) : code_(code), what_(std::move(what)) {}

  Code code() const { return code_; }
  const std::string& what() const { return what_; }

  // The same error, with what was being done when it happened: "starting node n-1: no such file".
  Error During(std::string_view doing) const {
    return Error(code_, std::string(doing) + ": " + what_);
  }

 private:
  Code code_;
  std::string what_;
};

template <typename T = void>
using Result = std::expected<T, Error>;

// Shorthand for the failing side: return Fail(Code::kNotFound, "no such key");
inline std::unexpected<Error> Fail(Code code, std::string what) {
  return std::unexpected<Error>(Error(code, std::move(what)));
}
inline std::unexpected<Error> Fail(Error error) {
  return std::unexpected<Error>(std::move(error));
}

// An Error of the errno that a system call left: "open /x: No such file or directory".
Error ErrnoError(std::string_view doing, int error_number);

}  // namespace howdah

#define HOWDAH_CONCAT_INNER(a, b) a##b
#define HOWDAH_CONCAT(a, b) HOWDAH_CONCAT_INNER(a, b)

// TRY_ASSIGN(auto x, F()) declares x with F()'s value, or returns its error.
#define TRY_ASSIGN(declaration, expression) \
  TRY_ASSIGN_IMPL(HOWDAH_CONCAT(try_result_, __LINE__), declaration, expression)
#define TRY_ASSIGN_IMPL(tmp, declaration, expression)                        \
  auto tmp = (expression);                                                   \
  if (!tmp) return std::unexpected<::howdah::Error>(std::move(tmp).error()); \
  declaration = *std::move(tmp)

// TRY(F()) returns F()'s error, if it has one.
#define TRY(expression)                                                       \
  do {                                                                        \
    if (auto try_result = (expression); !try_result) {                        \
      return std::unexpected<::howdah::Error>(std::move(try_result).error()); \
    }                                                                         \
  } while (false)
