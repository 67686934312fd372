// PostgreSQL's checksum of a relation's page: an FNV-1a of 32 interleaved sums, folded to 16 bits.
// Source of the algorithm: PostgreSQL, src/include/storage/checksum_impl.h. Pure.
#pragma once

#include <cstdint>
#include <string_view>

namespace howdah::backup {

// Of a page of 8 KiB; the field in which it is kept counts as zero. `block` is its number in the
// whole relation fork, not in the segment's file.
std::uint16_t PageChecksum(const char* page, std::uint32_t block);

enum class PageState {
  kGood,
  kNew,  // never used: all zeros
  kBad,
};
PageState CheckPage(const char* page, std::uint32_t block);

// The position of the last WAL record that changed the page.
std::uint64_t PageLsn(const char* page);

}  // namespace howdah::backup
