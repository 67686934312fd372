// IPv6 blocks; the C library reads and writes the addresses.
#include "network/cidr6.h"

#include <arpa/inet.h>
#include <fmt/format.h>

#include <charconv>

namespace howdah::network {
namespace {

constexpr unsigned kBits = 128;

}  // namespace

Result<Cidr6> Cidr6::Parse(std::string_view text) {
  const Error bad(Code::kInvalid, fmt::format("'{}' is not an IPv6 CIDR block", text));
  const auto slash = text.find('/');
  if (slash == std::string_view::npos || slash >= INET6_ADDRSTRLEN) return Fail(bad);
  const std::string address(text.substr(0, slash));
  const std::string_view digits = text.substr(slash + 1);
  Cidr6 block;
  const auto [end, error] =
      std::from_chars(digits.data(), digits.data() + digits.size(), block.prefix_);
  if (error != std::errc() || end != digits.data() + digits.size() || block.prefix_ > kBits)
    return Fail(bad);
  if (digits.size() > 1 && digits.front() == '0') return Fail(bad);
  // An address with a NUL in it would be read only up to there.
  if (address.find('\0') != std::string::npos ||
      ::inet_pton(AF_INET6, address.c_str(), block.first_.data()) != 1)
    return Fail(bad);
  for (unsigned bit = block.prefix_; bit < kBits; ++bit)
    block.first_[bit / 8] &= static_cast<std::uint8_t>(~(0x80u >> (bit % 8)));
  return block;
}

std::string Cidr6::ToString() const {
  std::array<char, INET6_ADDRSTRLEN> text{};
  ::inet_ntop(AF_INET6, first_.data(), text.data(), text.size());
  return fmt::format("{}/{}", text.data(), prefix_);
}

}  // namespace howdah::network
