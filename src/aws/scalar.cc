// Scalars as text. What comes in may be hostile: every digit and escape is checked.
#include "aws/scalar.h"

#include <fmt/format.h>
#include <openssl/evp.h>

#include <charconv>
#include <cmath>

namespace howdah::aws {
namespace {

int HexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

template <typename Number>
bool ParseNumber(std::string_view text, void* value) {
  if (text.starts_with('+')) text.remove_prefix(1);
  auto* number = static_cast<Number*>(value);
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), *number);
  return error == std::errc() && end == text.data() + text.size() && !text.empty();
}

bool ParseBoolean(std::string_view text, void* value) {
  const bool yes = text == "true" || text == "True" || text == "TRUE" || text == "1";
  const bool no = text == "false" || text == "False" || text == "FALSE" || text == "0";
  *static_cast<bool*>(value) = yes;
  return yes || no;
}

bool Unreserved(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
         c == '.' || c == '_' || c == '~';
}

}  // namespace

std::string FormatExactTime(WallTime time) {
  std::string text = FormatIso8601(time);
  text.pop_back();
  return fmt::format("{}{:03}Z", text,
                     (time - std::chrono::floor<std::chrono::milliseconds>(time)).count());
}

std::string FormatScalar(const ShapeDesc& shape, const void* value) {
  switch (shape.kind) {
    case Kind::kString:
      return *static_cast<const std::string*>(value);
    case Kind::kInteger:
      return fmt::format("{}", *static_cast<const std::int64_t*>(value));
    case Kind::kBoolean:
      return *static_cast<const bool*>(value) ? "true" : "false";
    case Kind::kDouble:
      return fmt::format("{}", *static_cast<const double*>(value));
    case Kind::kTimestamp:
      return FormatIso8601(*static_cast<const WallTime*>(value));
    case Kind::kBlob:
      return EncodeBase64(static_cast<const Blob*>(value)->bytes);
    default:
      return {};
  }
}

bool ParseScalar(const ShapeDesc& shape, std::string_view text, void* value) {
  switch (shape.kind) {
    case Kind::kString:
      static_cast<std::string*>(value)->assign(text);
      return true;
    case Kind::kInteger:
      return ParseNumber<std::int64_t>(text, value);
    case Kind::kBoolean:
      return ParseBoolean(text, value);
    case Kind::kDouble:
      return ParseNumber<double>(text, value) && std::isfinite(*static_cast<double*>(value));
    case Kind::kTimestamp: {
      const Result<WallTime> time = ParseIso8601(text);
      if (time) *static_cast<WallTime*>(value) = *time;
      return time.has_value();
    }
    case Kind::kBlob: {
      Result<std::string> bytes = DecodeBase64(text);
      if (bytes) static_cast<Blob*>(value)->bytes = *std::move(bytes);
      return bytes.has_value();
    }
    default:
      return false;
  }
}

std::string_view ScalarRule(const ShapeDesc& shape) {
  switch (shape.kind) {
    case Kind::kString:
      return "be a string";
    case Kind::kInteger:
      return "be an integer";
    case Kind::kBoolean:
      return "be true or false";
    case Kind::kDouble:
      return "be a number";
    case Kind::kTimestamp:
      return "be a time such as 2026-01-01T12:30:45Z";
    case Kind::kBlob:
      return "be base64";
    case Kind::kList:
      return "be a list";
    default:
      return "be a structure";
  }
}

std::string EncodeBase64(std::string_view bytes) {
  std::string text((bytes.size() + 2) / 3 * 4 + 1, '\0');
  const int length = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()),
                                     reinterpret_cast<const unsigned char*>(bytes.data()),
                                     static_cast<int>(bytes.size()));
  text.resize(static_cast<std::size_t>(length));
  return text;
}

Result<std::string> DecodeBase64(std::string_view text) {
  // OpenSSL forgives blanks around and padding anywhere; we do not.
  const std::size_t body = text.find_last_not_of('=') + 1;
  const std::size_t padding = text.size() - body;
  if (text.size() % 4 != 0 || padding > 2) return Fail(Code::kInvalid, "not base64");
  for (const char c : text.substr(0, body)) {
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    if (!letter && !(c >= '0' && c <= '9') && c != '+' && c != '/') {
      return Fail(Code::kInvalid, "not base64");
    }
  }
  std::string bytes(text.size() / 4 * 3, '\0');
  if (EVP_DecodeBlock(reinterpret_cast<unsigned char*>(bytes.data()),
                      reinterpret_cast<const unsigned char*>(text.data()),
                      static_cast<int>(text.size())) < 0) {
    return Fail(Code::kInvalid, "not base64");
  }
  bytes.resize(bytes.size() - padding);
  return bytes;
}

std::string PercentEncode(std::string_view text, bool keep_slash) {
  static constexpr char kHex[] = "0123456789ABCDEF";
  std::string out;
  out.reserve(text.size() + 16);
  for (const char c : text) {
    if (Unreserved(c) || (keep_slash && c == '/')) {
      out += c;
      continue;
    }
    const auto byte = static_cast<unsigned char>(c);
    out += '%';
    out += kHex[byte >> 4];
    out += kHex[byte & 15];
  }
  return out;
}

Result<std::string> FormDecode(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '+') {
      out += ' ';
    } else if (text[i] != '%') {
      out += text[i];
    } else {
      const int high = i + 2 < text.size() ? HexDigit(text[i + 1]) : -1;
      const int low = i + 2 < text.size() ? HexDigit(text[i + 2]) : -1;
      if (high < 0 || low < 0) return Fail(Code::kInvalid, "a broken % escape");
      out += static_cast<char>(high * 16 + low);
      i += 2;
    }
  }
  if (!IsUtf8(out)) return Fail(Code::kInvalid, "text that is not UTF-8");
  return out;
}

bool IsUtf8(std::string_view text) {
  for (std::size_t i = 0; i < text.size();) {
    const auto lead = static_cast<unsigned char>(text[i]);
    const std::size_t more = lead < 0x80       ? 0
                             : lead >> 5 == 6  ? 1
                             : lead >> 4 == 14 ? 2
                             : lead >> 3 == 30 ? 3
                                               : 4;
    if (more == 4 || i + more >= text.size()) return false;
    std::uint32_t code = more == 0 ? lead : lead & (0x3FU >> more);
    for (std::size_t k = 1; k <= more; ++k) {
      const auto next = static_cast<unsigned char>(text[i + k]);
      if (next >> 6 != 2) return false;
      code = (code << 6) | (next & 0x3F);
    }
    static constexpr std::uint32_t kLeast[] = {0, 0x80, 0x800,
                                               0x10000};  // no longer form than needed
    const bool surrogate = code >= 0xD800 && code <= 0xDFFF;
    if (code < kLeast[more] || code > 0x10FFFF || surrogate) return false;
    i += more + 1;
  }
  return true;
}

std::size_t Characters(std::string_view text) {
  std::size_t count = 0;
  for (const char c : text) count += (static_cast<unsigned char>(c) >> 6) != 2;
  return count;
}

}  // namespace howdah::aws
