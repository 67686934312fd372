// A page begins with a header of 24 bytes, the first of a segment with one of 40:
//   0 magic u16 · 2 flags u16 · 4 timeline u32 · 8 address of the page u64 · 16 bytes of a record
//   that goes on from the page before u32 …
// A record is aligned to 8 bytes, goes on over as many pages as it needs, and begins with
//   0 its length u32 · 4 transaction u32 · 8 the record before u64 · 16 info u8 · 17 manager u8 ·
//   20 crc u32, over everything after it and then over everything before it.
#include "postgres/wal_end.h"

#include <fmt/format.h>

#include <charconv>
#include <cstring>
#include <limits>

#include "postgres/crc32c.h"

namespace howdah::postgres {
namespace {

constexpr std::uint64_t kShortHeader = 24;
constexpr std::uint64_t kLongHeader = 40;
constexpr std::uint64_t kRecordHeader = 24;
constexpr std::uint64_t kCrcOffset = 20;
constexpr std::uint64_t kLargestRecord = 256ULL * 1024 * 1024;
constexpr unsigned kContinues = 0x0001;   // flag: the page begins with the rest of a record
constexpr unsigned kOverwrites = 0x0008;  // flag: that rest was given up after a crash
constexpr unsigned kSwitchInfo = 0x40;    // manager 0: the rest of the segment is empty

template <typename T>
T ReadAt(std::string_view bytes, std::size_t offset) {
  T value{};
  std::memcpy(&value, bytes.data() + offset, sizeof(value));
  return value;
}

std::uint64_t HeaderSize(std::uint64_t page) {
  return page % kWalSegment == 0 ? kLongHeader : kShortHeader;
}

// Reads records one after the other; each call of Next() is one step.
class Walker {
 public:
  Walker(const WalPages& pages, Lsn record) : pages_(pages), at_(record.value()) {}

  // The end of the next whole record, or nothing.
  std::optional<Lsn> Next() {
    for (;;) {
      overwritten_ = false;
      const auto end = ReadRecord();
      if (end || !overwritten_) return end;
      previous_.reset();  // the record that was given up has no successor to point to it
    }
  }

 private:
  // Makes `at` the first byte that belongs to a record; false where the page is not of this log.
  bool Enter(std::uint64_t& at, std::uint64_t expected_rest) {
    const std::uint64_t page = at - at % kWalPage;
    if (page != page_at_ || page_.empty()) {
      const auto read = pages_(page);
      if (!read || read->size() != kWalPage) return false;
      page_ = *read;
      page_at_ = page;
    }
    const auto magic = ReadAt<std::uint16_t>(page_, 0);
    if (magic == 0 || (magic_ != 0 && magic != magic_)) return false;
    magic_ = magic;
    if (ReadAt<std::uint64_t>(page_, 8) != page) return false;
    if (at != page) return at - page >= HeaderSize(page);
    at += HeaderSize(page);
    const unsigned flags = ReadAt<std::uint16_t>(page_, 2);
    if (expected_rest == 0) return (flags & kContinues) == 0;
    if ((flags & kOverwrites) != 0) {
      overwritten_ = true;
      at_ = page;
      return false;
    }
    return (flags & kContinues) != 0 && ReadAt<std::uint32_t>(page_, 16) == expected_rest;
  }

  // Appends `size` bytes of the record from `at` on, of which `rest` in all are still to come.
  bool Take(std::uint64_t& at, std::uint64_t size, std::uint64_t rest, std::string& into) {
    while (size > 0) {
      if (at % kWalPage == 0 && !Enter(at, rest)) return false;
      const std::uint64_t part = std::min(size, kWalPage - at % kWalPage);
      into.append(page_, at % kWalPage, part);
      at += part;
      size -= part;
      rest -= part;
    }
    return true;
  }

  std::optional<Lsn> ReadRecord() {
    std::uint64_t at = at_;
    if (at % 8 != 0 || !Enter(at, 0)) return std::nullopt;
    const std::uint64_t begin = at;
    // Aligned to 8, so the length never stands across a page's end.
    const std::uint64_t length = ReadAt<std::uint32_t>(page_, at % kWalPage);
    if (length < kRecordHeader || length > kLargestRecord) return std::nullopt;
    std::string record;
    if (!Take(at, kRecordHeader, length, record)) return std::nullopt;
    if (previous_ && ReadAt<std::uint64_t>(record, 8) != *previous_) return std::nullopt;
    if (!Take(at, length - kRecordHeader, length - kRecordHeader, record)) return std::nullopt;
    std::uint32_t crc = Crc32cOver(0xffffffffU, std::string_view(record).substr(kRecordHeader));
    crc = Crc32cOver(crc, std::string_view(record).substr(0, kCrcOffset)) ^ 0xffffffffU;
    if (crc != ReadAt<std::uint32_t>(record, kCrcOffset)) return std::nullopt;
    previous_ = begin;
    at_ = (at + 7) / 8 * 8;
    const bool is_switch =
        record[17] == 0 && (static_cast<unsigned char>(record[16]) & 0xf0U) == kSwitchInfo;
    if (is_switch) at_ = (at_ + kWalSegment - 1) / kWalSegment * kWalSegment;
    return Lsn(at_);
  }

  const WalPages& pages_;
  std::uint64_t at_;
  std::string page_;
  std::uint64_t page_at_ = 0;
  std::uint16_t magic_ = 0;
  std::optional<std::uint64_t> previous_;
  bool overwritten_ = false;
};

// Pages of the segments in a directory, read a piece at a time.
class SegmentPages {
 public:
  SegmentPages(system::Disk& disk, std::string directory, Timeline timeline)
      : disk_(disk), directory_(std::move(directory)), timeline_(timeline) {}

  std::optional<std::string> Read(std::uint64_t page) {
    constexpr std::uint64_t kPiece = 128 * kWalPage;
    const std::uint64_t start = page - page % kPiece;
    if (!piece_ || start != piece_at_) {
      const std::string path = directory_ + "/" + WalFileName(timeline_, Lsn(start));
      const auto read = disk_.ReadAt(path, start % kWalSegment, kPiece);
      if (!read) return std::nullopt;
      piece_ = *read;
      piece_at_ = start;
    }
    const std::uint64_t offset = page - piece_at_;
    return offset < piece_->size() ? piece_->substr(offset, kWalPage) : std::string();
  }

 private:
  system::Disk& disk_;
  std::string directory_;
  Timeline timeline_;
  std::optional<std::string> piece_;
  std::uint64_t piece_at_ = 0;
};

Result<Lsn> Follow(system::Disk& disk, const std::string& wal_directory, Timeline timeline,
                   Lsn record, std::uint64_t most) {
  SegmentPages segments(disk, wal_directory, timeline);
  return FollowRecords([&](std::uint64_t page) { return segments.Read(page); }, record, most);
}

}  // namespace

std::string WalFileName(Timeline timeline, Lsn position) {
  constexpr std::uint64_t kPerLog = (1ULL << 32) / kWalSegment;
  const std::uint64_t segment = position.value() / kWalSegment;
  return fmt::format("{:08X}{:08X}{:08X}", ToNumber(timeline), segment / kPerLog,
                     segment % kPerLog);
}

std::optional<WalFile> ParseWalFileName(std::string_view name) {
  constexpr std::uint64_t kPerLog = (1ULL << 32) / kWalSegment;
  if (name.size() != 24) return std::nullopt;
  std::uint32_t parts[3] = {};
  for (std::size_t i = 0; i < 3; ++i) {
    const std::string_view text = name.substr(i * 8, 8);
    const auto [end, error] = std::from_chars(text.data(), text.data() + 8, parts[i], 16);
    if (error != std::errc() || end != text.data() + 8) return std::nullopt;
  }
  return WalFile{.timeline = Timeline{parts[0]},
                 .start = Lsn((parts[1] * kPerLog + parts[2]) * kWalSegment)};
}

Result<Lsn> FollowRecords(const WalPages& pages, Lsn record, std::uint64_t most) {
  Walker walker(pages, record);
  std::optional<Lsn> end;
  for (std::uint64_t i = 0; i < most; ++i) {
    const std::optional<Lsn> next = walker.Next();
    if (!next) break;
    end = next;
  }
  if (end) return *end;
  return Fail(Code::kCorrupt, "no whole WAL record at " + record.Format());
}

Result<Lsn> EndOfWal(system::Disk& disk, const std::string& wal_directory, Timeline timeline,
                     Lsn record) {
  return Follow(disk, wal_directory, timeline, record, std::numeric_limits<std::uint64_t>::max());
}

Result<Lsn> EndOfRecord(system::Disk& disk, const std::string& wal_directory, Timeline timeline,
                        Lsn record) {
  return Follow(disk, wal_directory, timeline, record, 1);
}

}  // namespace howdah::postgres
