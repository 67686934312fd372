// Text form of an LSN.
#include "postgres/lsn.h"

#include <fmt/format.h>

#include <charconv>

namespace howdah::postgres {
namespace {

bool ParseHalf(std::string_view text, std::uint32_t& value) {
  if (text.empty() || text.size() > 8) return false;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, 16);
  return error == std::errc() && end == text.data() + text.size();
}

}  // namespace

Result<Lsn> Lsn::Parse(std::string_view text) {
  const auto slash = text.find('/');
  std::uint32_t high = 0;
  std::uint32_t low = 0;
  if (slash == std::string_view::npos || !ParseHalf(text.substr(0, slash), high) ||
      !ParseHalf(text.substr(slash + 1), low)) {
    return Fail(Code::kInvalid, fmt::format("not an LSN: '{}'", text));
  }
  return Lsn(std::uint64_t{high} << 32 | low);
}

std::string Lsn::Format() const {
  return fmt::format("{:X}/{:X}", value_ >> 32, value_ & 0xffffffffU);
}

}  // namespace howdah::postgres
