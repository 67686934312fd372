// CRC-32C (Castagnoli), with which PostgreSQL sums its control file and its WAL records.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace howdah::postgres {

constexpr std::array<std::uint32_t, 256> MakeCrc32cTable() {
  std::array<std::uint32_t, 256> table{};
  for (std::uint32_t i = 0; i < table.size(); ++i) {
    std::uint32_t value = i;
    for (int bit = 0; bit < 8; ++bit) value = (value >> 1) ^ ((value & 1U) != 0 ? 0x82f63b78U : 0U);
    table[i] = value;
  }
  return table;
}
inline constexpr auto kCrc32cTable = MakeCrc32cTable();

// From 0xffffffff, one byte after the other; the sum is the complement of the last value.
constexpr std::uint32_t Crc32cStep(std::uint32_t crc, unsigned char byte) {
  return kCrc32cTable[(crc ^ byte) & 0xffU] ^ (crc >> 8);
}

constexpr std::uint32_t Crc32cOver(std::uint32_t crc, std::string_view bytes) {
  for (const char c : bytes) crc = Crc32cStep(crc, static_cast<unsigned char>(c));
  return crc;
}

}  // namespace howdah::postgres
