#include "backup/page_checksum.h"

#include <algorithm>
#include <array>
#include <cstring>

namespace howdah::backup {

namespace {

constexpr std::size_t kPage = 8192;
constexpr std::size_t kSums = 32;
constexpr std::size_t kRows = kPage / (kSums * 4);
constexpr std::uint32_t kPrime = 16777619;
// The page's header: LSN (two halves of 32 bits), checksum, flags, lower, upper, …
constexpr std::size_t kChecksumOffset = 8;
constexpr std::size_t kUpperOffset = 14;

constexpr std::array<std::uint32_t, kSums> kOffsets = {
    0x5B1F36E9, 0xB8525960, 0x02AB50AA, 0x1DE66D2A, 0x79FF467A, 0x9BB9F8A3, 0x217E7CD2, 0x83E13D2C,
    0xF8D4474F, 0xE39EB970, 0x42C6AE16, 0x993216FA, 0x7B093B5D, 0x98DAFF3C, 0xF718902A, 0x0B1C9CDB,
    0xE58F764B, 0x187636BC, 0x5D7B3BB1, 0xE73DE7DE, 0x92BEC979, 0xCCA6C0B2, 0x304A0979, 0x85AA43D4,
    0x783125BB, 0x6CA8EAA2, 0xE407EAC6, 0x4B5CFC3E, 0x9FBF8C76, 0x15CA20BE, 0xF2CA9FD3, 0x959BD756};

// Whole rows at a time, so that the compiler makes vectors of them.
[[gnu::always_inline]] inline void Mix(std::uint32_t* sums, const std::uint32_t* row) {
  for (std::size_t i = 0; i < kSums; ++i) {
    const std::uint32_t mixed = sums[i] ^ row[i];
    sums[i] = (mixed * kPrime) ^ (mixed >> 17);
  }
}

[[gnu::always_inline]] inline std::uint32_t SumRows(const char* page) {
  std::array<std::uint32_t, kSums> sums = kOffsets;
  std::array<std::uint32_t, kSums> row;
  for (std::size_t i = 0; i < kRows; ++i) {
    std::memcpy(row.data(), page + i * sizeof(row), sizeof(row));
    if (i == 0) row[kChecksumOffset / 4] &= 0xffff0000U;  // the field itself counts as zero
    Mix(sums.data(), row.data());
  }
  row.fill(0);
  Mix(sums.data(), row.data());
  Mix(sums.data(), row.data());
  std::uint32_t result = 0;
  for (const std::uint32_t sum : sums) result ^= sum;
  return result;
}

#if defined(__x86_64__)
[[gnu::target("avx2")]] std::uint32_t SumRowsAvx2(const char* page) {
  return SumRows(page);
}
#endif

std::uint32_t SumPage(const char* page) {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx2")) return SumRowsAvx2(page);
#endif
  return SumRows(page);
}

template <typename T>
T Load(const char* at) {
  T value;
  std::memcpy(&value, at, sizeof(value));
  return value;
}

}  // namespace

std::uint16_t PageChecksum(const char* page, std::uint32_t block) {
  return static_cast<std::uint16_t>((SumPage(page) ^ block) % 65535 + 1);
}

PageState CheckPage(const char* page, std::uint32_t block) {
  if (Load<std::uint16_t>(page + kUpperOffset) == 0) {
    const bool zeros = std::all_of(page, page + kPage, [](char byte) { return byte == 0; });
    return zeros ? PageState::kNew : PageState::kBad;
  }
  const bool good = PageChecksum(page, block) == Load<std::uint16_t>(page + kChecksumOffset);
  return good ? PageState::kGood : PageState::kBad;
}

std::uint64_t PageLsn(const char* page) {
  return std::uint64_t{Load<std::uint32_t>(page)} << 32 | Load<std::uint32_t>(page + 4);
}

}  // namespace howdah::backup
