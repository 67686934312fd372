// Numbers of variable length (seven bits a byte, least first) and texts with their length, for the
// tables of a backup. The reader never goes beyond its bytes and never reserves more than they
// could hold.
#pragma once

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace howdah::backup {

class BinaryWriter {
 public:
  void Number(std::uint64_t value) {
    for (; value >= 0x80; value >>= 7) bytes_ += static_cast<char>(value | 0x80);
    bytes_ += static_cast<char>(value);
  }
  // Small either side of zero.
  void Difference(std::int64_t value) {
    const auto bits = static_cast<std::uint64_t>(value);
    Number((bits << 1) ^ (value < 0 ? ~std::uint64_t{0} : 0));
  }
  void Text(std::string_view text) {
    Number(text.size());
    bytes_ += text;
  }
  void Hashes(const std::vector<std::uint64_t>& hashes) {
    Number(hashes.size());
    bytes_.append(reinterpret_cast<const char*>(hashes.data()), hashes.size() * 8);
  }
  std::string Take() { return std::move(bytes_); }

 private:
  std::string bytes_;
};

class BinaryReader {
 public:
  explicit BinaryReader(std::string_view bytes) : bytes_(bytes) {}

  Result<std::uint64_t> Number() {
    std::uint64_t value = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
      if (bytes_.empty()) return Fail(Code::kCorrupt, "it ends too early");
      const auto byte = static_cast<unsigned char>(bytes_.front());
      bytes_.remove_prefix(1);
      value |= std::uint64_t{byte & 0x7fU} << shift;
      if (byte < 0x80) return value;
    }
    return Fail(Code::kCorrupt, "a number is too long");
  }
  Result<std::int64_t> Difference() {
    TRY_ASSIGN(const std::uint64_t bits, Number());
    return static_cast<std::int64_t>((bits >> 1) ^ (~(bits & 1) + 1));
  }
  Result<std::uint32_t> Small() {
    TRY_ASSIGN(const std::uint64_t value, Number());
    if (value > UINT32_MAX) return Fail(Code::kCorrupt, "a number is too large");
    return static_cast<std::uint32_t>(value);
  }
  // Of things that take at least one byte each.
  Result<std::size_t> Count() {
    TRY_ASSIGN(const std::uint64_t value, Number());
    if (value > bytes_.size()) return Fail(Code::kCorrupt, "a count is too large");
    return static_cast<std::size_t>(value);
  }
  Result<std::string_view> Text() {
    TRY_ASSIGN(const std::size_t size, Count());
    const std::string_view text = bytes_.substr(0, size);
    bytes_.remove_prefix(size);
    return text;
  }
  Result<std::vector<std::uint64_t>> Hashes() {
    TRY_ASSIGN(const std::size_t count, Count());
    if (count > bytes_.size() / 8) return Fail(Code::kCorrupt, "a count is too large");
    std::vector<std::uint64_t> hashes(count);
    if (count > 0) std::memcpy(hashes.data(), bytes_.data(), count * 8);
    bytes_.remove_prefix(count * 8);
    return hashes;
  }
  Result<> AtEnd() const {
    if (bytes_.empty()) return {};
    return Fail(Code::kCorrupt, "there is something behind its end");
  }

 private:
  std::string_view bytes_;
};

}  // namespace howdah::backup
