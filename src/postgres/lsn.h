// Positions in the write-ahead log and timelines, as types: an LSN is never just a number here.
#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace howdah::postgres {

// A byte position in the WAL. 0 ("0/0") means "none": PostgreSQL never writes there.
class Lsn {
 public:
  constexpr Lsn() = default;
  constexpr explicit Lsn(std::uint64_t value) : value_(value) {}
  // "16/B374D848": two hexadecimal halves of 1 to 8 digits.
  static Result<Lsn> Parse(std::string_view text);

  constexpr std::uint64_t value() const { return value_; }
  constexpr bool IsNone() const { return value_ == 0; }
  std::string Format() const;
  auto operator<=>(const Lsn&) const = default;

 private:
  std::uint64_t value_ = 0;
};

// Bytes from `from` to `to`; 0 where `to` is not ahead.
constexpr std::uint64_t BytesBetween(Lsn from, Lsn to) {
  return to.value() > from.value() ? to.value() - from.value() : 0;
}

// Counted from 1; 0 means "unknown".
enum class Timeline : std::uint32_t {};

constexpr std::uint32_t ToNumber(Timeline timeline) {
  return static_cast<std::uint32_t>(timeline);
}

}  // namespace howdah::postgres
