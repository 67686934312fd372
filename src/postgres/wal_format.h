// How a page and a record of the write-ahead log look, for those who read WAL: wal_end.cc, which
// follows records on disk, and the archive's scanner of commits. PostgreSQL 14 to 18. Sources:
// src/include/access/xlog_internal.h and xlogrecord.h.
//
// A page begins with a header of 24 bytes, the first of a segment with one of 40:
//   0 magic u16 · 2 flags u16 · 4 timeline u32 · 8 address of the page u64 · 16 bytes of a record
//   that goes on from the page before u32 …
// A record is aligned to 8 bytes, goes on over as many pages as it needs, and begins with
//   0 its length u32 · 4 transaction u32 · 8 the record before u64 · 16 info u8 · 17 manager u8 ·
//   20 crc u32, over everything after it and then over everything before it.
#pragma once

#include <cstdint>
#include <cstring>
#include <string_view>

namespace howdah::postgres {

constexpr std::uint64_t kWalPage = 8192;
constexpr std::uint64_t kWalSegment = 16 * 1024 * 1024;

namespace wal {

constexpr std::uint64_t kShortHeader = 24;
constexpr std::uint64_t kLongHeader = 40;
constexpr std::size_t kFlagsOffset = 2;
constexpr std::size_t kAddressOffset = 8;
constexpr std::size_t kRestOffset = 16;
constexpr unsigned kContinues = 0x0001;   // flag: the page begins with the rest of a record
constexpr unsigned kLong = 0x0002;        // flag: the header is the long one
constexpr unsigned kOverwrites = 0x0008;  // flag: that rest was given up after a crash

constexpr std::uint64_t kRecordHeader = 24;
constexpr std::size_t kPreviousOffset = 8;
constexpr std::size_t kInfoOffset = 16;
constexpr std::size_t kManagerOffset = 17;
constexpr std::size_t kCrcOffset = 20;
constexpr std::uint64_t kLargestRecord = 1020ULL * 1024 * 1024;

// Managers, and what the upper half of `info` says for them.
constexpr unsigned kXlogManager = 0;
constexpr unsigned kSwitchInfo = 0x40;  // the rest of the segment is empty
constexpr unsigned kTransactionManager = 1;
constexpr unsigned kTransactionMask = 0x70;
constexpr unsigned kCommit = 0x00;
constexpr unsigned kCommitPrepared = 0x30;

template <typename T>
T LoadAt(std::string_view bytes, std::size_t offset) {
  T value{};
  std::memcpy(&value, bytes.data() + offset, sizeof(value));
  return value;
}

// Of a whole record header.
inline bool IsSwitch(std::string_view record) {
  const auto info = LoadAt<std::uint8_t>(record, kInfoOffset);
  return LoadAt<std::uint8_t>(record, kManagerOffset) == kXlogManager &&
         (info & 0xf0U) == kSwitchInfo;
}

// Positions are aligned to 8 between records.
constexpr std::uint64_t Align(std::uint64_t at) {
  return (at + 7) / 8 * 8;
}

}  // namespace wal
}  // namespace howdah::postgres
