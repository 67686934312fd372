// IPv6 blocks as values. VPCs here have IPv4 only: a block of IPv6 appears in what clients record
// (a security group's rule about "::/0", a route to it), is kept in one form, and matches nobody.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace howdah::network {

class Cidr6 {
 public:
  Cidr6() = default;  // ::/0
  // "2001:db8::/32". Host bits are cleared; a missing prefix is an error.
  static Result<Cidr6> Parse(std::string_view text);
  // As RFC 5952 writes it: lower case, the longest run of zeros left out.
  std::string ToString() const;
  auto operator<=>(const Cidr6&) const = default;

 private:
  std::array<std::uint8_t, 16> first_{};
  unsigned prefix_ = 0;
};

}  // namespace howdah::network
