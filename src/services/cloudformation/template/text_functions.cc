// Texts into texts.
#include "services/cloudformation/template/text_functions.h"

#include <fmt/format.h>

#include <charconv>
#include <optional>

namespace howdah::cfn {

namespace {

constexpr std::int64_t kMaxBlocks = 256;
constexpr std::string_view kBase64 =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

std::optional<std::int64_t> Number(std::string_view text, std::int64_t least, std::int64_t most) {
  std::int64_t value = 0;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (problem != std::errc() || end != text.data() + text.size()) return std::nullopt;
  if (value < least || value > most) return std::nullopt;
  return value;
}

std::optional<std::uint32_t> Address(std::string_view text) {
  const std::vector<std::string> parts = SplitText(text, ".");
  if (parts.size() != 4) return std::nullopt;
  std::uint32_t address = 0;
  for (const std::string& part : parts) {
    const auto octet = Number(part, 0, 255);
    if (!octet) return std::nullopt;
    address = (address << 8U) | static_cast<std::uint32_t>(*octet);
  }
  return address;
}

}  // namespace

std::vector<std::string> SplitText(std::string_view text, std::string_view delimiter) {
  std::vector<std::string> parts;
  for (;;) {
    const std::size_t at = text.find(delimiter);
    parts.emplace_back(text.substr(0, at));
    if (at == std::string_view::npos) return parts;
    text.remove_prefix(at + delimiter.size());
  }
}

std::string Base64Of(std::string_view bytes) {
  std::string made;
  for (std::size_t at = 0; at < bytes.size(); at += 3) {
    std::uint32_t group = 0;
    for (std::size_t i = 0; i < 3; ++i) {
      const auto byte = at + i < bytes.size() ? static_cast<unsigned char>(bytes[at + i]) : 0U;
      group = (group << 8U) | byte;
    }
    const std::size_t letters = std::min<std::size_t>(bytes.size() - at, 3) + 1;
    for (std::size_t i = 0; i < 4; ++i) {
      made += i < letters ? kBase64[(group >> (18U - 6U * i)) & 63U] : '=';
    }
  }
  return made;
}

Result<std::vector<std::string>> CidrBlocks(std::string_view block, std::string_view count,
                                            std::string_view bits) {
  const std::size_t slash = block.find('/');
  const auto address = Address(block.substr(0, slash));
  const auto prefix = slash == std::string_view::npos ? std::optional<std::int64_t>()
                                                      : Number(block.substr(slash + 1), 0, 32);
  if (!address || !prefix) {
    return Fail(Code::kInvalid,
                fmt::format("Template error: Fn::Cidr: {} is no IPv4 block", block));
  }
  const auto many = Number(count, 1, kMaxBlocks);
  if (!many) {
    return Fail(Code::kInvalid, "Template error: Fn::Cidr: the count must be from 1 to 256");
  }
  const auto host_bits = Number(bits, 1, 32);
  if (!host_bits) {
    return Fail(Code::kInvalid, "Template error: Fn::Cidr: the bits must be from 1 to 32");
  }
  const std::uint64_t size = std::uint64_t{1} << static_cast<unsigned>(*host_bits);
  const std::uint64_t room = std::uint64_t{1} << static_cast<unsigned>(32 - *prefix);
  if (size * static_cast<std::uint64_t>(*many) > room) {
    return Fail(Code::kInvalid,
                fmt::format("Template error: Fn::Cidr: {} has no room for {} blocks of /{}", block,
                            *many, 32 - *host_bits));
  }
  const std::uint64_t first = *address & ~(room - 1);
  std::vector<std::string> blocks;
  for (std::int64_t i = 0; i < *many; ++i) {
    const std::uint64_t at = first + size * static_cast<std::uint64_t>(i);
    blocks.push_back(fmt::format("{}.{}.{}.{}/{}", (at >> 24U) & 255U, (at >> 16U) & 255U,
                                 (at >> 8U) & 255U, at & 255U, 32 - *host_bits));
  }
  return blocks;
}

}  // namespace howdah::cfn
